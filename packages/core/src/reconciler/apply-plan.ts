import type { Outcome } from '../apply/outcome.ts'
import type { DesiredState, Resource } from '../desired/desired.ts'
import { label, refKey } from '../desired/ref.ts'
import type { Change, Plan } from '../plan/plan.ts'
import { declaredSteps, isEarlier, stepText, stepsOf } from '../plan/steps.ts'
import { abortError, withDeadline } from '../runtime/call.ts'
import { GitOpsError, toGitOpsError } from '../runtime/errors.ts'
import { commit, tell } from './engine.ts'
import { untilHealthy } from './health-wait.ts'
import { recordApplied, recordIntent, recordStep } from './record.ts'
import { type Session, type Wanted, ask, timed } from './session.ts'

/**
 * Makes the changes of `plan`, one step after the other, each when the one before is healthy. `settled`
 * receives every outcome, also when this rejects.
 */
export async function applyPlan(session: Session, wanted: Wanted, plan: Plan, settled: Outcome[]): Promise<void> {
  const { engine, member, run } = session
  session.activity = 'record'
  await timed(session, 'record', () => recordIntent(session, wanted, plan))
  tell(engine, {
    type: 'applyStarted',
    application: member.name,
    runId: run.id,
    revision: wanted.revision,
    fingerprint: plan.fingerprint,
    changes: plan.changes.length,
  })
  const steps = member.target.supports.granularity === 'whole' ? [plan.changes] : stepsOf(plan)
  const ordinary = steps.filter((step) => step[0]?.step.phase !== 'SyncFail')
  const onFailure = steps.filter((step) => step[0]?.step.phase === 'SyncFail')
  try {
    const earlierHealthy = gate(session, wanted, plan)
    for (const [index, step] of ordinary.entries()) {
      await timed(session, 'assess', () => earlierHealthy(step), step[0]?.step)
      await applyStep(session, wanted, plan, step, index, settled)
      if (step.some(isHook)) await timed(session, 'assess', () => stepHealthy(session, wanted, step), step[0]?.step)
      await cleanUpHooks(session, wanted, plan, step, 'HookSucceeded', settled)
    }
  } catch (error) {
    await afterFailure(session, wanted, plan, onFailure, settled)
    throw error
  }
  session.activity = 'record'
  // What was accepted is in force, but the declarations may still want something else.
  if (plan.mode === 'accept-drift') await commit(engine, member, { journal: null, approvals: [] })
  else await timed(session, 'record', () => recordApplied(session, wanted))
}

function isHook({ hook }: Change): boolean {
  return hook !== undefined
}

/**
 * Holds a step up until everything declared for an earlier one works, whether this plan changed it or not: a run that
 * is tried again does not walk past what the last one waited for. Healing drift waits for nobody.
 */
function gate(
  session: Session,
  { desired }: Wanted,
  { changes, mode }: Plan,
): (step: readonly Change[]) => Promise<void> {
  const healsOnly = changes.every(({ cause }) => cause === 'drift') || session.options.only !== undefined
  const steps = mode !== 'converge' || healsOnly ? undefined : declaredSteps(desired.resources)
  const passed = new Set<string>()
  return async ([first]) => {
    if (steps === undefined || first === undefined) return
    const isBefore = ({ ref, order }: Resource): boolean =>
      order?.hook === undefined && !passed.has(refKey(ref)) && isEarlier(steps(ref), first.step)
    const resources = desired.resources.filter(isBefore)
    if (resources.length === 0) return
    await untilHealthy(session, { ...desired, resources })
    for (const { ref } of resources) passed.add(refKey(ref))
  }
}

/** Makes the changes of one step and writes down what became of them, also of a step that failed half-way. */
function applyStep(
  session: Session,
  wanted: Wanted,
  plan: Plan,
  changes: readonly Change[],
  index: number,
  settled: Outcome[],
): Promise<void> {
  const step = changes[0]?.step
  return timed(session, 'apply', () => makeStep(session, wanted, plan, changes, index, settled), step)
}

async function makeStep(
  session: Session,
  wanted: Wanted,
  plan: Plan,
  changes: readonly Change[],
  index: number,
  settled: Outcome[],
): Promise<void> {
  const { engine, member, run } = session
  const step = changes[0]?.step
  if (step !== undefined) {
    tell(engine, { type: 'stepStarted', application: member.name, runId: run.id, step, changes: changes.length })
  }
  const outcomes: Outcome[] = []
  const failure = await applyChanges(session, { ...plan, changes }, wanted.desired, outcomes)
  settled.push(...outcomes)
  session.activity = 'record'
  await recordStep(session, wanted, plan, outcomes, index + 1)
  session.activity = 'apply'
  if (failure !== undefined) throw failure
  if (session.call.signal.aborted) throw abortError(session.call.signal)
  refuseFailed(session, step === undefined ? 'the plan' : stepText(step), outcomes)
}

