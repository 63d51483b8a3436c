import type { ActualState } from '../actual/actual.ts'
import type { Outcome } from '../apply/outcome.ts'
import type { Blocker } from '../feedback/events.ts'
import type { Plan } from '../plan/plan.ts'
import type { RunCall } from '../runtime/call.ts'
import { randomId } from '../runtime/random.ts'
import { GitOpsError, toGitOpsError } from '../runtime/errors.ts'
import type { Revision } from '../source/source.ts'
import { applyPlan, withoutHooks } from './apply-plan.ts'
import { decide, obstacles, restrict, sawEverything } from './decide.ts'
import { expireSuspension } from './decisions.ts'
import { dependencyBlocker, gatherInputs } from './dependencies.ts'
import { remember } from './membership.ts'
import { restrictAndTell, settleHealed } from './drift.ts'
import { type Engine, commitLast, recordOf, tell } from './engine.ts'
import { assessOnce, untilHealthy } from './health-wait.ts'
import { adoptRecorded, basisOf, declare, isSettled, isSettledOn, makePlan, observe, resolveRevision } from './look.ts'
import { type Basis, type CurrentRun, type Member, sameBasis } from './member.ts'
import { tellProgress } from './progress.ts'
import type { QueuedWork } from './queue.ts'
import { published } from './outputs.ts'
import { countActions, isRecorded, recordApplied, runRecord } from './record.ts'
import { recover } from './recovery.ts'
import type { RunOptions, RunResult } from './run-result.ts'
import { type Session, type Wanted, fenceOf, tellFinished, tellStarted, timed } from './session.ts'
import { followTarget } from './watches.ts'

type Ending = Omit<RunResult, 'application' | 'runId'>

/** One run. Does not reject: a failure is a result. */
export async function runOnce(
  engine: Engine,
  member: Member,
  work: QueuedWork,
  options: RunOptions,
): Promise<RunResult> {
  const session = begin(engine, member, work, options)
  const outcomes: Outcome[] = []
  try {
    const ending = await sentence(session, outcomes)
    return await end(session, ending)
  } catch (thrown) {
    return await fail(session, toGitOpsError(thrown, `Reconciling ${member.name}`), outcomes)
  } finally {
    member.run = undefined
  }
}

function begin(engine: Engine, member: Member, work: QueuedWork, options: RunOptions): Session {
  const run: CurrentRun = { id: randomId(engine.call.random), controller: new AbortController() }
  member.run = run
  const inputs = gatherInputs(engine, member)
  const { signal } = run.controller
  return {
    engine,
    member,
    run,
    options,
    inputs,
    triggers: options.trigger === undefined ? work.triggers : [options.trigger],
    priority: work.priority,
    startedAt: engine.call.clock.now(),
    call: { ...callOf(engine, member, run), signal, inputs, ...fenceOf(engine, member) },
    activity: 'resolve',
    told: false,
    timings: [],
  }
}

/** What is logged and told of the run names the application. */
function callOf(engine: Engine, { name, lifetime }: Member, { id }: CurrentRun): Omit<RunCall, 'inputs'> {
  const { call } = engine
  const log = call.log.child?.({ application: name, runId: id }) ?? call.log
  return { ...call, log, application: name, lifetime, progress: tellProgress(engine, [name]) }
}

/** The whole library: pull, look, plan the difference, apply it, wait until it works. */
async function sentence(session: Session, outcomes: Outcome[]): Promise<Ending> {
  const { member, run } = session
  await remember(session.engine, member)
  await recover(session)
  await expireSuspension(session.engine, member)
  const revision = await timed(session, 'resolve', () => resolveRevision(session))
  run.revision = revision
  const blocker = dependencyBlocker(session.engine, member)
  if (blocker !== undefined) return park(session, blocker, revision)
  const basis = await timed(session, 'resolve', () => basisOf(session, revision))
  run.basis = basis
  if (isSettled(session, basis)) return stillReady(session, revision)
  refuseStuck(session, basis)
  return work(session, revision, basis, outcomes)
}

/** What failed for good is not tried again until there is something new. */
function refuseStuck({ member, triggers }: Session, basis: Basis): void {
  if (member.stuck === undefined || triggers.includes('manual') || member.hinted) return
  if (sameBasis(member.stuck.basis, basis)) throw member.stuck.error
  member.stuck = undefined
}

