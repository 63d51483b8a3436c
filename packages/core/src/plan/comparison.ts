import type { ActualResource, ActualState } from '../actual/actual.ts'
import type { DesiredState, Resource, ResourceOptions, ResourceRef } from '../desired/desired.ts'
import type { JsonObject } from '../runtime/json.ts'
import type { DiffOptions } from './diff.ts'
import type { Blocked, Drift, Ignored, PlanRequest } from './plan.ts'
import type { Draft } from './steps.ts'

/** What a target knows about its resources that the comparison cannot. */
export interface PlanByDiffOptions extends DiffOptions {
  /**
   * The part of an actual body that is compared with the declared one. Leave out here what the target
   * adds by itself: status, defaults, timestamps. @defaultValue the whole body
   */
  readonly view?: (actual: ActualResource, declared: JsonObject) => JsonObject
  /** Whether a field cannot be changed in place: then the resource is replaced, if its options permit, or blocked. */
  readonly immutable?: (ref: ResourceRef, path: string) => boolean
  /** The exceptions an actual resource carries by itself, for one that is no longer declared. */
  readonly optionsOf?: (actual: ActualResource) => ResourceOptions | undefined
}

/** Everything the judgement of one resource may look at. */
export interface Comparison {
  readonly desired: DesiredState
  readonly actual: ActualState
  readonly request: PlanRequest
  readonly options: PlanByDiffOptions
  /** What is declared now, by `refKey`. */
  readonly declared: ReadonlyMap<string, Resource>
  /** What was declared when it was applied last, by `refKey`. */
  readonly previous: ReadonlyMap<string, Resource>
}

/** What is to be said about one resource. Empty when it is as it should be. */
export interface Verdict {
  readonly change?: Draft
  readonly drift?: Drift
  readonly ignored?: readonly Ignored[]
  readonly blocked?: Blocked
}
