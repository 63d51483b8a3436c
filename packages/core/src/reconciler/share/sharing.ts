import type { Queue } from '../../queue/queue.ts'
import type { Engine } from '../engine.ts'

/** What the parts of a share have in common. */
export interface Sharing {
  readonly engine: Engine
  readonly queue: Queue
  readonly worker: string
  readonly leaseMs: number
}
