import type { Clock, Timer } from '../runtime/clock.ts'

/** A clock that moves only when told. */
export interface ManualClock extends Clock {
  /** Moves time by `durationMs`, running every timer that falls due, in order, and whatever it sets off. */
  advance(durationMs: number): Promise<void>
  /** Lets everything that does not wait for time run on. */
  settle(): Promise<void>
  /** Moves to the next timer and runs it; `false` when there is none. */
  next(): Promise<boolean>
  /** How many timers wait. */
  readonly pending: number
}

interface Waiting {
  readonly dueMs: number
  readonly order: number
  readonly run: () => void
}

/**
 * A clock for tests and simulations. Starts at `startMs` (epoch milliseconds); the monotonic time
 * starts at 0. Timers that are due at the same time run in the order in which they were set.
 */
export function manualClock(startMs: number = Date.UTC(2030, 0, 1)): ManualClock {
  const timers = new Set<Waiting>()
  let elapsedMs = 0
  let order = 0

  const setTimer = (delayMs: number, run: () => void): Timer => {
    const waiting = { dueMs: elapsedMs + Math.max(0, delayMs), order: order++, run }
    timers.add(waiting)
    return { cancel: () => void timers.delete(waiting) }
  }
  const fire = async (waiting: Waiting): Promise<void> => {
    timers.delete(waiting)
    elapsedMs = Math.max(elapsedMs, waiting.dueMs)
    waiting.run()
    await settle()
  }
  const next = async (): Promise<boolean> => {
    await settle()
    const waiting = earliest(timers)
    if (waiting !== undefined) await fire(waiting)
    return waiting !== undefined
  }
  const advance = async (durationMs: number): Promise<void> => {
    const endMs = elapsedMs + durationMs
    await settle()
    for (let waiting = earliest(timers); waiting !== undefined; waiting = earliest(timers)) {
      if (waiting.dueMs > endMs) break
      await fire(waiting)
    }
    elapsedMs = endMs
  }
  return {
    now: () => startMs + elapsedMs,
    monotonic: () => elapsedMs,
    setTimer,
    advance,
    settle,
    next,
    get pending() {
      return timers.size
    },
  }
}

function earliest(timers: ReadonlySet<Waiting>): Waiting | undefined {
  let first: Waiting | undefined
  for (const each of timers) {
    if (first === undefined || each.dueMs < first.dueMs || (each.dueMs === first.dueMs && each.order < first.order)) {
      first = each
    }
  }
  return first
}

/** One turn of the event loop: every promise that can settle without time or input has settled then. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}
