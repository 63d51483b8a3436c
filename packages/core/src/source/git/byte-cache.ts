/** A map that forgets what was used longest ago once its values weigh more than it may hold. */
export interface ByteCache<V> {
  get(key: string): V | undefined
  set(key: string, value: V, sizeBytes: number): void
  clear(): void
  readonly sizeBytes: number
}

/** Bytes that one entry costs besides its value. */
const ENTRY_BYTES = 200

interface Entry<V> {
  readonly value: V
  readonly sizeBytes: number
}

/**
 * Two generations instead of a linked list: a hit in the old one moves up, and when the young one
 * holds half the budget, the old one is dropped.
 */
export function createByteCache<V>(maxBytes: number): ByteCache<V> {
  let young = new Map<string, Entry<V>>()
  let old = new Map<string, Entry<V>>()
  let youngBytes = 0
  let oldBytes = 0
  const add = (key: string, entry: Entry<V>): void => {
    if (young.has(key)) return
    young.set(key, entry)
    youngBytes += entry.sizeBytes
    if (youngBytes * 2 <= maxBytes) return
    old = young
    oldBytes = youngBytes
    young = new Map()
    youngBytes = 0
  }
  return {
    get: (key) => {
      const entry = young.get(key) ?? old.get(key)
      if (entry === undefined) return undefined
      if (old.has(key) && old.delete(key)) {
        oldBytes -= entry.sizeBytes
        add(key, entry)
      }
      return entry.value
    },
    set: (key, value, sizeBytes) => {
      if (sizeBytes * 4 <= maxBytes) add(key, { value, sizeBytes: sizeBytes + ENTRY_BYTES })
    },
    clear: () => {
      young.clear()
      old.clear()
      youngBytes = oldBytes = 0
    },
    get sizeBytes() {
      return youngBytes + oldBytes
    },
  }
}
