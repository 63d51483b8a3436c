/** Bytes that arrive piece by piece and are read as one. */
export interface GrowingBuffer {
  append(chunk: Uint8Array): void
  /** What is there so far. Valid until the next `append`. */
  readonly bytes: Buffer
  readonly length: number
  /** What is there, for good: as it is where most of its room is used, in a place of its own where much is empty. */
  finished(): Buffer
}

const FIRST_BYTES = 2 ** 16

/** Doubles its room whenever it is full. */
export function createGrowingBuffer(): GrowingBuffer {
  let room = Buffer.allocUnsafe(FIRST_BYTES)
  let bytes = room.subarray(0, 0)
  return {
    append: (chunk) => {
      const { length } = bytes
      const end = length + chunk.byteLength
      if (end > room.length) {
        const larger = Buffer.allocUnsafe(Math.max(room.length * 2, end))
        room.copy(larger, 0, 0, length)
        room = larger
      }
      room.set(chunk, length)
      bytes = room.subarray(0, end)
    },
    get bytes() {
      return bytes
    },
    get length() {
      return bytes.length
    },
    finished: () => (bytes.length < room.length / 2 ? Buffer.from(bytes) : bytes),
  }
}
