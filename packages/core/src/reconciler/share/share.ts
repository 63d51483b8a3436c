import type { Queue } from '../../queue/queue.ts'
import { randomId } from '../../runtime/random.ts'
import type { Engine } from '../engine.ts'
import type { Share } from './contract.ts'
import { createApplications } from './applications.ts'
import { applicationKey } from './keys.ts'
import { createLanes } from './lanes.ts'
import { createLeases } from './leases.ts'
import { type Loop, createLoop } from './loop.ts'
import { createSources } from './sources.ts'
import { createOutbox } from './outbox.ts'
import type { Sharing } from './sharing.ts'
import { createUpkeep } from './upkeep.ts'

/** How long a claim lasts without a sign of life. */
const LEASE_MS = 30_000

export function createShare(engine: Engine, queue: Queue): Share {
  const { leaseMs = LEASE_MS } = queue
  const sharing: Sharing = { engine, queue, worker: randomId(engine.call.random), leaseMs }
  const leases = createLeases(queue, engine.call, leaseMs)
  const outbox = createOutbox(sharing, () => loop.kick())
  const lanes = createLanes(sharing, leases, outbox)
  const sources = createSources(sharing, leases, outbox)
  const applications = createApplications(sharing, leases, outbox, lanes)
  const upkeep = createUpkeep(sharing, leases, outbox)
  let wanted = false
  const loop: Loop = createLoop(sharing, async () => {
    await outbox.flush()
    if (wanted) await lanes.work()
    const moreSources = wanted && (await sources.work())
    if (wanted) await upkeep.work()
    const moreApplications = await applications.work(wanted)
    return moreSources || moreApplications
  })
  applications.onEnd(() => loop.kick())
  sources.onEnd(() => loop.kick())
  return {
    queue: {
      add: applications.add,
      forget: (name) => void queue.forget([applicationKey(name)], engine.call).catch(() => {}),
      dueAt: () => undefined,
      start: () => loop.start(),
      stop: async () => {
        wanted = false
        await Promise.all([applications.stop(), sources.stop()])
        await lanes.stop()
        await outbox.flush().catch(() => {})
        loop.stop()
        leases.stop()
      },
    },
    polling: sources.polling,
    start: () => {
      wanted = true
      upkeep.start()
      loop.kick()
    },
    claimOf: applications.claimOf,
    fenceOf: applications.fenceOf,
    watches: lanes.holds,
    isReady: applications.isReady,
  }
}
