import { refKey } from '../../desired/ref.ts'
import { memoryLedger } from '../../ledger/memory.ts'
import { memoryQueue } from '../../queue/memory.ts'
import type { Claim } from '../../queue/queue.ts'
import type { Call } from '../../runtime/call.ts'
import type { Clock } from '../../runtime/clock.ts'
import { silentLog } from '../../runtime/log.ts'
import { type Random, seededRandom } from '../../runtime/random.ts'
import { type Backups, type Store, withBackups } from './store.ts'

/** A mistake in a store, or in how it is used, that the simulation has to find. */
export const storeBugs = [
  'no fence',
  'inventory fenced by its own epoch',
  'enqueue shortens a lease',
  'lost wake-up',
  'inventory after apply',
  'tokens start over after a restore',
  'writes without asking for the lease',
  'writes until the lease ends',
  'leases by the clock of the worker',
] as const
export type StoreBug = (typeof storeBugs)[number]

/** How long a claim lasts. */
export const leaseMs = 1_000
export const names = ['a', 'b', 'c'] as const
/** Its target cannot compare tokens: only the lease protects it. */
export const incomparable = 'c'
export const objects = ['v', 'w', 'x', 'y'] as const

/** Everything that is, and what went wrong so far. */
export interface World {
  readonly random: Random
  readonly bug: StoreBug | undefined
  readonly violations: Set<string>
  /** What is really there, `application/object`, and the revision it is of. */
  readonly live: Map<string, number>
  /** The largest token the target has seen, by application. */
  readonly seen: Map<string, number>
  /** The newest revision of each application, and the newest that was acknowledged by the store. */
  readonly heads: Map<string, number>
  /** Claims as the store handed them out: the newest of each key, and when its lease ends. */
  readonly claims: Map<string, { token: number; untilMs: number }>
  /** Objects of which a restored backup cannot know. */
  readonly excused: Set<string>
  readonly store: Store & Backups
  nowMs: number
  /** How far the clock of the store is behind. It is set back at once, and made up for slowly. */
  lagMs: number
  quiet: boolean
  restoredAt: number
}

/** The clocks of a worker: the one on the wall is off by up to an hour, the monotonic one runs too slow or too fast. */
export interface Machine {
  readonly skewMs: number
  readonly rate: number
}

export function createWorld(
  seed: number,
  bug: StoreBug | undefined,
  create: (clock: Clock) => Store = inMemory,
): World {
  const world = {
    random: seededRandom(seed),
    bug,
    violations: new Set<string>(),
    live: new Map<string, number>(),
    seen: new Map<string, number>(),
    heads: new Map<string, number>(names.map((name) => [name, 0])),
    claims: new Map<string, { token: number; untilMs: number }>(),
    excused: new Set<string>(),
    nowMs: 1_000_000,
    lagMs: 0,
    quiet: false,
    restoredAt: 0,
  }
  const clock: Clock = {
    now: () => world.nowMs - world.lagMs,
    monotonic: () => world.nowMs,
    setTimer: () => ({ cancel: () => {} }),
  }
  return Object.assign(world, { store: withBackups(() => create(clock), world) })
}

function inMemory(clock: Clock): Store {
  const queue = memoryQueue({ clock })
  return { ...memoryLedger({ queue, installKey: new Uint8Array(32) }), queue }
}

/** The clock of whoever calls is the business of nobody. */
export function callOf({ random, nowMs }: World, { skewMs, rate }: Machine = { skewMs: -3_600_000, rate: 1 }): Call {
  const clock = { now: () => nowMs + skewMs, monotonic: () => nowMs * rate, setTimer: () => ({ cancel: () => {} }) }
  return {
    signal: new AbortController().signal,
    clock,
    log: silentLog,
    random,
  }
}

export function chance({ random }: World, probability: number): boolean {
  return random.next() < probability
}

export function pick<T>({ random }: World, items: readonly T[]): T {
  return items[Math.floor(random.next() * items.length)]!
}

export function storeTime({ nowMs, lagMs }: World): number {
  return nowMs - lagMs
}

export function keyOf(name: string): string {
  return `application/${name}`
}

export function refOf(object: string): string {
  return refKey({ kind: 'object', name: object })
}

/** What a revision declares. Follows from its number. */
export function declared(name: string, revision: number): readonly string[] {
  if (revision === 0) return []
  const random = seededRandom(revision * 31 + name.charCodeAt(0))
  return objects.filter(() => random.next() < 0.6)
}

export function noteClaim(world: World, { key, token }: Claim): void {
  const known = world.claims.get(key)
  if (known !== undefined && storeTime(world) < known.untilMs)
    world.violations.add(`${key} was handed out while its lease was in force`)
  if (known !== undefined && token <= known.token) world.violations.add(`the token of ${key} did not rise`)
  world.claims.set(key, { token, untilMs: storeTime(world) + leaseMs })
}
