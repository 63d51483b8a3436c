import PQueue from 'p-queue'
import type { Clock } from '../runtime/clock.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { abortError } from '../runtime/call.ts'

/** Limits how much happens side by side, so that one slow or failing target delays nobody else. */
export interface Pools {
  /** Work of this process itself: rendering, parsing, comparing. */
  think<T>(work: () => Promise<T>, slot: Slot): Promise<T>
  /**
   * Work that waits for a target. Targets with equal ids share a budget. Rejects with
   * `TARGET_UNREACHABLE` at once while the target's circuit is open.
   */
  ask<T>(targetId: string, work: () => Promise<T>, slot: Slot): Promise<T>
  /** When the circuit of a target closes, in monotonic milliseconds; absent while it is closed. */
  openUntil(targetId: string): number | undefined
}

/** Who asks for a place. */
interface Slot {
  readonly signal: AbortSignal
  /** Larger goes first. */
  readonly priority: number
  /** Whose work it is. @defaultValue nobody's */
  readonly tenant?: string | undefined
}

export interface PoolOptions {
  readonly clock: Clock
  /** @defaultValue 16 */
  readonly concurrency?: number
  /** For each target. @defaultValue 8 */
  readonly targetConcurrency?: number
  /** For each tenant, thinking and asking together. @defaultValue unlimited */
  readonly tenantConcurrency?: number
}

/** Failures in a row after which a target is left alone for a while. */
const failuresToOpen = 5
/** How long a circuit stays open at first; doubled with each failed try, up to the longest. */
const firstPauseMs = 10_000
const longestPauseMs = 300_000

interface Lane {
  readonly queue: PQueue
  failures: number
  openUntilMs: number
}

/** Nobody of this process waits longer than about this while many applications think at once. */
const longestThoughtMs = 15

export function createPools(options: PoolOptions): Pools {
  const { clock, concurrency = 16, targetConcurrency = 8 } = options
  const own = new PQueue({ concurrency })
  const lanes = new Map<string, Lane>()
  const laneOf = (id: string): Lane => {
    let lane = lanes.get(id)
    if (lane === undefined) {
      lane = { queue: new PQueue({ concurrency: targetConcurrency }), failures: 0, openUntilMs: 0 }
      lanes.set(id, lane)
    }
    return lane
  }
  const isOpen = (lane: Lane): boolean => lane.openUntilMs > clock.monotonic()
  const takeTurns = turnTaker(clock)
  const othersGoOn = lastInTurn(clock)
  const inTenant = tenantGate(options)

  return {
    think: (work, slot) =>
      inTenant(() => inPool(own, async () => (await othersGoOn(own), takeTurns(work)), slot), slot),
    ask: async (id, work, slot) => {
      const lane = laneOf(id)
      if (isOpen(lane)) throw circuitOpen(id, lane.openUntilMs - clock.monotonic())
      const counted = (): ReturnType<typeof work> => takeTurns(() => countFailures(lane, clock, work))
      return inTenant(() => inPool(lane.queue, counted, slot), slot)
    },
    openUntil: (id) => {
      const lane = lanes.get(id)
      return lane !== undefined && isOpen(lane) ? lane.openUntilMs : undefined
    },
  }
}

/**
 * Lets others of this process have a turn after work that took long. Promises alone never do: a thousand applications
 * that find everything in memory would keep timers, sockets and the health check of the platform waiting until all are
 * done.
 */
function turnTaker(clock: Clock): <T>(work: () => Promise<T>) => Promise<T> {
  let lastTurnMs = clock.monotonic()
  return async (work) => {
    try {
      return await work()
    } finally {
      if (clock.turn !== undefined && clock.monotonic() - lastTurnMs >= longestThoughtMs) {
        await clock.turn()
        lastTurnMs = clock.monotonic()
      }
    }
  }
}

/**
 * Where many wait to think, the next begins when all that was begun has gone as far as it can without waiting. Of a thousand
 * runs that find everything in memory only a few are then under way at a time, and what they make dies young: else each of
 * them holds its declarations, plan and records while all others take their steps. Nobody waits here for a slow target.
 */
function lastInTurn(clock: Clock): (queue: PQueue) => Promise<void> | undefined {
  let turn: Promise<void> | undefined
  return ({ size }) => {
    if (size === 0 || clock.turn === undefined) return undefined
    return (turn ??= clock.turn().then(() => void (turn = undefined)))
  }
}

/** A tenant with very many applications waits before the places that all share, not in them. */
function tenantGate({ tenantConcurrency }: PoolOptions): <T>(work: () => Promise<T>, slot: Slot) => Promise<T> {
  const tenants = new Map<string, PQueue>()
  return async (work, slot) => {
    const { tenant } = slot
    if (tenant === undefined || tenantConcurrency === undefined) return work()
    const queue = tenants.get(tenant) ?? new PQueue({ concurrency: tenantConcurrency })
    tenants.set(tenant, queue)
    try {
      return await inPool(queue, work, slot)
    } finally {
      if (queue.size === 0 && queue.pending === 0) tenants.delete(tenant)
    }
  }
}

async function inPool<T>(queue: PQueue, work: () => Promise<T>, { signal, priority }: Slot): Promise<T> {
  return queue.add(
    async () => {
      if (signal.aborted) throw abortError(signal)
      return work()
    },
    { priority },
  )
}

async function countFailures<T>(lane: Lane, clock: Clock, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work()
    lane.failures = 0
    return result
  } catch (error) {
    if (isOutage(error)) trip(lane, clock)
    throw error
  }
}

function isOutage(error: unknown): boolean {
  return error instanceof GitOpsError && (error.code === 'TARGET_UNREACHABLE' || error.code === 'DEADLINE_EXCEEDED')
}

/** After the pause one application tries again; a single further failure opens the circuit anew. */
function trip(lane: Lane, clock: Clock): void {
  lane.failures++
  if (lane.failures < failuresToOpen) return
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (lane.failures - failuresToOpen))
  lane.openUntilMs = clock.monotonic() + pauseMs
}

function circuitOpen(id: string, remainingMs: number): GitOpsError {
  const message = `${id} did not answer several times in a row. It is left alone for another ${Math.ceil(remainingMs / 1000)} s.`
  return new GitOpsError('TARGET_UNREACHABLE', message, { retryAfterMs: remainingMs, details: { circuit: 'open' } })
}
