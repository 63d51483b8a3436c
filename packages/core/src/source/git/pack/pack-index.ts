import { OID_BYTES } from '../objects.ts'

/** Where each object of a pack is, sorted by id. */
export interface PackIndex {
  readonly count: number
  /** All ids, sorted, one after the other. */
  readonly oids: Buffer
  readonly offsets: Uint32Array
  /** Checksum of each entry as it is written in the pack. */
  readonly checksums: Uint32Array
  /** The position of `oid`, or -1. */
  find(oid: string): number
}

/** Ids of a pack in the order of their entries; the arrays may be longer than `count`. */
export interface UnsortedIndex {
  readonly count: number
  readonly oids: Buffer
  readonly offsets: Uint32Array
  readonly checksums: Uint32Array
}

/** Sorts by id. Sorts plain numbers, first four bytes and position in one, which engines do fast. */
export function sortIndex(entries: UnsortedIndex): PackIndex {
  const { count } = entries
  const keys = new Float64Array(count)
  for (let at = 0; at < count; at++) keys[at] = entries.oids.readUInt32BE(at * OID_BYTES) * 2 ** 21 + at
  keys.sort()
  const order = Uint32Array.from(keys, (key) => key % 2 ** 21)
  sortEqualPrefixes(order, entries.oids)
  return createIndex({
    count,
    oids: pickOids(entries.oids, order),
    offsets: order.map((at) => entries.offsets[at] ?? 0),
    checksums: order.map((at) => entries.checksums[at] ?? 0),
  })
}

/** The sort compared four bytes; the few neighbours that share them are put in order here. */
function sortEqualPrefixes(order: Uint32Array, oids: Buffer): void {
  for (let at = 1; at < order.length; at++) {
    for (let back = at; back > 0 && compareAt(oids, order[back - 1] ?? 0, order[back] ?? 0) > 0; back--) {
      const held = order[back] ?? 0
      order[back] = order[back - 1] ?? 0
      order[back - 1] = held
    }
  }
}

function compareAt(oids: Buffer, left: number, right: number): number {
  const difference = oids.readUInt32BE(left * OID_BYTES) - oids.readUInt32BE(right * OID_BYTES)
  if (difference !== 0) return difference
  const start = right * OID_BYTES
  return oids.compare(oids, start, start + OID_BYTES, left * OID_BYTES, left * OID_BYTES + OID_BYTES)
}

function pickOids(oids: Buffer, order: Uint32Array): Buffer {
  const sorted = Buffer.allocUnsafe(order.length * OID_BYTES)
  order.forEach((from, to) => oids.copy(sorted, to * OID_BYTES, from * OID_BYTES, (from + 1) * OID_BYTES))
  return sorted
}

/** An index over ids that are sorted already. */
export function createIndex(sorted: UnsortedIndex): PackIndex {
  return { ...sorted, find: (oid) => find(sorted, oid) }
}

function find({ count, oids }: UnsortedIndex, oid: string): number {
  const wanted = Buffer.from(oid, 'hex')
  const prefix = wanted.readUInt32BE(0)
  let low = 0
  let high = count - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const at = middle * OID_BYTES
    const difference = prefix - oids.readUInt32BE(at) || wanted.compare(oids, at, at + OID_BYTES)
    if (difference === 0) return middle
    if (difference < 0) high = middle - 1
    else low = middle + 1
  }
  return -1
}

/** Positions whose id starts with the hexadecimal digits `prefix`. */
export function findPrefix(index: PackIndex, prefix: string): readonly string[] {
  const low = lowerBound(index, prefix.padEnd(40, '0'))
  const found: string[] = []
  for (let at = low; at < index.count && found.length < 10; at++) {
    const oid = index.oids.toString('hex', at * OID_BYTES, (at + 1) * OID_BYTES)
    if (!oid.startsWith(prefix)) break
    found.push(oid)
  }
  return found
}

function lowerBound({ count, oids }: PackIndex, oid: string): number {
  const wanted = Buffer.from(oid, 'hex')
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >> 1
    const at = middle * OID_BYTES
    if (wanted.compare(oids, at, at + OID_BYTES) > 0) low = middle + 1
    else high = middle
  }
  return low
}
