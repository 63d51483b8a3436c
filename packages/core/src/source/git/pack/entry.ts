import { GitOpsError } from '../../../runtime/errors.ts'
import { OID_BYTES, type ObjectType } from '../objects.ts'

/** How an object is written down in a pack. */
export interface PackEntry {
  readonly kind: ObjectType | 'offset-delta' | 'oid-delta'
  /** Bytes of what the compressed data inflates to: the object, or the delta. */
  readonly sizeBytes: number
  /** Where the compressed data begins. */
  readonly dataStart: number
  /** Offset of the base of an `offset-delta`. */
  readonly baseOffset?: number
  /** Id of the base of an `oid-delta`. */
  readonly baseOid?: string
}

const kinds = [undefined, 'commit', 'tree', 'blob', 'tag', undefined, 'offset-delta', 'oid-delta'] as const

/** The most bytes that the head of an entry takes: sizes, and the id of a base. */
export const MAX_ENTRY_HEAD: number = 10 + OID_BYTES

/** Reads the head of the entry at `start` of `bytes`, which is at `offset` of its pack. */
export function readEntry(bytes: Buffer, start: number, offset: number = start): PackEntry {
  let at = start
  let byte = bytes[at++] ?? 0
  const kind = kinds[(byte >> 4) & 7]
  let sizeBytes = byte & 15
  for (let factor = 16; byte >= 0x80; factor *= 128) {
    byte = bytes[at++] ?? 0
    sizeBytes += (byte & 0x7f) * factor
    if (factor > 2 ** 46) throw damaged(offset, 'its size cannot be read')
  }
  if (kind === undefined) throw damaged(offset, 'its type is unknown')
  if (kind === 'oid-delta')
    return { kind, sizeBytes, baseOid: bytes.toString('hex', at, at + OID_BYTES), dataStart: at + OID_BYTES }
  if (kind !== 'offset-delta') return { kind, sizeBytes, dataStart: at }
  const { distance, next } = readDistance(bytes, at, offset)
  return { kind, sizeBytes, baseOffset: offset - distance, dataStart: next }
}

function readDistance(bytes: Buffer, start: number, offset: number): { distance: number; next: number } {
  let at = start
  let byte = bytes[at++] ?? 0
  let distance = byte & 0x7f
  while (byte >= 0x80) {
    byte = bytes[at++] ?? 0
    distance = (distance + 1) * 128 + (byte & 0x7f)
    if (at - start > 8) break
  }
  if (distance <= 0 || distance > offset) throw damaged(offset, 'its base lies outside of the pack')
  return { distance, next: at }
}

/** The head of an entry that holds a whole object, as it is written. */
export function entryHead(type: ObjectType, sizeBytes: number): Buffer {
  return sizedHead(kinds.indexOf(type), sizeBytes)
}

/** The head of an entry that holds a delta against the object `baseOid`. */
export function deltaHead(baseOid: Buffer, sizeBytes: number): Buffer {
  return Buffer.concat([sizedHead(kinds.indexOf('oid-delta'), sizeBytes), baseOid])
}

function sizedHead(code: number, sizeBytes: number): Buffer {
  const bytes: number[] = [(code << 4) | (sizeBytes & 15)]
  let rest = Math.floor(sizeBytes / 16)
  while (rest > 0) {
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) | 0x80
    bytes.push(rest & 0x7f)
    rest = Math.floor(rest / 128)
  }
  return Buffer.from(bytes)
}

function damaged(offset: number, what: string): GitOpsError {
  return new GitOpsError('SOURCE_CORRUPT', `The entry at byte ${offset} of the pack is damaged: ${what}.`)
}
