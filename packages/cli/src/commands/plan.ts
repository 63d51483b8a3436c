import { type Plan, describe } from '@gitops-sdk/core'
import type { Command, Run } from '../command.ts'
import type { ExitCode } from '../io.ts'
import { forEach } from './for-each.ts'

/** Shows what would be done, with every field before and after. */
export const plan: Command = {
  name: 'plan',
  summary: 'what would be done now; writes nothing',
  operands: '[application …]',
  options: { markdown: { type: 'boolean', summary: 'write Markdown, for a pull request' } },
  readOnly: true,
  run: (run) => forEach(run, (name) => showPlan(run, name)),
}

async function showPlan({ reconciler, print, values }: Run, name: string): Promise<{ code: ExitCode; value: Plan }> {
  const made = await reconciler.plan(name)
  const format = values['markdown'] === true ? 'markdown' : 'text'
  print.text(describe(made, { format, colour: print.colour }))
  return { code: codeOf(made), value: made }
}

/** 2 when something is to be done, is blocked, drifted, or could not be read. */
export function codeOf({ changes, drift, blocked, effect, complete }: Plan): ExitCode {
  const isQuiet = changes.length === 0 && drift.length === 0 && blocked.length === 0 && effect === 'none' && complete
  return isQuiet ? 0 : 2
}
