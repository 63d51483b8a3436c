/** Lets work with the same key happen one after the other. */
export interface Turns {
  <T>(key: string, work: () => Promise<T>): Promise<T>
  /** Resolves when the work that waits now is done. */
  settled(): Promise<unknown>
}

/** Turns that nobody waits for yet. */
export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>()
  const take = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const before = last.get(key) ?? Promise.resolve()
    const mine = before.then(work, work)
    const settled = mine.then(
      () => {},
      () => {},
    )
    last.set(key, settled)
    try {
      return await mine
    } finally {
      if (last.get(key) === settled) last.delete(key)
    }
  }
  return Object.assign(take, { settled: () => Promise.all(last.values()) })
}
