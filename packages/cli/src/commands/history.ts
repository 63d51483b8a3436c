import { GitOpsError, type RunRecord, durationOf, isoTime } from '@gitops-sdk/core'
import type { Command, Run, Values } from '../command.ts'

/** What was done, newest first. */
export const history: Command = {
  name: 'history',
  summary: 'what was done, newest first',
  operands: '[application …]',
  options: { limit: { type: 'string', value: 'number', summary: 'how many runs at most (default: 20)' } },
  readOnly: true,
  run: async (run) => {
    const runs = await newest(run, limitOf(run.values))
    run.print.value(runs)
    for (const each of runs) run.print.text(line(each, run))
    if (runs.length === 0) run.print.text('Nothing was done yet.')
    return 0
  },
}

/** The history holds every application, so it is read until enough of the chosen ones were found. */
async function newest({ reconciler, applications }: Run, limit: number): Promise<RunRecord[]> {
  const chosen = new Set(applications)
  const found: RunRecord[] = []
  const [only] = applications
  const query =
    chosen.size === 1 && only !== undefined ? { application: only, limit } : { limit: Number.MAX_SAFE_INTEGER }
  for await (const run of reconciler.history(query)) {
    if (chosen.has(run.application)) found.push(run)
    if (found.length === limit) break
  }
  return found
}

function limitOf({ limit }: Values): number {
  if (limit === undefined) return 20
  const count = Number(limit)
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new GitOpsError('CONFIG_INVALID', `--limit must be a whole number above 0, not ${JSON.stringify(limit)}.`)
}

function line(record: RunRecord, { print }: Run): string {
  const { application, endedAt, outcome, revision, counts, approvedBy, error, trigger } = record
  const done = Object.entries(counts)
    .map(([action, count]) => `${count} ${action}`)
    .join(', ')
  const notes = [
    done === '' ? undefined : done,
    approvedBy === undefined ? undefined : `approved by ${approvedBy}`,
    error === undefined ? undefined : `${error.code}: ${error.message}`,
  ].filter((note) => note !== undefined)
  const mark = print.mark(outcome.padEnd(10), outcome === 'applied' ? 'well' : outcome === 'failed' ? 'failed' : 'look')
  const seconds = (durationOf(record) / 1000).toFixed(1)
  return `${isoTime(endedAt)} ${application.padEnd(20)} ${mark} ${revision?.id.slice(0, 12) ?? '-'} ${seconds} s ${trigger}  ${notes.join('; ')}`.trimEnd()
}
