import type { Held } from '../../queue/queue.ts'
import type { Fence } from '../../runtime/call.ts'
import type { Polling } from '../polling-contract.ts'
import type { Queue } from '../queue.ts'

/**
 * The part of a reconciler that shares its applications with other processes: a run happens only under a claim of its
 * application, sources are asked by one process at a time, and each target is watched by one.
 */
export interface Share {
  /** In the place of the queue of a single process. */
  readonly queue: Queue
  readonly polling: Polling
  /** Takes on work that nobody here asked for. Until then only what is asked for here is done. */
  start(): void
  /** The claim under which the application is being worked on here. */
  claimOf(application: string): Held | undefined
  fenceOf(application: string): Fence | undefined
  /** Whether this process watches the target with this id. */
  watches(targetId: string): boolean
  /** Whether the application was ready when it was last worked on, wherever that was. */
  isReady(application: string): boolean
}
