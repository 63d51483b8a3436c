import type { GitOpsError } from '../runtime/errors.ts'
import type { JsonObject } from '../runtime/json.ts'
import type { ResourceRef } from '../desired/desired.ts'

/** What is really there, as far as it could be read. */
export interface ActualState {
  /** Changes whenever anything that was read changed: equal versions mean nothing moved. */
  readonly version: string
  /** By `refKey`. A declared or owned resource that is absent here and not in `unknown` is missing. */
  readonly resources: ReadonlyMap<string, ActualResource>
  /** By `refKey`: what could not be read, and why. Never treated as missing, never as in sync. */
  readonly unknown: ReadonlyMap<string, GitOpsError>
  /** False when some read was partial: nothing is pruned then. */
  readonly complete: boolean
  /** When it was read, in epoch milliseconds. */
  readonly observedAt: number
}

/** One resource as it is in the target. */
export interface ActualResource {
  readonly ref: ResourceRef
  readonly body: JsonObject
  /** `digestOf(body)`, where the target keeps it: a body whose digest equals the declared one is not compared. */
  readonly digest?: string
  /** The identity the target gave it; another one under the same name is another resource. */
  readonly uid?: string
  /** The version the target gave it, for compare-and-swap. */
  readonly version?: string
  /** The application that claims it, where the target can say. Absent: nobody does. */
  readonly owner?: string
  /** JSON Pointers into `body` whose values are secret. */
  readonly sensitive?: readonly string[]
  /** Who last changed a field, where the target knows. */
  readonly actorOf?: (pointer: string) => Actor | undefined
}

/** Who changed something, and how sure that is. */
export interface Actor {
  /** A user, a controller, a tool: whatever the target records. */
  readonly name: string
  /** What they used: `kubectl-edit`, `scale`. */
  readonly via?: string
  /** Not after this time, in epoch milliseconds. */
  readonly at?: number
  /** `certain`: nobody else can have done it. `shared`: one of several. `unknown`: a guess. */
  readonly confidence: 'certain' | 'shared' | 'unknown'
}

/** A hint that something in the target changed. May be late, doubled or lost. */
export interface ActualChange {
  /** What changed; absent when the target cannot say. */
  readonly ref?: ResourceRef
}