async function work(session: Session, revision: Revision, basis: Basis, outcomes: Outcome[]): Promise<Ending> {
  tellStarted(session)
  const wanted = await timed(session, 'declare', () => declare(session, revision, basis))
  adoptRecorded(session, wanted)
  if (isSettledOn(session, wanted)) return declaredAgain(session, wanted)
  const actual = await timed(session, 'observe', () => observe(session, wanted.desired))
  if (session.options.acceptDrift === true) return acceptDrift(session, wanted, actual, outcomes)
  if (await isUnchanged(session, wanted, actual)) return unchanged(session, wanted, actual)
  const plan = await timed(session, 'plan', async () =>
    restrictAndTell(session, await makePlan(session, wanted, actual)),
  )
  tell(session.engine, { type: 'planned', application: session.member.name, plan })
  const decision = await decide(session, wanted, plan)
  if (decision.verdict === 'nothing') return alreadyThere(session, wanted, actual, plan)
  if (decision.verdict !== 'apply') return { outcome: 'blocked', revision, plan, reasons: decision.reasons }
  await timed(session, 'apply', () => applyPlan(session, wanted, plan, outcomes))
  tellApplied(session, wanted, plan, outcomes)
  await settleHealed(session, outcomes)
  const ending = await timed(session, 'assess', () => becomeReady(session, wanted, plan))
  await timed(session, 'record', () => recordRun(session, wanted, plan, outcomes, decision.approval?.by))
  return { ...ending, outcome: 'applied' }
}

/** Equal digest and equal version: nothing is planned at all. */
async function isUnchanged(
  { engine, member, options }: Session,
  wanted: Wanted,
  actual: ActualState,
): Promise<boolean> {
  // Somebody asks for what the policy leaves alone.
  if (options.heal === true || options.confirm !== undefined) return false
  const { settled } = member
  if (settled === undefined || !sawEverything(actual) || member.pending !== undefined) return false
  if (settled.digest !== wanted.desired.digest || settled.version !== actual.version) return false
  const { journal } = await recordOf(engine, member)
  return journal === undefined
}

async function unchanged(session: Session, wanted: Wanted, actual: ActualState): Promise<Ending> {
  settle(session, wanted, actual)
  await noteRevision(session, wanted)
  const { status } = await timed(session, 'assess', () => assessOnce(session, withoutHooks(wanted.desired), actual))
  // An address may be given, or a password changed, long after everything works.
  if (status === 'healthy') await publishOutputs(session, wanted)
  return stillReady(session, wanted.revision)
}

/** Other files, the same declaration: in force as soon as it is seen, and not looked at. */
async function declaredAgain(session: Session, wanted: Wanted): Promise<Ending> {
  const { member, run } = session
  if (member.settled !== undefined) member.settled = { ...member.settled, ...wanted.basis }
  run.basis = wanted.basis
  await noteRevision(session, wanted)
  return stillReady(session, wanted.revision)
}

/** Takes what drifted into the state of the target as it is. What is declared is compared with it by the next run. */
async function acceptDrift(
  session: Session,
  wanted: Wanted,
  actual: ActualState,
  outcomes: Outcome[],
): Promise<Ending> {
  const { engine, member } = session
  if (!member.target.supports.acceptDrift)
    throw new GitOpsError('UNSUPPORTED', `${member.target.id} cannot accept drift. Declare what is there instead.`)
  const plan = await timed(session, 'plan', () => makePlan(session, wanted, actual, 'accept-drift'))
  tell(engine, { type: 'planned', application: member.name, plan })
  const decision = await decide(session, wanted, plan)
  if (decision.verdict === 'nothing') return { outcome: 'unchanged', revision: wanted.revision, plan }
  if (decision.verdict !== 'apply')
    return { outcome: 'blocked', revision: wanted.revision, plan, reasons: decision.reasons }
  await timed(session, 'apply', () => applyPlan(session, wanted, plan, outcomes))
  for (const { ref, fields } of plan.drift)
    tell(engine, { type: 'driftAdopted', application: member.name, ref, fields })
  member.settled = undefined
  await timed(session, 'record', () => recordRun(session, wanted, plan, outcomes, decision.approval?.by))
  return { outcome: 'applied', revision: wanted.revision, plan }
}

