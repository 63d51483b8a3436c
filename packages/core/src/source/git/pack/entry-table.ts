import { OID_BYTES } from '../objects.ts'

/** The entries of a pack in the order they are written, while they are being decoded. */
export interface EntryTable {
  count: number
  readonly oids: Buffer
  readonly offsets: Uint32Array
  readonly checksums: Uint32Array
  /** Deltas between the entry and a whole object. */
  readonly depths: Uint16Array
  /** 1 where the object is known: inflated, put together and named. */
  readonly resolved: Uint8Array
}

/** Room for `capacity` entries. */
export function createEntryTable(capacity: number): EntryTable {
  return {
    count: 0,
    oids: Buffer.alloc(capacity * OID_BYTES),
    offsets: new Uint32Array(capacity),
    checksums: new Uint32Array(capacity),
    depths: new Uint16Array(capacity),
    resolved: new Uint8Array(capacity),
  }
}

/** The same entries with room for `extra` more. */
export function enlarge(table: EntryTable, extra: number): EntryTable {
  const larger = createEntryTable(table.count + extra)
  larger.count = table.count
  larger.oids.set(table.oids.subarray(0, table.count * OID_BYTES))
  for (const name of ['offsets', 'checksums', 'depths', 'resolved'] as const)
    larger[name].set(table[name].subarray(0, table.count))
  return larger
}

/** The id of the entry at `position`. */
export function oidAt(table: Pick<EntryTable, 'oids'>, position: number): string {
  return table.oids.toString('hex', position * OID_BYTES, (position + 1) * OID_BYTES)
}

/** The position of the entry that begins at `offset`, or -1. Offsets rise with the position. */
export function positionOf(table: Pick<EntryTable, 'count' | 'offsets'>, offset: number): number {
  let low = 0
  let high = table.count - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const at = table.offsets[middle] ?? 0
    if (at === offset) return middle
    if (at < offset) low = middle + 1
    else high = middle - 1
  }
  return -1
}
