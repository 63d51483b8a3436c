import { GitOpsError, type RunResult } from '@gitops-sdk/core'
import { type Command, type Run, type Values, waitOptions } from '../command.ts'
import { applicationOf } from '../look.ts'
import { type Answer, forEach } from './for-each.ts'
import { answerOf } from './outcome.ts'

/** One run for each application, those that others depend on first; with `--wait` as many as it takes. */
export const apply: Command = {
  name: 'apply',
  summary: 'bring the actual state to the declared one, and wait until it is healthy',
  operands: '[application …]',
  options: { ...waitOptions, heal: { type: 'boolean', summary: 'heal drift although the policy only reports it' } },
  readOnly: false,
  run: (run) => {
    const applications = inOrder(run)
    return forEach({ ...run, applications }, (name) => applyOne(run, name))
  },
}

async function applyOne(run: Run, name: string): Promise<Answer> {
  const result = await run.reconciler.reconcile(name, { heal: run.values['heal'] === true })
  const answer = answerOf(result, run.print)
  if (run.values['wait'] !== true || answer.code === 0 || isFinal(result)) return answer
  run.reconciler.start()
  const state = await ready(run, name)
  run.print.text(`${name}: ${run.print.mark('ready', 'well')}`)
  return { code: 0, value: { application: name, outcome: 'ready', revision: state.ready } }
}

/** What failed for good does not get better by waiting. */
export function isFinal({ outcome, error }: RunResult): boolean {
  return outcome === 'cancelled' || (outcome === 'failed' && error?.retryable === false)
}

/** Waits until it is ready. Throws `DEADLINE_EXCEEDED`, saying what it is still waiting for. */
export function ready(run: Run, application: string): ReturnType<Run['reconciler']['waitFor']> {
  const { signal } = run.io
  return run.reconciler.waitFor({
    application,
    signal,
    timeoutMs: timeoutOf(run.values),
  })
}

function timeoutOf({ timeout }: Values): number {
  if (timeout === undefined) return 600_000
  const seconds = Number(timeout)
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000
  throw new GitOpsError(
    'CONFIG_INVALID',
    `--timeout must be a number of seconds above 0, not ${JSON.stringify(timeout)}.`,
  )
}

/** The chosen applications, each after those it depends on. The reconciler has refused cycles already. */
function inOrder({ applications, config }: Run): string[] {
  const ordered = new Set<string>()
  const visit = (name: string): void => {
    if (ordered.has(name)) return
    for (const other of applicationOf(config, name).dependsOn ?? []) if (applications.includes(other)) visit(other)
    ordered.add(name)
  }
  applications.forEach(visit)
  return [...ordered]
}
