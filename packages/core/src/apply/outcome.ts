import type { ResourceRef } from '../desired/desired.ts'
import type { Action } from '../plan/plan.ts'
import type { GitOpsError } from '../runtime/errors.ts'
import type { Json } from '../runtime/json.ts'

/** What became of one change. */
export interface Outcome {
  readonly ref: ResourceRef
  readonly action: Action
  /** `unknown`: the write may or may not have happened; it is looked at before anything else is done. */
  readonly status: 'succeeded' | 'failed' | 'skipped' | 'unknown'
  /** Present unless it succeeded. */
  readonly error?: GitOpsError
  /** The identity the target gave it. */
  readonly uid?: string
  readonly version?: string
  /** Comes back in `Owned.note` with the next `observe` and `plan`. */
  readonly note?: Json
  /** Remarks of the target for people. */
  readonly warnings?: readonly string[]
}
