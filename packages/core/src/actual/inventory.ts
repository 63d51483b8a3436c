import type { Json } from '../runtime/json.ts'
import type { Origin, ResourceRef } from '../desired/desired.ts'

/** What an application owns in its target, by `refKey`. Nothing outside it is ever deleted. */
export type Inventory = ReadonlyMap<string, Owned>

/** One owned resource. */
export interface Owned {
  readonly ref: ResourceRef
  /**
   * `intended`: written down before the first attempt, so that a crash leaves no orphan.
   * `applied`: it was confirmed. `deleting`: it was, and its removal was begun.
   */
  readonly state: 'intended' | 'applied' | 'deleting'
  /** The identity the target gave it; a resource with another one is not ours. */
  readonly uid?: string
  /** The id of the revision that last applied it. */
  readonly revision: string
  /** The digest of the body that was last applied. */
  readonly digest?: string
  readonly origin?: Origin
  /** When it was last applied, in epoch milliseconds. */
  readonly appliedAt?: number
  /** What its declaration said of pruning when it was last in force; kept when it is no longer declared. */
  readonly prune?: false | 'confirm'
  /** What the target wants back with the next `observe` and `plan`. Small, plain, no secret. */
  readonly note?: Json
}
