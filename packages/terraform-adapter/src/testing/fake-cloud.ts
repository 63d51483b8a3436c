import { randomUUID } from 'node:crypto'

/** One object in the fake cloud. */
export interface CloudRecord {
  readonly id: string
  readonly name: string
  value: string | null
  tags: Record<string, string> | null
  secret: string | null
  etag: string
}

/** What happens to the calls for records of one name. */
export interface CloudFault {
  /** How long a create or update takes, in milliseconds. */
  readonly delayMs?: number
  /** The call is refused with this message. */
  readonly error?: string
  /** The provider process is gone as soon as the record exists. */
  readonly crash?: boolean
}

/** A cloud in memory. Edit and delete in `records` as somebody would do by hand. */
export interface FakeCloud {
  /** By id. */
  readonly records: Map<string, CloudRecord>
  /** By name of the record. */
  readonly faults: Map<string, CloudFault>
  /** While it is set, every read is refused with this message. */
  outage?: string | undefined
  /** How many reads are on their way now, and how many were at most. */
  readonly reads: { now: number; most: number }
  /** What was received in write-only attributes, by name of the record. */
  readonly passwords: Map<string, string>
  /** The record of that name; the first when there are duplicates. */
  find(name: string): CloudRecord | undefined
  /** How many records have that name: more than one is a duplicate. */
  count(name: string): number
  create(given: Omit<CloudRecord, 'id' | 'etag'>): CloudRecord
}

/** An empty cloud. */
export function fakeCloud(): FakeCloud {
  const records = new Map<string, CloudRecord>()
  const named = (name: string): CloudRecord[] => [...records.values()].filter((record) => record.name === name)
  return {
    records,
    faults: new Map(),
    reads: { now: 0, most: 0 },
    passwords: new Map(),
    find: (name) => named(name)[0],
    count: (name) => named(name).length,
    create(given) {
      const record = { ...given, id: randomUUID(), etag: randomUUID() }
      records.set(record.id, record)
      return record
    },
  }
}
