import type { ActualState } from '../actual/actual.ts'
import type { DesiredState } from '../desired/desired.ts'
import type { Plan, PlanMode } from '../plan/plan.ts'
import { type GitOpsError, toGitOpsError } from '../runtime/errors.ts'
import type { Revision } from '../source/source.ts'
import { recordOf, tell } from './engine.ts'
import { type Basis, sameBasis } from './member.ts'
import { inputsDigest } from './outputs.ts'
import { tellUnreachable } from './polling.ts'
import { type LastInForce, lastInForce, owesHooks } from './record.ts'
import { driftDelayMs } from './policy/timing.ts'
import { type Session, type Wanted, ask, think } from './session.ts'

/**
 * The revision to work on: the one the application is pinned to, the newest of the source, or, where that refuses or
 * cannot be asked after a restart, the one that was in force before. A person who asks is told why there is no newer.
 */
export async function resolveRevision(session: Session): Promise<Revision> {
  const { member, engine } = session
  const { hold, state } = await recordOf(engine, member)
  const { unanswered } = member
  member.unanswered = undefined
  const asksAgain = takeWish(session)
  if (hold !== undefined) return hold.revision
  if (member.revision !== undefined && !asksAgain) return member.revision
  const last = asksAgain ? undefined : lastInForce(state)
  if (unanswered !== undefined && last !== undefined) return inForceBefore(session, last, unanswered)
  try {
    const revision = await think(session, 'resolve', (call) => member.source.resolve(call))
    noteRevision(session, revision)
    return revision
  } catch (error) {
    if (last === undefined || session.call.signal.aborted) throw error
    return inForceBefore(session, last, toGitOpsError(error, `Asking ${member.source.id} for its newest revision`))
  }
}

/** Whether somebody who asked for this very run wants the source to be asked again. */
function takeWish({ member, options }: Session): boolean {
  if (options.trigger === undefined || member.asksAgain !== true) return false
  member.asksAgain = undefined
  return true
}

function inForceBefore(session: Session, { revision, digest }: LastInForce, error: GitOpsError): Revision {
  session.recorded = { digest, error }
  return revision
}

/**
 * Goes on with what was recorded only where it still declares the very same: then nothing but drift can come of it.
 * Anything else (another folder, another renderer, another input) waits until the source answers.
 */
export function adoptRecorded({ engine, member, recorded }: Session, { revision, desired }: Wanted): void {
  if (recorded === undefined) return
  if (desired.digest !== recorded.digest) throw recorded.error
  tellUnreachable(engine, member, recorded.error)
  member.revision ??= revision
  member.headUnseen = true
}

function noteRevision({ member, engine }: Session, revision: Revision): void {
  const previous = member.revision
  member.revision = revision
  member.headUnseen = false
  if (previous?.id === revision.id) return
  tell(engine, { type: 'resolved', application: member.name, revision, ...(previous && { previous }) })
}

/** What a declaration of `revision` would be made from. Reads one digest. */
export async function basisOf(session: Session, revision: Revision): Promise<Basis> {
  const { member, call, recorded } = session
  try {
    const snapshotDigest = await think(session, 'resolve', async (timed) => {
      const snapshot = await member.source.snapshot(revision, timed)
      return snapshot.digest('', timed)
    })
    return { snapshotDigest, inputsDigest: inputsDigest(session.inputs) }
  } catch (error) {
    if (recorded === undefined || call.signal.aborted) throw error
    call.log.warn(`${member.name}: revision ${revision.id}, which is in force, can no longer be read.`, error)
    throw recorded.error
  }
}

/** Whether there is any reason to look at the target: new declarations, a hint, or the time has come. */
export function isSettled(session: Session, basis: Basis): boolean {
  return sameBasis(session.member.settled, basis) && isQuiet(session)
}

/** Whether other files declare the same of a target that is expensive to look at: then there is no reason either. */
export function isSettledOn(session: Session, { desired }: Wanted): boolean {
  const { settled, target, pending } = session.member
  if (target.supports.observe !== 'expensive' || pending !== undefined) return false
  return settled?.digest === desired.digest && isQuiet(session)
}

