import type { Wake } from '../../queue/queue.ts'
import { ownCall } from '../engine.ts'
import type { Sharing } from './sharing.ts'

/** Wakes on their way to the shared queue: many at a time, and kept until the store has them. */
export interface Outbox {
  send(wake: Wake): void
  /** Resolves when everything that was sent before is stored. */
  flush(): Promise<void>
}

/** Wakes of one statement. */
const BATCH = 1_000

export function createOutbox({ engine, queue }: Sharing, sent: () => void): Outbox {
  let waiting: Wake[] = []
  let flushing: Promise<void> = Promise.resolve()

  const flushNow = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH)
      await queue.enqueue(batch, ownCall(engine))
      waiting = waiting.slice(batch.length)
    }
  }
  return {
    send: (wake) => {
      waiting.push(wake)
      if (waiting.length === 1) sent()
    },
    flush: () => (flushing = flushing.catch(() => {}).then(flushNow)),
  }
}
