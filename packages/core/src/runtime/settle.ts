import { abortError } from './call.ts'

/** Runs `run` for every item, at most `concurrency` at a time, and yields the results as they come. `run` does not reject. */
export async function* asTheySettle<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  run: (item: Item) => Promise<Result>,
): AsyncIterable<Result> {
  const settled: Promise<Result>[] = []
  let wake = (): void => {}
  const start = (work: Promise<Result>): void => {
    const settle = (): void => {
      settled.push(work)
      wake()
    }
    work.then(settle, settle)
  }
  let begun = 0
  for (let yielded = 0; yielded < items.length; yielded++) {
    while (begun < items.length && begun - yielded < Math.max(1, concurrency)) start(run(items[begun++]!))
    if (settled.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    yield settled.shift()!
  }
}

/** Settles as `work` does, or rejects as soon as the signal aborts, also if `work` ignores it. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortError(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    const stop = (): void => signal.removeEventListener('abort', onAbort)
    work.then(resolve, reject).finally(stop)
  })
}
