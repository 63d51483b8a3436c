import { abortError } from './call.ts'

/** Runs `run` for every item, at most `concurrency` at a time, and yields the results as they come. `run` does not reject. */
export async function* asTheySettle<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  run: (item: Item) => Promise<Result>,
): AsyncIterable<Result> {
  const running = new Map<number, Promise<readonly [number, Result]>>()
  let next = 0
  while (next < items.length || running.size > 0) {
    while (next < items.length && running.size < Math.max(1, concurrency)) {
      const index = next++
      running.set(
        index,
        run(items[index]!).then((result) => [index, result] as const),
      )
    }
    const [index, result] = await Promise.race(running.values())
    running.delete(index)
    yield result
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
