import { toGitOpsError } from '../runtime/errors.ts'
import { wakeDependents } from './dependencies.ts'
import { destroyOnce } from './destroy.ts'
import type { Engine } from './engine.ts'
import type { Asked, Member } from './member.ts'
import { retryDelayMs } from './policy/timing.ts'
import type { QueuedWork } from './queue.ts'
import { runOnce } from './run.ts'
import type { RunOptions, RunResult } from './run-result.ts'

/**
 * What the queue does with an application: one run, the next one where it is due, and the answer to whoever asked. `close`
 * stores the end of the run before anybody hears of it.
 */
export async function workOn(
  engine: Engine,
  name: string,
  work: QueuedWork,
  close?: (result: RunResult) => Promise<RunResult>,
): Promise<RunResult['outcome'] | 'unknown' | 'fenced'> {
  const member = engine.members.get(name)
  if (member === undefined) return 'unknown'
  const asked = member.asked.filter(({ isReady }) => isReady)
  member.asked = member.asked.filter(({ isReady }) => !isReady)
  const ended =
    member.leaving === 'destroy' ? await destroyOnce(engine, member, work) : await run(engine, member, work, asked)
  planNext(engine, member, ended)
  const result = close === undefined ? ended : await close(ended)
  for (const { settle } of asked) settle(result)
  return result.error?.code === 'LEDGER_FENCED' ? 'fenced' : result.outcome
}

async function run(engine: Engine, member: Member, work: QueuedWork, asked: readonly Asked[]): Promise<RunResult> {
  try {
    return await runOnce(engine, member, work, mergedOptions(asked))
  } catch (thrown) {
    // A defect of the engine itself must not end the loop.
    const error = toGitOpsError(thrown, `Reconciling ${member.name}`)
    engine.call.log.error(error.message, thrown)
    return { application: member.name, runId: '', outcome: 'failed', error }
  }
}

/** Several callers get one run that does what any of them asked for; a selection only holds when all selected. */
function mergedOptions(asked: readonly Asked[]): RunOptions {
  const all = asked.map(({ options }) => options)
  const [first] = all
  if (first === undefined) return {}
  if (all.length === 1) return first
  const only = all.every((each) => each.only !== undefined) ? all.flatMap((each) => each.only ?? []) : undefined
  const confirm = all.flatMap((each) => each.confirm ?? [])
  return {
    trigger: all.some(({ trigger }) => trigger === 'manual') ? 'manual' : (first.trigger ?? 'manual'),
    refresh: all.some(({ refresh }) => refresh === true),
    heal: all.some(({ heal }) => heal === true),
    // Accepting is for a run of its own: whoever asked for another one wants it to converge.
    acceptDrift: all.every(({ acceptDrift }) => acceptDrift === true),
    ...(only && { only }),
    ...(confirm.length > 0 && { confirm }),
  }
}

function planNext(engine: Engine, member: Member, result: RunResult): void {
  const { queue, call } = engine
  if (result.outcome === 'applied' || result.outcome === 'unchanged') {
    scheduleDrift(engine, member)
    if (engine.feedback.state(member.name)?.ready !== undefined) wakeDependents(engine, member.name)
  } else if (result.outcome === 'failed' && result.error?.retryable === true) {
    const { retry } = member.policy
    const delayMs = retryDelayMs(retry, member.failures, call.random, result.error.retryAfterMs)
    if (delayMs === undefined) return
    engine.feedback.record({
      type: 'scheduled',
      application: member.name,
      dueAt: call.clock.now() + delayMs,
      trigger: 'retry',
      attempt: member.failures,
    })
    queue.add(member.name, { trigger: 'retry', delayMs })
  } else if (result.outcome === 'blocked') {
    const untils = (result.reasons ?? []).flatMap(({ until }) => until ?? [])
    if (untils.length > 0)
      queue.add(member.name, { trigger: 'window', delayMs: Math.min(...untils) - call.clock.now() })
    else scheduleDrift(engine, member)
  }
  if (member.hinted && result.outcome !== 'failed') queue.add(member.name, { trigger: 'watch' })
}

function scheduleDrift({ queue, call }: Engine, member: Member): void {
  const delayMs = member.driftDueMs - call.clock.monotonic()
  if (Number.isFinite(delayMs)) queue.add(member.name, { trigger: 'drift', delayMs })
}
