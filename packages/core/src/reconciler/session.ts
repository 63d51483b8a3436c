import type { DesiredState } from '../desired/desired.ts'
import type { EventBody, FinishedOutcome, Timing } from '../feedback/events.ts'
import type { Step } from '../plan/plan.ts'
import { type Inputs, type RunCall, withDeadline } from '../runtime/call.ts'
import { type ErrorCode, GitOpsError, toGitOpsError } from '../runtime/errors.ts'
import type { Revision } from '../source/source.ts'
import { type Engine, tell } from './engine.ts'
import type { Basis, CurrentRun, Member } from './member.ts'
import type { RunOptions } from './run-result.ts'

/** One run while it is under way. */
export interface Session {
  readonly engine: Engine
  readonly member: Member
  readonly run: CurrentRun
  readonly options: RunOptions
  readonly triggers: readonly string[]
  readonly priority: number
  readonly startedAt: number
  readonly inputs: Inputs
  /** What the verbs receive. Aborts when the run is superseded or the reconciler stops. */
  readonly call: RunCall
  /** What it is doing, for the event of a failure. */
  activity: NonNullable<Extract<EventBody, { type: 'failed' }>['during']>
  /** Whether its start was told. A run that finds nothing new is not told at all. */
  told: boolean
  /** Set where it goes on with what was in force before a restart, because the source gives nothing newer: why, and what that declared. */
  recorded?: { readonly digest: string; readonly error: GitOpsError }
  /** What its time went into so far. */
  readonly timings: Timing[]
}

/** What a run works on. */
export interface Wanted {
  readonly revision: Revision
  readonly basis: Basis
  readonly desired: DesiredState
}

/** The right to write, where other processes share the applications. */
export function fenceOf({ share }: Engine, { name }: Member): Pick<RunCall, 'fence'> {
  const fence = share?.fenceOf(name)
  return fence === undefined ? {} : { fence }
}

/** Tells that the run began, once. */
export function tellStarted(session: Session): void {
  if (session.told) return
  session.told = true
  const { engine, member, run, triggers } = session
  tell(engine, { type: 'started', application: member.name, runId: run.id, trigger: triggers.join(', ') })
}

/** Tells how the run ended, where its start was told. */
export function tellFinished(session: Session, outcome: FinishedOutcome): void {
  if (!session.told) return
  const { engine, member, run, startedAt, timings } = session
  const durationMs = engine.call.clock.now() - startedAt
  tell(engine, { type: 'finished', application: member.name, runId: run.id, outcome, durationMs, timings })
}

/** Does one part of the run and notes how long it took, also when it fails. */
export async function timed<T>(
  { engine, timings }: Session,
  activity: Session['activity'],
  work: () => Promise<T>,
  step?: Step,
): Promise<T> {
  const { clock } = engine.call
  const startedAt = clock.now()
  const begunMs = clock.monotonic()
  const note = (code?: ErrorCode): void => {
    const durationMs = clock.monotonic() - begunMs
    timings.push({ activity, startedAt, durationMs, ...(step && { step }), ...(code && { code }) })
  }
  try {
    const result = await work()
    note()
    return result
  } catch (thrown) {
    note(toGitOpsError(thrown, activity).code)
    throw thrown
  }
}

/** Work on declarations: fetching, rendering, parsing. None of it may take for ever. */
export async function think<T>(
  session: Session,
  activity: Session['activity'],
  work: (call: RunCall) => Promise<T>,
): Promise<T> {
  session.activity = activity
  const { engine, member, call } = session
  const timed = (): Promise<T> =>
    withDeadline(call, engine.sourceTimeoutMs, `${activity} of ${member.name} from ${member.source.id}`, work)
  return whole(session, () => engine.pools.think(timed, slotOf(session)))
}

/** A question to the target, within the target's budget and, where the target is cheap to ask, a deadline. */
export async function ask<T>(
  session: Session,
  activity: Session['activity'],
  work: (call: RunCall) => Promise<T>,
): Promise<T> {
  session.activity = activity
  const { engine, member, call } = session
  const { id, supports } = member.target
  const timed = (): Promise<T> =>
    supports.observe === 'cheap'
      ? withDeadline(call, engine.observeTimeoutMs, `${activity} of ${member.name} at ${id}`, work)
      : work(call)
  return whole(session, () => engine.pools.ask(id, timed, slotOf(session)))
}

function slotOf({ call, priority, member }: Session) {
  return { signal: call.signal, priority, tenant: member.application.tenant }
}

/** Every failure leaves as ours; the reason of an abort wins over what the abort broke. */
async function whole<T>({ call, activity, member }: Session, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    if (call.signal.reason instanceof GitOpsError) throw call.signal.reason
    throw toGitOpsError(thrown, `${activity} of ${member.name}`)
  }
}
