/** Values from a callback to an iteration. */
export interface Channel<T> {
  readonly push: (value: T) => void
  readonly end: () => void
  readonly fail: (error: unknown) => void
  readonly values: AsyncIterable<T>
}

/** A channel that keeps what is not read yet. */
export function channel<T>(): Channel<T> {
  const waiting: T[] = []
  let over: { readonly error?: unknown } | undefined
  let wake = (): void => {}
  const finish = (how: { readonly error?: unknown }): void => {
    over = how
    wake()
  }
  async function* values(): AsyncGenerator<T> {
    for (;;) {
      while (waiting.length > 0) yield waiting.shift()!
      if (over !== undefined) {
        if ('error' in over) throw over.error
        return
      }
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  return {
    push: (value) => {
      waiting.push(value)
      wake()
    },
    end: () => finish({}),
    fail: (error) => finish({ error }),
    values: values(),
  }
}
