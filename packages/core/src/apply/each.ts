import type { DesiredState, Resource } from '../desired/desired.ts'
import { resourcesByKey } from '../desired/by-key.ts'
import { label, refKey } from '../desired/ref.ts'
import type { Change, Plan } from '../plan/plan.ts'
import { stepsOf } from '../plan/steps.ts'
import { abortError, type RunCall } from '../runtime/call.ts'
import { type ErrorCode, GitOpsError, toGitOpsError } from '../runtime/errors.ts'
import type { Outcome } from './outcome.ts'
import { abortable, type Abortable, asTheySettle } from '../runtime/settle.ts'

/**
 * Makes one change in the target. `declared` is what is wanted; it is `undefined` when the resource is
 * to be removed. Throws a `GitOpsError` when the target refused; any other error, and one after which
 * the write may have happened, becomes an `unknown` outcome. Idempotent: it may be called again.
 */
export type Write = (change: Change, declared: Resource | undefined, call: RunCall) => Promise<Written | void>

/** What the target answered to a write. */
export type Written = Pick<Outcome, 'uid' | 'version' | 'note' | 'warnings'>

/** How changes are applied. */
export interface ApplyEachOptions {
  /** Writes that run side by side inside one step. @defaultValue 8 */
  readonly concurrency?: number
}

/**
 * Applies a plan resource by resource, step by step, and yields one outcome per change as it settles.
 *
 * `call.fence` is asked before each write. When the call is aborted or the fence is lost, no further
 * write starts: writes under way are `unknown`, the rest is `skipped`. After a failure, the changes of
 * the same step are still made and later steps are `skipped`, but for `SyncFail`: in a plan that also
 * holds other phases, its changes are made only after a failure. A `replace` is two writes, a removal and
 * a creation; a `forget` is none. Throws `PLAN_STALE` when the plan was made from another declaration.
 */
export async function* applyEach(
  plan: Plan,
  desired: DesiredState,
  call: RunCall,
  write: Write,
  { concurrency = 8 }: ApplyEachOptions = {},
): AsyncIterable<Outcome> {
  refuseStale(plan, desired)
  const declared = resourcesByKey(desired.resources)
  const waits = abortable(call.signal)
  const make = (change: Change): Promise<Outcome> =>
    makeChange(change, declared.get(refKey(change.ref)), call, write, waits)
  const ordinary = plan.changes.some(({ step }) => step.phase !== 'SyncFail')
  let obstacle: Outcome | undefined
  try {
    for (const step of stepsOf(plan)) {
      const before = obstacle
      const onFailure = ordinary && step[0]?.step.phase === 'SyncFail'
      const skip = (change: Change): Promise<Outcome> => skipped(change, before)
      const run = onFailure === (before !== undefined) ? make : skip
      for await (const outcome of asTheySettle(step, concurrency, run)) {
        if (outcome.status !== 'succeeded') obstacle ??= outcome
        yield outcome
      }
    }
  } finally {
    waits.release()
  }
}

function refuseStale(plan: Plan, desired: DesiredState): void {
  if (plan.basis.digest === desired.digest) return
  throw new GitOpsError('PLAN_STALE', 'The plan was made from another declaration than the one to apply. Plan again.')
}

async function makeChange(
  change: Change,
  declared: Resource | undefined,
  call: RunCall,
  write: Write,
  waits: Abortable,
): Promise<Outcome> {
  const { ref, action } = change
  const obstacle = whatStops(call)
  if (obstacle !== undefined) return { ref, action, status: 'skipped', error: obstacle }
  try {
    const written = await waits.until(writeChange(change, declared, call, write))
    return { ref, action, status: 'succeeded', ...written }
  } catch (thrown) {
    const error = toGitOpsError(thrown, `Applying ${label(ref)}`)
    return { ref, action, status: mayHaveHappened.has(error.code) ? 'unknown' : 'failed', error }
  }
}

/** Errors after which the target may have made the change all the same. */
const mayHaveHappened: ReadonlySet<ErrorCode> = new Set([
  'CANCELLED',
  'DEADLINE_EXCEEDED',
  'TARGET_UNREACHABLE',
  'TARGET_INTERNAL',
  'APPLY_UNKNOWN',
  'INTERNAL',
])

function whatStops({ signal, fence }: RunCall): GitOpsError | undefined {
  if (signal.aborted) return abortError(signal)
  try {
    fence?.assertHeld()
    return undefined
  } catch (thrown) {
    return toGitOpsError(thrown, 'Asking whether the application is still ours')
  }
}

async function writeChange(
  change: Change,
  declared: Resource | undefined,
  call: RunCall,
  write: Write,
): Promise<Written | void> {
  if (change.action === 'forget') return undefined
  if (change.action === 'delete') return write(change, undefined, call)
  if (declared === undefined) throw new GitOpsError('PLAN_STALE', `${label(change.ref)} is not declared. Plan again.`)
  if (change.action !== 'replace') return write(change, declared, call)
  await write({ ...change, action: 'delete' }, undefined, call)
  call.fence?.assertHeld()
  const { uid: _uid, version: _version, ...fresh } = change
  return write({ ...fresh, action: 'create' }, declared, call)
}

async function skipped(change: Change, obstacle: Outcome | undefined): Promise<Outcome> {
  const { ref, action } = change
  return { ref, action, status: 'skipped', error: whySkipped(change, obstacle) }
}

function whySkipped({ ref }: Change, obstacle: Outcome | undefined): GitOpsError {
  if (obstacle === undefined) return new GitOpsError('CANCELLED', `${label(ref)} is for a failure, and there was none.`)
  if (obstacle.status === 'skipped' && obstacle.error !== undefined) return obstacle.error
  const message = `${label(ref)} was not begun because ${label(obstacle.ref)} did not succeed.`
  return new GitOpsError('APPLY_FAILED', message, { cause: obstacle.error })
}
