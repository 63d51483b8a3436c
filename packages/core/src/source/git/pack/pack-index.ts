import { OID_BYTES } from '../objects.ts'
import type { Slicer } from '../slice.ts'

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

/** What one step costs for each id, in bytes. */
const STEP_COST = 100

/**
 * Sorts by id, in steps between which the event loop runs. Sorts plain numbers, the first four bytes
 * and the position in one, which engines do fast.
 */
export async function sortIndex(entries: UnsortedIndex, slicer: Slicer): Promise<PackIndex> {
  const { count } = entries
  const keys = new Float64Array(count)
  for (let at = 0; at < count; at++) keys[at] = entries.oids.readUInt32BE(at * OID_BYTES) * 2 ** 21 + at
  keys.sort()
  const order = new Uint32Array(count)
  for (let at = 0; at < count; at++) order[at] = (keys[at] ?? 0) % 2 ** 21
  if (slicer.isFull(count * STEP_COST)) await slicer.pause()
  sortEqualPrefixes(order, entries.oids)
  if (slicer.isFull(count * STEP_COST)) await slicer.pause()
  const oids = pickOids(entries.oids, order)
  if (slicer.isFull(count * STEP_COST)) await slicer.pause()
  return createIndex({ count, oids, offsets: pick(entries.offsets, order), checksums: pick(entries.checksums, order) })
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
  for (let to = 0; to < order.length; to++) {
    const from = (order[to] ?? 0) * OID_BYTES
    oids.copy(sorted, to * OID_BYTES, from, from + OID_BYTES)
  }
  return sorted
}

function pick(values: Uint32Array, order: Uint32Array): Uint32Array {
  const picked = new Uint32Array(order.length)
  for (let to = 0; to < order.length; to++) picked[to] = values[order[to] ?? 0] ?? 0
  return picked
}

/** An index over ids that are sorted already. */
export function createIndex(sorted: UnsortedIndex): PackIndex {
  const { count, oids } = sorted
  const prefixes = new Uint32Array(count)
  for (let at = 0; at < count; at++) prefixes[at] = oids.readUInt32BE(at * OID_BYTES)
  return { ...sorted, find: (oid) => find(prefixes, oids, oid) }
}

/** Looks for the first four bytes among numbers, then compares the few ids that share them. */
function find(prefixes: Uint32Array, oids: Buffer, oid: string): number {
  const prefix = Number.parseInt(oid.slice(0, 8), 16)
  for (let at = lowerBound(prefixes, prefix); prefixes[at] === prefix; at++)
    if (oids.toString('hex', at * OID_BYTES, (at + 1) * OID_BYTES) === oid) return at
  return -1
}

/** The first position whose value is not smaller. */
export function lowerBound(sorted: Uint32Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? 0) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** All ids, sorted. */
export function idsOf({ oids, count }: PackIndex): readonly string[] {
  return Array.from({ length: count }, (_, at) => oids.toString('hex', at * OID_BYTES, (at + 1) * OID_BYTES))
}

/** Ids that start with the hexadecimal digits `prefix`; at most ten. */
export function findPrefix(index: PackIndex, prefix: string): readonly string[] {
  const found: string[] = []
  for (
    let at = firstNotBefore(index, Buffer.from(prefix.padEnd(40, '0'), 'hex'));
    at < index.count && found.length < 10;
    at++
  ) {
    const oid = index.oids.toString('hex', at * OID_BYTES, (at + 1) * OID_BYTES)
    if (!oid.startsWith(prefix)) break
    found.push(oid)
  }
  return found
}

function firstNotBefore({ count, oids }: PackIndex, wanted: Buffer): number {
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