/** What was ready stays ready at a commit that changed nothing here; whoever waits for that revision is told. */
function stillReady({ engine, member }: Session, revision: Revision): Ending {
  const { settled, name } = member
  const state = engine.feedback.state(name)
  const moved = state?.ready !== undefined && state.ready.id !== revision.id
  if (moved && state.alignment === 'aligned' && state.health === 'healthy' && settled !== undefined) {
    tell(engine, { type: 'ready', application: name, revision, digest: settled.digest })
  }
  return { outcome: 'unchanged', revision }
}

/** A commit that changed nothing here is in force as soon as it is seen. */
async function noteRevision(session: Session, wanted: Wanted): Promise<void> {
  const { engine, member } = session
  if (isRecorded(await recordOf(engine, member), wanted)) return
  await recordApplied(session, wanted)
  member.applied = wanted.desired
}

/** Nothing to apply: still it is only ready when it works and everything could be read. */
async function alreadyThere(session: Session, wanted: Wanted, actual: ActualState, plan: Plan): Promise<Ending> {
  if (!sawEverything(actual)) throw partial(session, actual)
  if (obstacles(plan).length > 0 && session.member.target.supports.granularity === 'whole')
    return atStandstill(session, wanted, actual, plan)
  if (plan.complete && obstacles(plan).length === 0) await noteRevision(session, wanted)
  const ending = await timed(session, 'assess', () => becomeReady(session, wanted, plan))
  return { ...ending, outcome: 'unchanged' }
}

/** All of a whole plan is blocked: waiting would not make it healthy, a person has to do something. */
async function atStandstill(session: Session, wanted: Wanted, actual: ActualState, plan: Plan): Promise<Ending> {
  const { engine, member } = session
  const reasons = obstacles(plan)
  await assessOnce(session, wanted.desired, actual)
  tell(engine, { type: 'blocked', application: member.name, fingerprint: plan.fingerprint, reasons })
  return { outcome: 'blocked', revision: wanted.revision, plan, reasons }
}

function partial({ member }: Session, { unknown }: ActualState): GitOpsError {
  const first = [...unknown.values()][0]
  const message = `Part of the actual state of ${member.name} could not be read, so it is not known whether it is as declared${first === undefined ? '' : `: ${first.message}`}`
  return new GitOpsError('OBSERVE_PARTIAL', message, first === undefined ? {} : { cause: first })
}

/** Waits until everything works, reads it back, and says so only when it is as declared. */
async function becomeReady(session: Session, wanted: Wanted, plan: Plan): Promise<Ending> {
  const { member, engine } = session
  const { revision } = wanted
  const desired = withoutHooks(wanted.desired)
  const reasons = obstacles(plan)
  if (session.options.only !== undefined) return { outcome: 'applied', revision, plan }
  const actual = await untilHealthy(session, desired)
  const settled = await readBack(session, wanted, actual)
  if (reasons.length > 0) {
    const { fingerprint } = plan
    tell(engine, { type: 'blocked', application: member.name, fingerprint, reasons })
    return { outcome: 'blocked', revision, plan, reasons }
  }
  if (!settled) return { outcome: 'applied', revision, plan }
  await publishOutputs(session, wanted)
  followTarget(engine, member, wanted.desired)
  if (engine.feedback.state(member.name)?.ready?.id !== revision.id || plan.changes.length > 0) {
    tell(engine, { type: 'ready', application: member.name, revision, digest: desired.digest })
  }
  return { outcome: 'applied', revision, plan }
}

/** An independent look at the applied version. What differs again is handled by the next run. */
async function readBack(session: Session, wanted: Wanted, actual: ActualState): Promise<boolean> {
  const { member, engine } = session
  const whole = await observeAll(session, wanted, actual)
  if (member.target.supports.granularity === 'resource') {
    const full = await makePlan(session, wanted, whole)
    const plan = await restrict(session, full, new Set())
    if (plan.changes.length > 0 || !plan.complete) {
      engine.queue.add(member.name, { trigger: 'read-back', delayMs: member.policy.retry.baseMs })
      return false
    }
  }
  settle(session, wanted, whole)
  return true
}

/** Hooks and what is owned belong to the version that is settled on; health looks at less. */
async function observeAll(session: Session, wanted: Wanted, actual: ActualState): Promise<ActualState> {
  const hasHooks = wanted.desired.resources.some(({ order }) => order?.hook !== undefined)
  return hasHooks ? observe(session, wanted.desired) : actual
}

