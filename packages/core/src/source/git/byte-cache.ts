/** A map that forgets what was not used lately once its values weigh more than it may hold. */
export interface ByteCache<V> {
  get(key: string): V | undefined
  set(key: string, value: V, sizeBytes: number): void
  readonly sizeBytes: number
}

/** Bytes that one entry costs besides its value. */
const ENTRY_BYTES = 200
/** A value that takes more than this part of the room is not worth what it would push out. */
const LARGEST_PART = 1 / 4
/** How far room is made once it is used up: some at a time, because looking for the oldest passes over those that left. */
const KEPT_PART = 7 / 8

interface Entry<V> {
  readonly value: V
  readonly sizeBytes: number
  used: boolean
}

/**
 * The clock algorithm: entries wait in a queue for their turn to go, and one that was used meanwhile
 * is sent back to its end once. A hit costs one look-up.
 */
export function createByteCache<V>(maxBytes: number): ByteCache<V> {
  const entries = new Map<string, Entry<V>>()
  let totalBytes = 0
  const makeRoom = (): void => {
    for (const [key, entry] of entries) {
      if (totalBytes <= maxBytes * KEPT_PART) return
      entries.delete(key)
      if (entry.used) entries.set(key, { ...entry, used: false })
      else totalBytes -= entry.sizeBytes
    }
  }
  return {
    get: (key) => {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entry.used = true
      return entry.value
    },
    set: (key, value, sizeBytes) => {
      if (sizeBytes > maxBytes * LARGEST_PART || entries.has(key)) return
      entries.set(key, { value, sizeBytes: sizeBytes + ENTRY_BYTES, used: false })
      totalBytes += sizeBytes + ENTRY_BYTES
      if (totalBytes > maxBytes) makeRoom()
    },
    get sizeBytes() {
      return totalBytes
    },
  }
}
