import type { ActualChange, ActualState } from '../actual/actual.ts'
import type { Inventory } from '../actual/inventory.ts'
import type { Outcome } from '../apply/outcome.ts'
import type { DesiredState, ResourceRef } from '../desired/desired.ts'
import type { Health } from '../feedback/health.ts'
import type { JournalEntry } from '../ledger/ledger.ts'
import type { Plan, PlanRequest } from '../plan/plan.ts'
import type { Outputs, RunCall } from '../runtime/call.ts'
import type { Snapshot } from '../source/source.ts'

/**
 * A system whose actual state can be brought to a desired state.
 *
 * Methods are called in the order they are listed. Each must be safe to call again with the same
 * arguments after a crash, must not block past `call.signal`, and must not write unless its name is
 * `apply`. A read that fails throws or is reported in `ActualState.unknown`; it is never an empty
 * answer.
 */
export interface Target extends Partial<AsyncDisposable> {
  /** What it manages, for people: `kubernetes`, `feature flags`. */
  readonly kind: string
  /** Names the managed system: applications with equal ids share its concurrency budget and circuit breaker. */
  readonly id: string
  /** The version of this interface. */
  readonly contract: 1
  readonly supports: TargetSupports
  /** Renders, parses and validates. Pure: the same snapshot and inputs give the same answer. */
  declare(snapshot: Snapshot, call: RunCall): Promise<DesiredState>
  /**
   * Reads what is there of everything declared and owned. It may not lag behind what this target wrote itself, also where
   * the answer to a write was lost: what is owned, no longer declared and not there is forgotten. An `expensive` target
   * may answer the first look after its own apply from what that apply was told.
   */
  observe(desired: DesiredState, owned: Inventory, call: RunCall): Promise<ActualState>
  /** Compares. Pure for a per-resource target. */
  plan(desired: DesiredState, actual: ActualState, request: PlanRequest, call: RunCall): Promise<Plan>
  /**
   * Makes the changes of `plan`, which may be one step of a larger one. Yields one outcome per change
   * as it settles; a failure is an outcome, not an exception. Partial progress is normal.
   */
  apply(plan: Plan, desired: DesiredState, call: RunCall): AsyncIterable<Outcome>
  /** Judges whether what was applied works. Pure where `actual` holds enough. */
  assess(desired: DesiredState, actual: ActualState, call: RunCall): Promise<Health>
  /** Yields when something declared or owned may have changed. Ends only when `call` is aborted or on an error. */
  watch?(desired: DesiredState, owned: Inventory, call: RunCall): AsyncIterable<ActualChange>
  /** Finds out what an interrupted apply left behind. The first thing that is called after a crash. */
  recover?(entry: JournalEntry, call: RunCall): Promise<Recovery>
  /** Hears what became of the suspects that `recover` named, before anything else is asked of it. */
  resolveSuspects?(resolutions: readonly Resolution[], call: RunCall): Promise<void>
  /** Values for the applications that depend on this one. Called after a successful apply. */
  outputs?(desired: DesiredState, call: RunCall): Promise<Outputs>
}

/** What a target can do. Planner, docs and tests read it from here. */
export interface TargetSupports {
  /** `resource`: changes are made one by one and may be sliced. `whole`: a plan is applied as one. */
  readonly granularity: 'resource' | 'whole'
  /** `cheap` targets are observed on every run, `expensive` ones on their own cadence. */
  readonly observe: 'cheap' | 'expensive'
  readonly prune: boolean
  readonly destroy: boolean
  readonly acceptDrift: boolean
  /** Hooks and waves inside an application. */
  readonly ordering: boolean
}

/** What a target supports that compares and writes resource by resource, with `planByDiff` and `applyEach`. */
export const perResource: TargetSupports = {
  granularity: 'resource',
  observe: 'cheap',
  prune: true,
  destroy: true,
  acceptDrift: false,
  ordering: true,
}

/** What `recover` found. */
export interface Recovery {
  /** `clean`: reconcile as usual. `attention`: nothing is applied until each suspect is resolved. */
  readonly status: 'clean' | 'attention'
  readonly suspects: readonly Suspect[]
  /** What was done to recover, for the history. */
  readonly actions: readonly string[]
}

/** A resource of which it is not known whether a change happened. */
export interface Suspect {
  readonly ref: ResourceRef
  readonly reason: string
}

/** What a person found out about a suspect. */
export interface Resolution {
  readonly ref: ResourceRef
  /**
   * `imported`: it exists and is to be known from now on, under `id` where the target has to be told. `absent`: it does
   * not exist. `ignored`: it does not matter.
   */
  readonly how: 'imported' | 'absent' | 'ignored'
  /** What the managed system calls it. */
  readonly id?: string
}
