import type { ApplicationState } from '@gitops-sdk/core'
import type { Command, Run } from '../command.ts'
import type { ExitCode } from '../io.ts'
import { lookAt } from '../look.ts'
import { forEach } from './for-each.ts'

/** One line for each application. */
export const status: Command = {
  name: 'status',
  summary: 'how each application is doing: the same, working, at which revision',
  operands: '[application …]',
  options: {},
  readOnly: true,
  run: async (run) => {
    run.print.text(run.print.bold(columns(['APPLICATION', 'ALIGNMENT', 'HEALTH', 'REVISION', 'NOTE'])))
    return forEach(run, (name) => showStatus(run, name))
  },
}

async function showStatus(run: Run, name: string): Promise<{ code: ExitCode; value: ApplicationState }> {
  const { state } = await lookAt(run, name)
  const code = codeOf(state)
  const revision = state.revision?.id.slice(0, 12) ?? '-'
  const line = columns([name, state.alignment, state.health, revision, noteOf(state)])
  run.print.text(code === 0 ? line : run.print.mark(line, code === 1 ? 'failed' : 'look'))
  return { code, value: state }
}

/** 1 when it could not be read, 2 when it is not as declared. */
export function codeOf({ alignment, error }: ApplicationState): ExitCode {
  if (alignment === 'aligned') return 0
  return error !== undefined && alignment === 'unknown' ? 1 : 2
}

function noteOf({ error, pending, suspension, hold, drift, plan }: ApplicationState): string {
  if (error !== undefined) return error.code
  if (pending !== undefined) return `waits for approval of ${pending.fingerprint}`
  if (suspension !== undefined) return `suspended by ${suspension.by}`
  if (hold !== undefined) return `held at ${hold.revision.id.slice(0, 12)}`
  if (drift.length > 0) return drift.length === 1 ? '1 drift' : `${drift.length} drifts`
  return plan === undefined || plan.changes === 0 ? '' : `${plan.changes} to change`
}

const widths = [24, 10, 12, 13]

function columns(cells: readonly string[]): string {
  return cells
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
    .join(' ')
    .trimEnd()
}
