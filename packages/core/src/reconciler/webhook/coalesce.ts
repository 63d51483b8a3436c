import type { Clock } from '../../runtime/clock.ts'

/** Turns any number of requests into few runs. */
export interface Coalescer {
  /** Runs `name` soon: at once when nothing stands against it, once for all requests until then. */
  request(name: string): void
  /** How many names wait. Never more than there are names. */
  readonly waiting: number
}

/** How few. */
export interface CoalesceOptions {
  /** The same name runs again only after this time. */
  readonly spacingMs: number
  /** All names together. */
  readonly perSecond: number
}

/** A coalescer on `clock`. A request that comes while its name waits changes nothing. */
export function createCoalescer(clock: Clock, options: CoalesceOptions, run: (name: string) => void): Coalescer {
  const waiting = new Set<string>()
  const nextOf = new Map<string, number>()
  let nextOfAll = 0
  const request = (name: string): void => {
    if (waiting.has(name)) return
    const now = clock.monotonic()
    const due = Math.max(now, nextOf.get(name) ?? 0, nextOfAll)
    nextOfAll = Math.max(now, nextOfAll) + 1000 / options.perSecond
    nextOf.set(name, due + options.spacingMs)
    if (due <= now) return run(name)
    waiting.add(name)
    clock.setTimer(due - now, () => {
      waiting.delete(name)
      run(name)
    })
  }
  return {
    request,
    get waiting() {
      return waiting.size
    },
  }
}