async function applyChanges(
  session: Session,
  slice: Plan,
  desired: DesiredState,
  outcomes: Outcome[],
): Promise<GitOpsError | undefined> {
  const { member } = session
  const drain = async (call: Session['call']): Promise<void> => {
    for await (const outcome of member.target.apply(slice, desired, call)) {
      outcomes.push(outcome)
      tellChanged(session, outcome)
    }
  }
  // A target that applies a plan as a whole keeps its own deadlines; a step of single changes has ours.
  const whole = member.target.supports.granularity === 'whole'
  const timeoutMs = member.policy.healthTimeoutMs
  try {
    await ask(session, 'apply', (call) =>
      whole ? drain(call) : withDeadline(call, timeoutMs, `Applying ${member.name}`, drain),
    )
    return undefined
  } catch (thrown) {
    return toGitOpsError(thrown, `Applying ${member.name}`)
  }
}

function tellChanged({ engine, member, run }: Session, { ref, action, status, error, warnings }: Outcome): void {
  tell(engine, {
    type: 'changed',
    application: member.name,
    runId: run.id,
    ref,
    action,
    status,
    ...(error && { error: error.toJSON() }),
    ...(warnings && { warnings }),
  })
}

function refuseFailed({ member }: Session, step: string, outcomes: readonly Outcome[]): void {
  const bad = outcomes.filter(({ status }) => status !== 'succeeded')
  const first = bad.find(({ status }) => status !== 'skipped') ?? bad[0]
  if (first === undefined) return
  const cause = first.error
  const message = `${step} of ${member.name}: ${bad.length} of ${outcomes.length} changes did not succeed. First: ${label(first.ref)}: ${cause?.message ?? first.status}`
  const code = first.status === 'unknown' ? 'APPLY_FAILED' : (cause?.code ?? 'APPLY_FAILED')
  throw new GitOpsError(code, message, {
    ...(cause && { cause }),
    retryable: cause?.retryable ?? true,
    ...(cause?.retryAfterMs !== undefined && { retryAfterMs: cause.retryAfterMs }),
  })
}

/** A step is done when what it made works. What it removed need not. */
async function stepHealthy(session: Session, { desired }: Wanted, changes: readonly Change[]): Promise<void> {
  const keys = new Set(changes.filter(({ action }) => action !== 'delete').map(({ ref }) => refKey(ref)))
  const resources = desired.resources.filter((each) => keys.has(refKey(each.ref)))
  if (resources.length === 0) return
  try {
    await untilHealthy(session, { ...desired, resources })
  } catch (thrown) {
    const hook = resources.find(({ order }) => order?.hook !== undefined)
    if (hook === undefined || !(thrown instanceof GitOpsError) || thrown.code !== 'HEALTH_DEGRADED') throw thrown
    throw new GitOpsError('HOOK_FAILED', `The hook ${label(hook.ref)} failed: ${thrown.message}`, { cause: thrown })
  }
}

/** Runs the SyncFail hooks and removes the hooks that go after a failure. The failure itself stays the one to report. */
async function afterFailure(
  session: Session,
  wanted: Wanted,
  plan: Plan,
  steps: readonly (readonly Change[])[],
  settled: Outcome[],
): Promise<void> {
  if (session.call.signal.aborted) return
  try {
    for (const step of steps) {
      await applyStep(session, wanted, plan, step, 0, settled)
      await stepHealthy(session, wanted, step)
    }
    await cleanUpHooks(session, wanted, plan, plan.changes, 'HookFailed', settled)
  } catch (error) {
    session.call.log.warn(`${session.member.name}: cleaning up after a failure did not succeed.`, error)
  }
}

/** Deletes the hooks of a step whose policy says so. */
async function cleanUpHooks(
  session: Session,
  wanted: Wanted,
  plan: Plan,
  changes: readonly Change[],
  when: 'HookSucceeded' | 'HookFailed',
  settled: readonly Outcome[],
): Promise<void> {
  const made = new Map(settled.filter(({ status }) => status === 'succeeded').map((each) => [refKey(each.ref), each]))
  const over = changes.filter(({ ref, hook }) => hook?.deletePolicy?.includes(when) === true && made.has(refKey(ref)))
  if (over.length === 0) return
  const deletions = over.map(({ ref, step, hook }): Change => {
    const uid = made.get(refKey(ref))?.uid
    return {
      ref,
      action: 'delete',
      cause: 'hook',
      fields: [],
      step,
      ...(hook && { hook }),
      ...(uid !== undefined && { uid }),
    }
  })
  await applyStep(session, wanted, plan, deletions, 0, [])
}

/** The desired state without hooks: they are run, not kept. */
export function withoutHooks(desired: DesiredState): DesiredState {
  const isKept = ({ order }: Resource): boolean => order?.hook === undefined
  return desired.resources.every(isKept) ? desired : { ...desired, resources: desired.resources.filter(isKept) }
}
