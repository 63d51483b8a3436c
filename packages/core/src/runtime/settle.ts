import { abortError } from './call.ts'
import type { GitOpsError } from './errors.ts'

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

/** Runs `run` for every item, at most `concurrency` at a time, and resolves when all are done; no more begin once `isOver`. */
export async function eachAtOnce<Item>(
  items: readonly Item[],
  concurrency: number,
  run: (item: Item) => Promise<void>,
  isOver: () => boolean,
): Promise<void> {
  let begun = 0
  const worker = async (): Promise<void> => {
    while (begun < items.length && !isOver()) await run(items[begun++]!)
  }
  const workers = Math.min(items.length, Math.max(1, concurrency))
  await Promise.all(Array.from({ length: workers }, worker))
}

/** Waits that all end when one signal aborts, with a single listener on it: a listener costs more than a short wait. */
export interface Abortable {
  /** Settles as `work` does, or rejects as soon as the signal aborts, also if `work` ignores it. */
  until<T>(work: Promise<T>): Promise<T>
  /** Takes the listener away. Waits under way no longer end early. */
  release(): void
}

/** Waits that end with `signal`. Release it when the last is over. */
export function abortable(signal: AbortSignal): Abortable {
  const waiting = new Set<(error: GitOpsError) => void>()
  const onAbort = (): void => {
    for (const reject of waiting) reject(abortError(signal))
  }
  signal.addEventListener('abort', onAbort, { once: true })
  return {
    until: (work) =>
      new Promise((resolve, reject) => {
        if (signal.aborted) reject(abortError(signal))
        waiting.add(reject)
        work.then(
          (result) => {
            waiting.delete(reject)
            resolve(result)
          },
          (error: unknown) => {
            waiting.delete(reject)
            reject(error)
          },
        )
      }),
    release: () => signal.removeEventListener('abort', onAbort),
  }
}
