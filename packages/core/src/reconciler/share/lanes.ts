import { ownCall } from '../engine.ts'
import type { Lease, Leases } from './leases.ts'
import type { Outbox } from './outbox.ts'
import { applicationKey, nameOf } from './keys.ts'
import type { Sharing } from './sharing.ts'

/**
 * Which process watches which target. Each target is a lane that one process holds at a time; applications of a lane are
 * handed to its holder first, so that what is watched and what is run meet in one process.
 */
export interface Lanes {
  /** Takes free lanes and gives up some when others have fewer. Cheap when it is not time yet. */
  readonly work: () => Promise<void>
  /** Ids of the targets whose lane is held here. */
  readonly held: () => readonly string[]
  readonly holds: (targetId: string) => boolean
  readonly stop: () => Promise<void>
}

/** How often lanes are looked at. */
const LOOK_MS = 2_000
const MOST_LANES = 10_000

export function createLanes({ engine, queue, worker, leaseMs }: Sharing, leases: Leases, outbox: Outbox): Lanes {
  const { clock } = engine.call
  const lanes = new Map<string, Lease>()
  let slot: Lease | undefined
  let nextLookMs = 0
  let announced = 0

  const claim = async (pool: string, keys: readonly string[], limit: number, lost: (key: string) => void) => {
    if (limit <= 0 || keys.length === 0) return []
    const askedMs = clock.monotonic()
    const claims = await queue.claim({ worker, pool, limit, leaseMs, keys }, ownCall(engine))
    return claims.map((each) => leases.hold(each, askedMs, { lost: () => lost(each.key) }))
  }
  const announce = async (): Promise<void> => {
    const ids = new Set([...engine.members.values()].map(({ target }) => target.id))
    if (ids.size === announced) return
    for (const id of ids) outbox.send({ key: laneKey(id), onlyNew: true })
    await outbox.flush()
    announced = ids.size
  }
  /** A process counts as long as it holds a numbered slot. */
  const countWorkers = async (): Promise<number> => {
    const slots = await queue.items({ pool: 'worker' }, ownCall(engine))
    const free = slots.filter(({ worker: holder }) => holder === undefined).map(({ key }) => key)
    if (slot === undefined) [slot] = await claim('worker', free, 1, () => (slot = undefined))
    if (slot === undefined) outbox.send({ key: `worker/${slots.length + 1}`, onlyNew: true })
    return Math.max(1, slots.length - free.length + (slot !== undefined && free.includes(slot.claim.key) ? 1 : 0))
  }
  const takeOver = (id: string): void => {
    for (const { name, target } of engine.members.values()) {
      if (target.id !== id) continue
      outbox.send({ key: applicationKey(name), trigger: 'takeover', lane: id })
    }
  }
  const drop = (id: string): void => {
    lanes.delete(id)
    for (const member of engine.members.values()) if (member.target.id === id) member.stopWatch?.()
  }
  const giveUp = async (ids: readonly string[]): Promise<void> => {
    const given = ids.flatMap((id) => lanes.get(id) ?? [])
    for (const id of ids) drop(id)
    for (const { claim: each } of given) leases.letGo(each.key)
    await queue.release(
      given.map(({ claim: each }) => ({ claim: each })),
      ownCall(engine),
    )
  }
  const balance = async (): Promise<void> => {
    const workers = await countWorkers()
    const known = await queue.items({ pool: 'target', limit: MOST_LANES }, ownCall(engine))
    const mine = new Set([...engine.members.values()].map(({ target }) => laneKey(target.id)))
    const all = known.filter(({ key }) => mine.has(key))
    const fair = Math.ceil(all.length / workers)
    const free = all.filter(({ worker: holder }) => holder === undefined).map(({ key }) => key)
    const taken = await claim('target', free, fair - lanes.size, (key) => drop(nameOf({ key })))
    for (const lease of taken) {
      const id = nameOf(lease.claim)
      lanes.set(id, lease)
      takeOver(id)
    }
    if (lanes.size > fair) await giveUp([...lanes.keys()].slice(fair))
  }
  return {
    work: async () => {
      if (clock.monotonic() < nextLookMs) return
      await announce()
      await balance()
      await outbox.flush()
      nextLookMs = clock.monotonic() + LOOK_MS
    },
    held: () => [...lanes.keys()],
    holds: (targetId) => lanes.has(targetId),
    stop: async () => {
      nextLookMs = 0
      await giveUp([...lanes.keys()]).catch(() => {})
      if (slot === undefined) return
      leases.letGo(slot.claim.key)
      await queue.release([{ claim: slot.claim }], ownCall(engine)).catch(() => {})
      slot = undefined
    },
  }
}

function laneKey(targetId: string): string {
  return `target/${targetId}`
}
