import { OID_BYTES } from '../objects.ts'
import type { DecodedPack } from './decode.ts'
import { type PackIndex, lowerBound } from './pack-index.ts'

/** A pack whose objects can be read, wherever its bytes are. */
export interface KeptPack {
  /** The checksum at its end, which names it. */
  readonly checksum: string
  /** Tells it from another opening of the same file, whose bytes may be others. */
  readonly key: string
  readonly index: PackIndex
  readonly sizeBytes: number
  /** In a folder, where others may change it: what is read is checked against its name. */
  readonly onDisk: boolean
  /** The entry that begins at `start`, perhaps with bytes behind it; at once where the pack is in memory. */
  entryAt(start: number): Buffer | Promise<Buffer>
  /** What follows what in it. */
  order(): PackOrder
}

/** A pack that was just decoded and checked: its bytes stay in memory. */
export function keptInMemory({ bytes, index, checksum }: DecodedPack): KeptPack {
  let order: PackOrder | undefined
  return {
    checksum,
    key: checksum,
    index,
    sizeBytes: bytes.length,
    onDisk: false,
    entryAt: (start) => bytes.subarray(start),
    order: () => (order ??= orderOf(index, bytes.length)),
  }
}

/** The entries of a pack in the order they are written. */
export interface PackOrder {
  /** Where the entry that begins at `start` ends. */
  endOf(start: number): number
  /** The id of the object whose entry begins at `start`. */
  oidAt(start: number): string
}

/** Works out what follows what in a pack of `sizeBytes`. */
export function orderOf(index: PackIndex, sizeBytes: number): PackOrder {
  const keys = Float64Array.from(index.offsets.subarray(0, index.count), (offset, at) => offset * 2 ** 21 + at).sort()
  const offsets = Uint32Array.from(keys, (key) => Math.floor(key / 2 ** 21))
  const positions = Uint32Array.from(keys, (key) => key % 2 ** 21)
  return {
    endOf: (start) => offsets[lowerBound(offsets, start + 1)] ?? sizeBytes - OID_BYTES,
    oidAt: (start) => {
      const at = positions[lowerBound(offsets, start)] ?? 0
      return index.oids.toString('hex', at * OID_BYTES, (at + 1) * OID_BYTES)
    },
  }
}
