/** Bytes that arrive piece by piece and are read as one. */
export interface GrowingBuffer {
  append(chunk: Uint8Array): void
  /** What is there so far. Valid until the next `append`. */
  readonly bytes: Buffer
  readonly length: number
}

const FIRST_BYTES = 2 ** 16

/** Doubles its room whenever it is full. */
export function createGrowingBuffer(): GrowingBuffer {
  let room = Buffer.allocUnsafe(FIRST_BYTES)
  let length = 0
  return {
    append: (chunk) => {
      if (length + chunk.byteLength > room.length) {
        const larger = Buffer.allocUnsafe(Math.max(room.length * 2, length + chunk.byteLength))
        room.copy(larger, 0, 0, length)
        room = larger
      }
      room.set(chunk, length)
      length += chunk.byteLength
    },
    get bytes() {
      return room.subarray(0, length)
    },
    get length() {
      return length
    },
  }
}
