import type { Actor } from '../actual/actual.ts'
import type { ResourceRef } from '../desired/desired.ts'
import type { Hold, Suspension } from '../ledger/ledger.ts'
import type { Action, Drift, FieldChange, FieldValue, Ignored, Plan, Step } from '../plan/plan.ts'
import type { Progress } from '../runtime/call.ts'
import type { ErrorCode, ErrorRecord } from '../runtime/errors.ts'
import type { Revision } from '../source/source.ts'
import type { HealthStatus, ResourceHealth } from './health.ts'

/** Something that happened to an application. Plain JSON without secrets: store it, send it, replay it. */
export type ApplicationEvent = { [T in EventType]: EventOf<T> }[EventType]

/** The name of an event, a member of `EventBodies`. */
export type EventType = keyof EventBodies

/** The event of one type. */
export type EventOf<T extends EventType> = EventStamp & { readonly type: T } & EventBodies[T]

/** What every event carries. */
export interface EventStamp {
  /** Rises by one with each event of a reconciler. */
  readonly sequence: number
  /** Epoch milliseconds. */
  readonly at: number
  readonly application: string
}

/** An event before it is stamped. */
export type EventBody = {
  [T in EventType]: { readonly type: T; readonly application: string } & EventBodies[T]
}[EventType]

/** Every event and what it says, in the order of a reconcile. */
export interface EventBodies {
  /** The reconciler took the application on. `remembered` is what the ledger knows of it; told again when it could not be read at first. */
  added: { readonly remembered: Remembered }
  /** The reconciler let the application go; `destroyed` tells whether its resources went with it. */
  removed: { readonly destroyed: boolean }
  /** A run is due at `dueAt`. `attempt` is present for a retry and counts from 1. */
  scheduled: { readonly dueAt: number; readonly trigger: string; readonly attempt?: number }
  /** A run began. */
  started: { readonly runId: string; readonly trigger: string }
  /** The source has another revision than before. */
  resolved: { readonly revision: Revision; readonly previous?: Revision }
  /** The new revision does not follow the applied one. */
  revisionRewritten: { readonly revision: Revision; readonly previous: Revision; readonly followed: boolean }
  /** The revision was rendered, parsed and validated. `resources` counts them. */
  declared: {
    readonly revision: Revision
    readonly digest: string
    readonly resources: number
    readonly warnings: readonly string[]
  }
  /** Desired and actual state were compared. */
  planned: { readonly plan: Plan }
  /** The policy does not let the plan through now. */
  blocked: { readonly fingerprint: string; readonly reasons: readonly Reason[]; readonly until?: number }
  /** A person has to look at the plan. `since` tells how it differs from the one that was approved or pending before. */
  approvalRequested: { readonly plan: Plan; readonly reasons: readonly Reason[]; readonly since?: PlanDifference }
  /** Somebody approved a plan. */
  approved: { readonly fingerprint: string; readonly by: string; readonly expiresAt?: number }
  /** The first change is about to be made; inventory and journal are written. */
  applyStarted: {
    readonly runId: string
    readonly revision: Revision
    readonly fingerprint: string
    readonly changes: number
  }
  /** A phase and wave began. */
  stepStarted: { readonly runId: string; readonly step: Step; readonly changes: number }
  /** One change settled. */
  changed: {
    readonly runId: string
    readonly ref: ResourceRef
    readonly action: Action
    readonly status: 'succeeded' | 'failed' | 'skipped' | 'unknown'
    readonly error?: ErrorRecord
    readonly warnings?: readonly string[]
  }
  /** Every change of the plan was made. Health is judged next. */
  applied: {
    readonly runId: string
    readonly revision: Revision
    readonly digest: string
    readonly fingerprint: string
    readonly counts: Readonly<Partial<Record<Action, number>>>
  }
  /** The run waits and holds no worker. After `deadlineAt` it fails, where there is one. */
  parked: { readonly blocker: Blocker; readonly deadlineAt?: number }
  /** The health of the application is another one. `resources` are those that are not healthy. */
  healthChanged: {
    readonly status: HealthStatus
    readonly previous: HealthStatus
    readonly message: string
    readonly resources: readonly ResourceHealth[]
  }
  /** Applied, healthy, and read back at the applied version. */
  ready: { readonly revision: Revision; readonly digest: string }
  /** A run failed. `during` is what it was doing. */
  failed: {
    readonly error: ErrorRecord
    readonly during: Activity
    readonly runId?: string
    readonly revision?: Revision
  }
  /** A newer revision took the place of one that was not finished. */
  superseded: { readonly revision: Revision; readonly by: Revision; readonly runId?: string }
  /** A run was ended by its caller before it was finished. */
  cancelled: { readonly runId: string; readonly reason: string }
  /** A run ended, well or not. `parked` goes on later. */
  finished: {
    readonly runId: string
    readonly outcome: FinishedOutcome
    readonly durationMs: number
    /** What the time went into, in the order in which it ended. */
    readonly timings: readonly Timing[]
  }
  /** Actual state moved away from what was declared. Once per distinct drift. */
  drifted: { readonly drift: Drift; readonly firstSeenAt: number; readonly occurrences: number }
  /** A drift is no longer there. */
  driftResolved: {
    readonly ref: ResourceRef
    readonly kind: Drift['kind']
    readonly how: DriftEnd
    readonly lastedMs: number
  }
  /** A rule left a difference out, seen for the first time. */
  driftIgnored: { readonly ignored: Ignored }
  /** The actual state was accepted instead of healed. */
  driftAdopted: { readonly ref: ResourceRef; readonly fields: readonly FieldChange[] }
  /** Somebody keeps setting a field back to the same value; it is no longer healed. */
  oscillated: {
    readonly ref: ResourceRef
    readonly path: string
    readonly value?: FieldValue
    readonly actor?: Actor
    readonly count: number
    readonly firstSeenAt: number
  }
  /** Nothing is applied until it is resumed. */
  suspended: { readonly suspension: Suspension }
  /** The suspension ended. `by` is `expiry` when its time was up. */
  resumed: { readonly by: string }
  /** The application is pinned to a revision. */
  held: { readonly hold: Hold }
  /** The pin was taken away. */
  released: { readonly by: string; readonly reason: string }
  /** An earlier revision was brought back. `commit` is the revert in the source, where it could be written. */
  rolledBack: {
    readonly from?: Revision
    readonly to: Revision
    readonly commit?: Revision
    readonly by: string
    readonly reason: string
  }
  /** Long work came further. Not part of the state. */
  progressed: { readonly progress: Progress }
  /** After a crash it is not known what became of some changes; nothing is applied until each is resolved. */
  attentionNeeded: { readonly suspects: readonly { readonly ref: ResourceRef; readonly reason: string }[] }
  /** What was not known is known again. */
  attentionResolved: { readonly by: string }
}

