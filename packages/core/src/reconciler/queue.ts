import type { Clock, Timer } from '../runtime/clock.ts'

/** Why an application is to be looked at. Requests that meet in the queue become one. */
interface QueueRequest {
  /** `poll`, `push`, `drift`, `retry`, `manual`, `dependency`, … */
  readonly trigger: string
  /** Larger goes first. @defaultValue 0 */
  readonly priority?: number
  /** Not before this many milliseconds from now. @defaultValue 0 */
  readonly delayMs?: number
}

/** What a run is told about why it was started. */
export interface QueuedWork {
  readonly triggers: readonly string[]
  readonly priority: number
}

/**
 * Hands out keys, each to one worker at a time.
 *
 * As client-go's work queue: a key that is added while it waits is handed out once; added while it is being
 * worked on, it is handed out once more afterwards; of two delays the earlier wins, of two priorities
 * the higher. No wake-up is lost.
 */
export interface Queue {
  add(key: string, request: QueueRequest): void
  /** Forgets what waits for `key`; work in progress goes on. */
  forget(key: string): void
  /** When `key` is due next, in monotonic milliseconds; absent when nothing waits. */
  dueAt(key: string): number | undefined
  /** Stops handing out and resolves when the work in progress has ended. */
  stop(): Promise<void>
  /** Hands out again. */
  start(): void
}

interface Waiting {
  triggers: string[]
  priority: number
  dueMs: number
  timer?: Timer
}

/** What a queue needs. `work` does not reject. */
export interface QueueOptions {
  readonly clock: Clock
  readonly work: (key: string, work: QueuedWork) => Promise<void>
}

/** A queue that is stopped: `start` it. */
export function createQueue({ clock, work }: QueueOptions): Queue {
  const waiting = new Map<string, Waiting>()
  const working = new Map<string, Promise<void>>()
  let running = false

  const add = (key: string, { trigger, priority = 0, delayMs = 0 }: QueueRequest): void => {
    const dueMs = clock.monotonic() + Math.max(0, delayMs)
    const known = waiting.get(key)
    const merged: Waiting = {
      triggers: known === undefined ? [trigger] : [...new Set([...known.triggers, trigger])],
      priority: Math.max(known?.priority ?? priority, priority),
      dueMs: Math.min(known?.dueMs ?? dueMs, dueMs),
    }
    known?.timer?.cancel()
    waiting.set(key, merged)
    arm(key, merged)
  }

  const arm = (key: string, entry: Waiting): void => {
    if (!running || working.has(key)) return
    const delayMs = entry.dueMs - clock.monotonic()
    if (delayMs <= 0) handOut(key, entry)
    else entry.timer = clock.setTimer(delayMs, () => handOut(key, entry))
  }

  const handOut = (key: string, entry: Waiting): void => {
    waiting.delete(key)
    // The work begins in a later microtask, so that whoever adds is never called back from within.
    const done = Promise.resolve()
      .then(() => work(key, { triggers: entry.triggers, priority: entry.priority }))
      .finally(() => {
        working.delete(key)
        const again = waiting.get(key)
        if (again !== undefined) arm(key, again)
      })
    working.set(key, done)
  }

  return {
    add,
    forget: (key) => {
      waiting.get(key)?.timer?.cancel()
      waiting.delete(key)
    },
    dueAt: (key) => waiting.get(key)?.dueMs,
    start: () => {
      if (running) return
      running = true
      for (const [key, entry] of waiting) arm(key, entry)
    },
    stop: async () => {
      running = false
      for (const entry of waiting.values()) entry.timer?.cancel()
      while (working.size > 0) await Promise.allSettled(working.values())
    },
  }
}
