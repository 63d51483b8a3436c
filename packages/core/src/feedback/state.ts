import { label, refKey } from '../desired/ref.ts'
import type { Hold, Suspension } from '../ledger/ledger.ts'
import type { Drift, Plan } from '../plan/plan.ts'
import type { ErrorRecord } from '../runtime/errors.ts'
import type { Revision } from '../source/source.ts'
import type { Activity, ApplicationEvent, Blocker, EventOf, Reason } from './events.ts'
import type { HealthStatus } from './health.ts'

/**
 * How an application is doing: what its events add up to. Independent questions are independent
 * fields: is it the same (`alignment`), does it work (`health`), what is being done (`phase`).
 */
export interface ApplicationState {
  readonly application: string
  /** Of the last event that is part of the state. */
  readonly sequence: number
  readonly at: number
  readonly alignment: Alignment
  readonly health: HealthStatus
  /** One sentence that names what decides the health. */
  readonly healthMessage?: string
  readonly phase: RunPhase
  /** The run in progress, or the one that waits. */
  readonly runId?: string
  /** The newest revision of the source. */
  readonly revision?: Revision
  /** The revision that was last applied completely. */
  readonly applied?: Revision
  /** The revision that was last ready. */
  readonly ready?: Revision
  /** The last plan, in numbers. */
  readonly plan?: PlanSummary
  /** Why the plan is not applied, where it is not. */
  readonly reasons: readonly Reason[]
  /** The plan that waits for an approval. */
  readonly pending?: PlanSummary
  /** What a wait waits for. */
  readonly blocker?: Blocker
  /** When the wait fails, in epoch milliseconds. */
  readonly deadlineAt?: number
  /** The last failure, until a run ends well. */
  readonly error?: ErrorRecord
  /** What was being done when it failed. */
  readonly failedDuring?: Activity
  /** The source could not be asked for its newest revision; kept, also through runs that end well, until it answers. */
  readonly sourceError?: ErrorRecord
  /** Failed runs in a row. */
  readonly failures: number
  /** When the next run is due, in epoch milliseconds. */
  readonly nextRunAt?: number
  /** When a run last ended, in epoch milliseconds. */
  readonly lastRunAt?: number
  /** Drift that is there now. */
  readonly drift: readonly Drift[]
  /** Fields that somebody keeps setting back, as `label path`. */
  readonly oscillating: readonly string[]
  readonly suspension?: Suspension
  readonly hold?: Hold
  /** Resources of which it is not known whether a change happened. */
  readonly suspects: readonly string[]
  readonly removed: boolean
}

/**
 * Is the target as declared? `behind`: the declaration has changes that are not applied. `drifted`:
 * only the target moved. `unknown`: not looked at yet, or it could not be read.
 */
export type Alignment = 'unknown' | 'aligned' | 'behind' | 'drifted'

/** What is being done: nothing, reading and comparing, applying, or waiting without holding a worker. */
export type RunPhase = 'idle' | 'planning' | 'applying' | 'waiting'

/** A plan in numbers. */
export interface PlanSummary {
  readonly fingerprint: string
  readonly revision: string
  readonly changes: number
  readonly deletions: number
  /** Changes that are not made, each for a reason. */
  readonly blocked: number
  readonly complete: boolean
}

/** The state of an application before its first event. */
export function initialState(application: string): ApplicationState {
  return {
    application,
    sequence: 0,
    at: 0,
    alignment: 'unknown',
    health: 'unknown',
    phase: 'idle',
    reasons: [],
    failures: 0,
    drift: [],
    oscillating: [],
    suspects: [],
    removed: false,
  }
}

/** The state after `event`. Pure: a recorded log replays to the same state. Events of other applications change nothing. */
export function reduce(state: ApplicationState, event: ApplicationEvent): ApplicationState {
  if (event.application !== state.application || event.type === 'progressed') return state
  return { ...after(state, event), sequence: event.sequence, at: event.at }
}

function after(state: ApplicationState, event: Exclude<ApplicationEvent, { type: 'progressed' }>): ApplicationState {
  switch (event.type) {
    case 'added':
      return remembered(initialState(state.application), event)
    case 'removed':
      return { ...without(state, 'nextRunAt', 'blocker', 'deadlineAt', 'runId'), phase: 'idle', removed: true }
    case 'scheduled':
      return { ...state, nextRunAt: event.dueAt }
    case 'started':
      return { ...without(state, 'nextRunAt', 'blocker', 'deadlineAt'), phase: 'planning', runId: event.runId }
    case 'resolved':
      return { ...sourceAnswers(state), revision: event.revision }
    case 'revisionRewritten':
      return event.followed ? { ...state, revision: event.revision } : state
    case 'declared':
    case 'driftIgnored':
    case 'stepStarted':
    case 'changed':
      return state
    case 'planned':
      return planned(state, event)
    case 'blocked':
      return { ...state, reasons: event.reasons }
    case 'approvalRequested':
      return { ...state, reasons: event.reasons, pending: summarize(event.plan) }
    case 'approved':
      return state.pending?.fingerprint === event.fingerprint ? without(state, 'pending') : state
    case 'applyStarted':
      return {
        ...without(state, 'pending', 'blocker', 'deadlineAt'),
        phase: 'applying',
        reasons: [],
        runId: event.runId,
      }
    case 'applied':
      return { ...state, applied: event.revision, alignment: alignmentAfterApply(state) }
    case 'parked':
      return parked(state, event)
    case 'healthChanged':
      return { ...state, health: event.status, healthMessage: event.message }
    case 'ready':
      return { ...without(wentWell(state), 'blocker', 'deadlineAt'), ready: event.revision }
    case 'failed':
      return failed(state, event)
    case 'superseded':
    case 'cancelled':
      return { ...without(state, 'blocker', 'deadlineAt', 'runId', 'pending'), phase: 'idle' }
    case 'finished':
      return finished(state, event)
    case 'drifted':
      return { ...state, drift: [...otherDrift(state, event.drift), event.drift] }
    case 'driftResolved':
      return { ...state, drift: otherDrift(state, event) }
    case 'driftAdopted':
      return { ...state, drift: state.drift.filter((drift) => refKey(drift.ref) !== refKey(event.ref)) }
    case 'oscillated':
      return { ...state, oscillating: [...new Set([...state.oscillating, `${label(event.ref)} ${event.path}`])] }
    case 'suspended':
      return { ...state, suspension: event.suspension }
    case 'resumed':
      return without(state, 'suspension')
    case 'held':
      return { ...state, hold: event.hold }
    case 'released':
      return without(state, 'hold')
    case 'rolledBack':
      return { ...state, revision: event.commit ?? event.to }
    case 'attentionNeeded':
      return { ...state, suspects: event.suspects.map((suspect) => `${label(suspect.ref)}: ${suspect.reason}`) }
    case 'attentionResolved':
      return { ...state, suspects: [] }
  }
}

