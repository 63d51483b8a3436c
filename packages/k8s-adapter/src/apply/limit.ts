import { abortError, type Call, GitOpsError, sleep } from '@gitops-sdk/core'

/** How many writes run side by side: fewer when the server is overloaded, more again when it is not. */
export interface AdaptiveLimit {
  /** Runs `work` when there is room; again, after the time the server asked for, when it was throttled. */
  run<T>(work: () => Promise<T>, call: Call): Promise<T>
  /** What is allowed now. */
  readonly limit: number
}

/** How often a write that was not even looked at is tried again. */
const MAX_THROTTLED = 8

/** Adds one for every round of successes, halves when throttled (AIMD), between 1 and `max`. */
export function createAdaptiveLimit(max: number): AdaptiveLimit {
  let limit = max
  let running = 0
  let successes = 0
  const waiting: (() => void)[] = []
  const admit = (): void => {
    while (running < Math.floor(limit) && waiting.length > 0) {
      running++
      waiting.shift()!()
    }
  }
  const enter = async (signal: AbortSignal): Promise<void> => {
    if (signal.aborted) throw abortError(signal)
    if (waiting.length > 0 || running >= Math.floor(limit)) return waitForRoom(signal)
    running++
  }
  const waitForRoom = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        const index = waiting.indexOf(go)
        if (index !== -1) waiting.splice(index, 1)
        reject(abortError(signal))
      }
      signal.addEventListener('abort', leave, { once: true })
      waiting.push(go)
      admit()
    })
  const once = async <T>(work: () => Promise<T>, call: Call): Promise<T> => {
    await enter(call.signal)
    try {
      const result = await work()
      if (++successes >= limit) {
        limit = Math.min(max, limit + 1)
        successes = 0
      }
      return result
    } catch (thrown) {
      if (isThrottled(thrown)) limit = Math.max(1, limit / 2)
      throw thrown
    } finally {
      running--
      admit()
    }
  }
  const run = async <T>(work: () => Promise<T>, call: Call, attempt = 0): Promise<T> => {
    try {
      return await once(work, call)
    } catch (thrown) {
      // A throttled request was not executed, so that any write may be sent again.
      if (!isThrottled(thrown) || attempt >= MAX_THROTTLED) throw thrown
      await sleep((thrown.retryAfterMs ?? 1000) * (1 + call.random.next()), call)
      return run(work, call, attempt + 1)
    }
  }
  return {
    run,
    get limit() {
      return Math.floor(limit)
    },
  }
}

function isThrottled(thrown: unknown): thrown is GitOpsError {
  return thrown instanceof GitOpsError && thrown.code === 'TARGET_THROTTLED'
}