/** Whether nothing but a new declaration could be a reason. */
function isQuiet({ member, engine, options, triggers }: Session): boolean {
  const watched = member.stopWatch !== undefined
  const due = engine.call.clock.monotonic() >= member.driftDueMs
  const { refresh, only, heal, acceptDrift, confirm } = options
  const selected = only !== undefined || confirm !== undefined
  const asked = selected || refresh === true || heal === true || acceptDrift === true
  // What had to wait may be done now.
  const opened = triggers.includes('window')
  return watched && !member.hinted && !due && !asked && !opened
}

/** The declarations of `revision`, from memory where they were made from the same. */
export async function declare(session: Session, revision: Revision, basis: Basis): Promise<Wanted> {
  const { member, engine } = session
  const known = member.declared
  if (known !== undefined && sameBasis(known, basis)) {
    return { revision, basis, desired: { ...known.desired, revision } }
  }
  const desired = await think(session, 'declare', (call) => declareRevision(session, revision, call))
  member.declared = { ...basis, desired }
  tell(engine, {
    type: 'declared',
    application: member.name,
    revision,
    digest: desired.digest,
    resources: desired.resources.length,
    warnings: desired.warnings ?? [],
  })
  return { revision, basis, desired }
}

async function declareRevision({ member }: Session, revision: Revision, call: Session['call']): Promise<DesiredState> {
  const snapshot = await member.source.snapshot(revision, call)
  return member.target.declare(snapshot, call)
}

/** What is there. From here on, hints are about later changes. */
export async function observe(session: Session, desired: DesiredState): Promise<ActualState> {
  const { member, engine } = session
  const { inventory } = await recordOf(engine, member)
  member.hinted = false
  const actual = await ask(session, 'observe', (call) => member.target.observe(desired, inventory, call))
  const delayMs = driftDelayMs(member.policy, member.target.supports, engine.call.random)
  member.driftDueMs = engine.call.clock.monotonic() + (delayMs ?? Number.POSITIVE_INFINITY)
  return actual
}

/** The difference. With `previous`, fields that a person changed are told from fields a commit changed. */
export async function makePlan(
  session: Session,
  { desired }: Wanted,
  actual: ActualState,
  mode: PlanMode = 'converge',
): Promise<Plan> {
  const { member, engine, options } = session
  const record = await recordOf(engine, member)
  const { inventory } = record
  const hooks = options.hooks ?? (options.only === undefined && owesHooks(record, desired) ? true : undefined)
  const previous = await previousState(session)
  const seal = await engine.seal()
  return ask(session, 'plan', (call) =>
    member.target.plan(
      desired,
      actual,
      {
        application: member.name,
        mode,
        owned: inventory,
        prune: member.policy.prune,
        ignore: member.policy.ignore,
        seal,
        ...(previous && { previous }),
        ...(options.only && { only: options.only }),
        ...(options.confirm && { confirmed: options.confirm }),
        ...(hooks !== undefined && { hooks }),
      },
      call,
    ),
  )
}

/**
 * What was applied last: from memory, or declared again from its recorded revision, because declaring is
 * pure. Where the source no longer has that revision, causes fall back to `revision`.
 */
async function previousState(session: Session): Promise<DesiredState | undefined> {
  const { member, engine } = session
  if (member.applied !== undefined) return member.applied
  const { state } = await recordOf(engine, member)
  const { applied, appliedDigest } = state
  if (applied === undefined) return undefined
  // After a first run, and after a restart, it is mostly what is declared now.
  const now = member.declared?.desired
  if (now !== undefined && now.digest === appliedDigest) return (member.applied = now)
  try {
    member.applied = await think(session, 'plan', (call) => declareRevision(session, applied, call))
  } catch (error) {
    if (session.call.signal.aborted) throw error
    session.call.log.warn(
      `${member.name}: revision ${applied.id} can no longer be read; drift is not told from new declarations.`,
    )
  }
  return member.applied
}
