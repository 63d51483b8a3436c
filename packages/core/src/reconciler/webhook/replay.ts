import type { Clock } from '../../runtime/clock.ts'

/** Remembers what was delivered, for a while. */
export interface ReplayMemory {
  /** Whether any of these keys was seen within the window; from now on all of them were. */
  isReplay(keys: readonly string[]): boolean
}

/** A memory over `windowMs` of at most `capacity` keys; the oldest are forgotten first. */
export function createReplayMemory(clock: Clock, windowMs: number, capacity: number): ReplayMemory {
  const seen = new Map<string, number>()
  const forget = (now: number): void => {
    for (const [key, at] of seen) {
      if (now - at <= windowMs && seen.size <= capacity) return
      seen.delete(key)
    }
  }
  return {
    isReplay: (keys) => {
      const now = clock.monotonic()
      forget(now)
      const isKnown = keys.some((key) => seen.has(key))
      for (const key of keys) if (!seen.has(key)) seen.set(key, now)
      return isKnown
    },
  }
}
