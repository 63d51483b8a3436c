/** Time, as the engine sees it. The engine takes time and timers from nowhere else. */
export interface Clock {
  /** Wall-clock time in epoch milliseconds. May jump. */
  now(): number
  /** Milliseconds from an arbitrary start. Never goes back; leases and deadlines are measured with it. */
  monotonic(): number
  /** Runs `run` once, after `delayMs` milliseconds. A delay of zero or less runs it as soon as possible. */
  setTimer(delayMs: number, run: () => void): Timer
  /** Resolves after everything else of this process that waits for its turn had one. Absent where nothing else runs. */
  turn?(): Promise<void>
}

/** A pending timer. */
export interface Timer {
  /** Forgets the timer. Harmless after it ran, and when called twice. */
  cancel(): void
  /** Lets the process end although the timer waits. Absent where nothing would keep it. */
  detach?(): void
}

/** The longest delay a platform timer can hold; a longer one is armed again when it fires. */
const MAX_PLATFORM_DELAY_MS = 2 ** 31 - 1

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: startTimer,
  turn: () =>
    new Promise((resolve) => void (typeof setImmediate === 'function' ? setImmediate(resolve) : setTimeout(resolve))),
}

function startTimer(delayMs: number, run: () => void): Timer {
  let handle: ReturnType<typeof setTimeout>
  let detached = false
  const arm = (remainingMs: number): void => {
    const waitMs = Math.min(remainingMs, MAX_PLATFORM_DELAY_MS)
    handle = setTimeout(() => (remainingMs > waitMs ? arm(remainingMs - waitMs) : run()), waitMs)
    if (detached) release(handle)
  }
  arm(Math.max(0, delayMs))
  return {
    cancel: () => clearTimeout(handle),
    detach: () => {
      detached = true
      release(handle)
    },
  }
}

/** Only Node keeps a process alive for a timer, and only there a timer is an object. */
function release(handle: ReturnType<typeof setTimeout>): void {
  if (typeof handle === 'object') handle.unref()
}

/** `epochMs` as an ISO 8601 string in UTC. */
export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

/** `epochMs` as the date object that some libraries want. */
export function dateAt(epochMs: number): Date {
  return new Date(epochMs)
}

/** Epoch milliseconds of year, month (from 1), day, hour, minute and second in UTC; `undefined` for no such time. */
export function utcTime(parts: readonly number[]): number | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
  const time = Date.UTC(year, month - 1, day, hour, minute, second)
  const date = new Date(time)
  const isExact = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && date.getUTCHours() === hour
  return isExact && minute < 60 && second < 60 ? time : undefined
}