function remembered(state: ApplicationState, { remembered: known }: EventOf<'added'>): ApplicationState {
  return {
    ...state,
    failures: known.failures ?? 0,
    ...(known.applied && { applied: known.applied }),
    ...(known.suspension && { suspension: known.suspension }),
    ...(known.hold && { hold: known.hold }),
  }
}

function planned(state: ApplicationState, { plan }: EventOf<'planned'>): ApplicationState {
  const kept = state.pending?.fingerprint === plan.fingerprint ? state : without(state, 'pending')
  return { ...kept, plan: summarize(plan), alignment: alignmentOf(plan), reasons: [] }
}

function alignmentOf(plan: Plan): Alignment {
  const waiting = plan.changes.length + plan.blocked.length
  const drifts = plan.drift.some(({ adopted }) => adopted !== true)
  if (waiting === 0 && !drifts) return plan.complete ? 'aligned' : 'unknown'
  const declaredMoved = plan.changes.some(({ cause }) => cause !== 'drift') || (waiting > 0 && !drifts)
  return declaredMoved ? 'behind' : 'drifted'
}

/** What the plan left out is still not as declared. */
function alignmentAfterApply({ plan, alignment }: ApplicationState): Alignment {
  return plan === undefined || (plan.complete && plan.blocked === 0) ? 'aligned' : alignment
}

function parked(state: ApplicationState, event: EventOf<'parked'>): ApplicationState {
  const waiting: ApplicationState = { ...without(state, 'deadlineAt'), phase: 'waiting', blocker: event.blocker }
  return event.deadlineAt === undefined ? waiting : { ...waiting, deadlineAt: event.deadlineAt }
}

/** A read that failed says nothing about what is there: never aligned, never missing. */
const blinding: ReadonlySet<Activity> = new Set(['declare', 'observe', 'plan'])

function failed(state: ApplicationState, event: EventOf<'failed'>): ApplicationState {
  return {
    ...without(state, 'blocker', 'deadlineAt'),
    phase: 'idle',
    ...(event.during === 'resolve' && event.runId === undefined && { sourceError: event.error }),
    error: event.error,
    failedDuring: event.during,
    failures: state.failures + 1,
    alignment: blinding.has(event.during) ? 'unknown' : state.alignment,
  }
}

function finished(state: ApplicationState, event: EventOf<'finished'>): ApplicationState {
  const ended: ApplicationState = { ...state, lastRunAt: event.at }
  if (event.outcome === 'parked') return ended
  const idle: ApplicationState = { ...without(ended, 'runId', 'blocker', 'deadlineAt'), phase: 'idle' }
  const well = event.outcome === 'applied' || event.outcome === 'unchanged'
  return well ? wentWell(idle) : idle
}

/** A run that ends well on the last good revision does not mend the source. */
function wentWell(state: ApplicationState): ApplicationState {
  const well: ApplicationState = { ...without(state, 'error', 'failedDuring'), failures: 0 }
  return state.sourceError === undefined ? well : { ...well, error: state.sourceError, failedDuring: 'resolve' }
}

function sourceAnswers(state: ApplicationState): ApplicationState {
  const answered = without(state, 'sourceError')
  return state.failedDuring === 'resolve' ? without(answered, 'error', 'failedDuring') : answered
}

function otherDrift(state: ApplicationState, gone: Pick<Drift, 'ref' | 'kind'>): Drift[] {
  return state.drift.filter((drift) => refKey(drift.ref) !== refKey(gone.ref) || drift.kind !== gone.kind)
}

/** `plan` in numbers. */
function summarize(plan: Plan): PlanSummary {
  return {
    fingerprint: plan.fingerprint,
    revision: plan.revision.id,
    changes: plan.changes.length,
    deletions: plan.changes.filter(({ action }) => action === 'delete' || action === 'replace').length,
    blocked: plan.blocked.length,
    complete: plan.complete,
  }
}

type Optional = {
  [K in keyof ApplicationState]-?: undefined extends ApplicationState[K] ? K : never
}[keyof ApplicationState]

function without(state: ApplicationState, ...keys: readonly Optional[]): ApplicationState {
  const copy = { ...state }
  for (const key of keys) delete (copy as Partial<ApplicationState>)[key]
  return copy
}
