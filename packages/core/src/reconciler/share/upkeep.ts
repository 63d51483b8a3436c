import { ownCall } from '../engine.ts'
import type { Leases } from './leases.ts'
import type { Outbox } from './outbox.ts'
import type { Sharing } from './sharing.ts'

/** Housekeeping of the ledger: by one process at a time, an hour after the last. */
export interface Upkeep {
  start(): void
  work(): Promise<void>
}

const EVERY_MS = 3_600_000
const LOOK_MS = 30_000

export function createUpkeep({ engine, queue, worker, leaseMs }: Sharing, leases: Leases, outbox: Outbox): Upkeep {
  const { call, ledger } = engine
  let nextLookMs = 0
  return {
    start: () => {
      if (ledger.upkeep !== undefined) outbox.send({ key: 'system/upkeep', onlyNew: true })
    },
    work: async () => {
      if (ledger.upkeep === undefined || call.clock.monotonic() < nextLookMs) return
      nextLookMs = call.clock.monotonic() + LOOK_MS
      const askedMs = call.clock.monotonic()
      const [claim] = await queue.claim({ worker, pool: 'system', limit: 1, leaseMs }, ownCall(engine))
      if (claim === undefined) return
      const controller = new AbortController()
      leases.hold(claim, askedMs, { lost: (error) => controller.abort(error) })
      // Not waited for: it may take long, and applications must not.
      void ledger
        .upkeep({ ...call, signal: controller.signal })
        .catch((error: unknown) => call.log.warn('The housekeeping of the ledger failed and is tried again.', error))
        .finally(() => {
          leases.letGo(claim.key)
          queue.complete([{ claim, again: { delayMs: EVERY_MS } }], ownCall(engine)).catch(() => {})
        })
    },
  }
}