function settle({ member, run }: Session, { desired, basis }: Wanted, { version }: ActualState): void {
  member.settled = { ...basis, digest: desired.digest, version }
  member.applied = desired
  member.stuck = undefined
  member.failures = 0
  run.basis = basis
}

async function publishOutputs(session: Session, { desired }: Wanted): Promise<void> {
  const { member, call } = session
  member.outputs = published((await member.target.outputs?.(desired, call)) ?? {})
}

async function recordRun(
  session: Session,
  { revision }: Wanted,
  plan: Plan,
  outcomes: readonly Outcome[],
  approvedBy: string | undefined,
): Promise<void> {
  const { engine, member } = session
  const approval = approvedBy === undefined ? {} : { approvedBy }
  const { fingerprint } = plan
  const did = plan.mode === 'accept-drift' ? 'drift-accepted' : 'applied'
  await commitLast(engine, member, {
    run: runRecord(session, did, { revision, fingerprint, outcomes, ...approval }),
    audit: [
      {
        at: engine.call.clock.now(),
        actor: approvedBy ?? 'gitops-sdk',
        action: did,
        application: member.name,
        details: { revision: revision.id, fingerprint, counts: countActions(outcomes) },
      },
    ],
  })
}

function tellApplied(
  { engine, member, run }: Session,
  { revision, desired }: Wanted,
  { fingerprint }: Plan,
  outcomes: readonly Outcome[],
): void {
  tell(engine, {
    type: 'applied',
    application: member.name,
    runId: run.id,
    revision,
    digest: desired.digest,
    fingerprint,
    counts: countActions(outcomes),
  })
}

function park({ engine, member }: Session, blocker: Blocker, revision: Revision): Ending {
  tell(engine, { type: 'parked', application: member.name, blocker })
  return { outcome: 'parked', revision, blocker }
}

async function end(session: Session, ending: Ending): Promise<RunResult> {
  tellFinished(session, ending.outcome)
  return { application: session.member.name, runId: session.run.id, ...ending }
}

/** Superseded, cancelled, or failed: what was done is in the history, and the next try is due. */
async function fail(session: Session, error: GitOpsError, outcomes: readonly Outcome[]): Promise<RunResult> {
  const { member, run } = session
  const outcome = endedBy(error)
  const { revision, basis } = run
  member.settled = undefined
  if (outcome === 'failed') {
    tellFailure(session, error)
    member.failures++
    if (isLasting(error) && basis !== undefined) member.stuck = { basis, error }
  }
  await recordFailure(session, outcome, error, outcomes)
  tellFinished(session, outcome)
  return { application: member.name, runId: run.id, outcome, error, ...(revision && { revision }) }
}

/** Somebody else wrote the ledger: the record is read again, so that trying again can help. */
function isLasting({ retryable, code }: GitOpsError): boolean {
  return !retryable && code !== 'LEDGER_FENCED'
}

function tellFailure(session: Session, error: GitOpsError): void {
  tellStarted(session)
  const { engine, member, run, activity } = session
  const known = run.revision && { revision: run.revision }
  tell(engine, {
    type: 'failed',
    application: member.name,
    error: error.toJSON(),
    during: activity,
    runId: run.id,
    ...known,
  })
}

function endedBy({ details }: GitOpsError): 'failed' | 'superseded' | 'cancelled' {
  const ended = details['ended']
  return ended === 'superseded' || ended === 'cancelled' ? ended : 'failed'
}

/** The first failure at a revision goes into the history, and every one that changed something. */
async function recordFailure(
  session: Session,
  outcome: 'failed' | 'superseded' | 'cancelled',
  error: GitOpsError,
  outcomes: readonly Outcome[],
): Promise<void> {
  const { engine, member, run, call } = session
  const isNews = member.failures <= 1 && outcome === 'failed'
  if (error.code === 'LEDGER_FENCED' || error.code === 'LEDGER_UNAVAILABLE' || (outcomes.length === 0 && !isNews))
    return
  const revision = run.revision && { revision: run.revision }
  try {
    const record = runRecord(session, outcome, { ...revision, error: error.toJSON(), outcomes })
    await commitLast(engine, member, { run: record })
  } catch (failure) {
    member.record = undefined
    call.log.error(`${member.name}: a failed run could not be written to the history.`, failure)
  }
}
