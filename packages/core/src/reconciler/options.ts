import type { Notifier } from '../feedback/notifier.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import type { Random } from '../runtime/random.ts'
import type { Application } from './application.ts'

/** What a reconciler is made of. Everything has a default. */
export interface ReconcilerOptions {
  /** More can be added and removed later. @defaultValue none */
  readonly applications?: readonly Application[]
  /** Where it remembers what it owns and did. @defaultValue `memoryLedger()`, which forgets when the process ends */
  readonly ledger?: Ledger
  /** How many applications are rendered and compared at the same time. @defaultValue 16 */
  readonly concurrency?: number
  /** How many operations each target is asked for at the same time. @defaultValue 8 */
  readonly targetConcurrency?: number
  /**
   * How many applications of one tenant are worked on at the same time, over all processes that share the ledger. Where
   * they share it, one that waits for health counts; alone it does not. @defaultValue unlimited
   */
  readonly tenantConcurrency?: number
  /** How long one read of a target may take that is cheap to observe, in milliseconds. @defaultValue 60_000 */
  readonly observeTimeoutMs?: number
  /** How long asking a source, fetching a revision and rendering it may take each, in milliseconds. @defaultValue 300_000 */
  readonly sourceTimeoutMs?: number
  /** How long `stop` lets a run in progress go on, in milliseconds. @defaultValue 30_000 */
  readonly stopTimeoutMs?: number
  /** Receive every event; a failure of one is logged and changes nothing. @defaultValue none */
  readonly notifiers?: readonly Notifier[]
  /** @defaultValue the clock of the machine */
  readonly clock?: Clock
  /** @defaultValue the randomness of the machine */
  readonly random?: Random
  /** @defaultValue silent */
  readonly log?: Logger
}
