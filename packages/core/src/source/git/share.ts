import { type Call, abortError, throwIfAborted } from '../../runtime/call.ts'

/**
 * One run of `work` for everybody who waits for it. It goes on until the last of them has left, and
 * none of them waits longer than their own call allows.
 */
export interface SharedRun<T> {
  /** Resolves with the result; rejects as soon as `call` is aborted, without disturbing the others. */
  wait(call: Pick<Call, 'signal'>): Promise<T>
}

/** Starts `work` with a call of its own, which is aborted when nobody waits any more. */
export function shareRun<T>(first: Call, work: (call: Call) => Promise<T>): SharedRun<T> {
  const controller = new AbortController()
  const result = work({ ...first, signal: controller.signal })
  let waiting = 0
  let isSettled = false
  result.finally(() => (isSettled = true)).catch(() => {})
  return {
    wait: async (call) => {
      throwIfAborted(call)
      waiting++
      try {
        return await untilAborted(result, call)
      } finally {
        waiting--
        if (waiting === 0 && !isSettled) controller.abort(call.signal.reason)
      }
    },
  }
}

function untilAborted<T>(result: Promise<T>, { signal }: Pick<Call, 'signal'>): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Runs by key: who asks for what is running joins it. For answers that do not change. */
export interface SharedRuns<T> {
  join(key: string, call: Call, work: (call: Call) => Promise<T>): Promise<T>
}

/** Joins runs of equal key while they last. */
export function createSharedRuns<T>(): SharedRuns<T> {
  const runs = new Map<string, SharedRun<T>>()
  return {
    join: (key, call, work) => {
      const running = runs.get(key)
      if (running !== undefined) return running.wait(call)
      const run = shareRun(call, async (own) => {
        try {
          return await work(own)
        } finally {
          runs.delete(key)
        }
      })
      runs.set(key, run)
      return run.wait(call)
    },
  }
}
