/** Hands values to whoever listens. What nobody takes is forgotten: hints may be lost. */
export interface Feed<T> {
  readonly emit: (value: T) => void
  /** Yields what is emitted from now on, until the signal aborts. */
  readonly listen: (signal: AbortSignal) => AsyncIterable<T>
}

/** A listener that is this far behind loses the oldest hints. */
const MAX_WAITING = 1_000

/** A feed with any number of listeners. */
export function createFeed<T>(): Feed<T> {
  const listeners = new Set<(value: T) => void>()
  return {
    emit: (value) => {
      for (const hear of listeners) hear(value)
    },
    listen: (signal) => listenTo(listeners, signal),
  }
}

function listenTo<T>(listeners: Set<(value: T) => void>, signal: AbortSignal): AsyncIterable<T> {
  const waiting: T[] = []
  let wake = (): void => {}
  const hear = (value: T): void => {
    waiting.push(value)
    if (waiting.length > MAX_WAITING) waiting.shift()
    wake()
  }
  const stop = (): void => {
    listeners.delete(hear)
    wake()
  }
  if (!signal.aborted) listeners.add(hear)
  signal.addEventListener('abort', stop, { once: true })

  async function* values(): AsyncIterable<T> {
    try {
      while (!signal.aborted) {
        while (waiting.length > 0) yield waiting.shift()!
        if (!signal.aborted) await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      stop()
      signal.removeEventListener('abort', stop)
    }
  }
  return values()
}
