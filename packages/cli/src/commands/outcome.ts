import { type RunResult, describe } from '@gitops-sdk/core'
import type { ExitCode } from '../io.ts'
import { type Print, errorText, isTimeout } from '../print.ts'
import type { Answer } from './for-each.ts'

/** How a run ended, as text and as an exit code. */
export function answerOf(result: RunResult, print: Print): Answer & { readonly value: object } {
  const { application, runId, outcome, revision, plan, error, reasons, blocker } = result
  if (plan !== undefined && plan.changes.length > 0) print.text(describe(plan, { colour: print.colour }))
  const why = [...(reasons ?? []).map(({ message }) => message), ...(blocker ? [blocker.message] : [])]
  const code = codeOf(result)
  const mark = print.mark(outcome, code === 0 ? 'well' : code === 2 ? 'look' : 'failed')
  print.text(`${application}: ${mark}${why.length === 0 ? '' : ` — ${why.join(' ')}`}`)
  if (error !== undefined) print.text(errorText(error))
  const value = { application, runId, outcome, revision, plan, error: error?.toJSON(), reasons, blocker }
  return { code, value }
}

function codeOf({ outcome, error }: RunResult): ExitCode {
  if (outcome === 'applied' || outcome === 'unchanged') return 0
  if (outcome === 'blocked' || outcome === 'parked') return 2
  return error !== undefined && isTimeout(error) ? 3 : 1
}