/** What the ledger knows of an application when it is added. */
export interface Remembered {
  readonly applied?: Revision
  readonly appliedDigest?: string
  readonly failures?: number
  readonly suspension?: Suspension
  readonly hold?: Hold
  /** The previous process died during an apply. */
  readonly interrupted?: boolean
}

/** What a run is doing: the verbs, in order. */
export type Activity =
  | 'configure'
  | 'recover'
  | 'resolve'
  | 'declare'
  | 'observe'
  | 'plan'
  | 'record'
  | 'apply'
  | 'assess'
  | 'rollback'

/** How long one activity of a run took. Waiting for health is part of `assess`, each step of an apply is one of its own. */
export interface Timing {
  readonly activity: Activity
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly durationMs: number
  /** Present for one phase and wave of an `apply`, which lies within the `apply` as a whole. */
  readonly step?: Step
  /** Present when it failed. */
  readonly code?: ErrorCode
}

/** How a run ended. `unchanged`: there was nothing to do. */
export type FinishedOutcome = 'unchanged' | 'applied' | 'parked' | 'blocked' | 'failed' | 'superseded' | 'cancelled'

/** How a drift ended: we undid it, it was accepted, a commit declared it, or it went away by itself. */
export type DriftEnd = 'healed' | 'adopted' | 'declared' | 'disappeared'

/** What a wait waits for. */
export interface Blocker {
  readonly kind: 'health' | 'dependency' | 'approval' | 'window' | 'suspension' | 'retry' | 'circuit' | 'lock'
  /** The name of it: a resource, an application, a window. */
  readonly name: string
  /** One sentence for a person. */
  readonly message: string
  readonly ref?: ResourceRef
}

/** One reason of a policy decision. */
export interface Reason {
  /** The rule that decided: `mode`, `max-deletions`, `window`, `guard`, `suspended`, … */
  readonly rule: string
  readonly verdict: 'observe' | 'deny' | 'ask' | 'wait' | 'allow'
  /** A sentence that names what it is about and the next step. */
  readonly message: string
  /** Worth judging again at this time, in epoch milliseconds. */
  readonly until?: number
}

/** How a fresh plan differs from an earlier one. */
export interface PlanDifference {
  readonly revision?: { readonly before: Revision; readonly after: Revision }
  readonly added: readonly PlannedChange[]
  readonly removed: readonly PlannedChange[]
  /** The same resource and action, with other fields. */
  readonly altered: readonly PlannedChange[]
}

/** One change, without its fields. */
export interface PlannedChange {
  readonly ref: ResourceRef
  readonly action: Action
}
