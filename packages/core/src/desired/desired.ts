import type { JsonObject } from '../runtime/json.ts'
import type { Revision } from '../source/source.ts'

/** What identifies a resource inside a target. Plain data, compared by `refKey`. */
export interface ResourceRef {
  /** The vendor's group of the kind, such as `apps`. Absent where kinds have none. */
  readonly group?: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
}

/** Where a declaration stands. */
export interface Origin {
  /** Path from the root of the snapshot. */
  readonly path: string
  /** Line of its first character, counted from 1. */
  readonly line?: number
}

/** One declared resource. */
export interface Resource {
  readonly ref: ResourceRef
  /** What is wanted, as the target understands it. */
  readonly body: JsonObject
  readonly origin?: Origin
  /** Identifies `body`; equal digests mean equal bodies. */
  readonly digest: string
  /** JSON Pointers (RFC 6901) into `body` whose values are secret. A pointer covers everything below it. */
  readonly sensitive?: readonly string[]
  /** When it is applied. Absent means phase `Sync`, wave 0. */
  readonly order?: Order
  /** Exceptions from the policy of the application for this resource. */
  readonly options?: ResourceOptions
}

/** The steps of a reconcile, in the order they run. `SyncFail` runs only after a failure. */
export type Phase = 'PreSync' | 'Sync' | 'PostSync' | 'SyncFail' | 'PreDelete' | 'PostDelete'

/** When a resource is applied, relative to the others. */
export interface Order {
  /** @defaultValue 'Sync' */
  readonly phase?: Phase
  /** Lower waves first; each waits for the health of the one before. @defaultValue 0 */
  readonly wave?: number
  /** Present for a hook: a resource that runs once per reconcile and is not part of the desired state. */
  readonly hook?: HookOptions
  /** Resources of the same application that must be healthy first. */
  readonly dependsOn?: readonly ResourceRef[]
  /** Pruned after everything else. @defaultValue false */
  readonly pruneLast?: boolean
}

/** How a hook is cleaned up. */
export interface HookOptions {
  /** @defaultValue ['BeforeHookCreation'] */
  readonly deletePolicy?: readonly ('BeforeHookCreation' | 'HookSucceeded' | 'HookFailed')[]
}

/** Exceptions a declaration makes for itself. */
export interface ResourceOptions {
  /** `false` keeps it when it is no longer declared; `confirm` asks first. @defaultValue true */
  readonly prune?: boolean | 'confirm'
  /** `false` reports drift without healing it. @defaultValue true */
  readonly selfHeal?: boolean
  /** Permits deleting and creating again when a change cannot be made in place. @defaultValue false */
  readonly replace?: boolean
  /** `false` leaves it out of the health of the application. @defaultValue true */
  readonly health?: boolean
  /** `false` leaves it alone altogether: neither applied nor pruned. @defaultValue true */
  readonly reconcile?: boolean
}

/** Everything one revision declares for one application. */
export interface DesiredState {
  readonly revision: Revision
  /** Identifies everything that was declared, inputs included: equal digests mean nothing new is wanted. */
  readonly digest: string
  /** In a stable order; no two have the same `refKey`. A whole-plan target may leave it empty. */
  readonly resources: readonly Resource[]
  /** Remarks for people that did not stop the declaration. */
  readonly warnings?: readonly string[]
  /** Whatever the later verbs of the same target need. Never stored, never sent. */
  readonly payload?: unknown
}
