import { digestOf } from '../desired/digest.ts'
import type { Json } from '../runtime/json.ts'
import type { AuditEntry, AuditRecord } from './ledger.ts'

/** The end of an audit log: what the next record is chained to. Keep a copy elsewhere to notice a log that was cut off. */
export type AuditHead = Pick<AuditRecord, 'sequence' | 'hash'>

/** The head of a log without records. */
export const emptyAudit: AuditHead = { sequence: 0, hash: '' }

/** `entry` as the record that follows `head`. */
export function chainAudit(head: AuditHead, entry: AuditEntry): AuditRecord {
  const link = { sequence: head.sequence + 1, previous: head.hash }
  return { ...entry, ...link, hash: hashOf({ ...entry, ...link }) }
}

/** What `verifyAudit` found. */
export type AuditVerdict =
  | {
      readonly valid: true
      readonly records: number
      /** Sequence of the first record: larger than 1 when older ones were dropped by retention. */
      readonly first: number
      readonly head: AuditHead
    }
  | {
      readonly valid: false
      /** Sequence of the record at which the chain breaks. */
      readonly sequence: number
      /** One sentence for a person. */
      readonly problem: string
    }

/**
 * Finds out whether an audit log is as it was written: any record that was edited, removed from the
 * middle, inserted or moved breaks the chain. Give the whole log, not one application's part of it.
 * A log that was cut off at its end is found by comparing with `head`, kept from an earlier verdict.
 */
export async function verifyAudit(
  records: Iterable<AuditRecord> | AsyncIterable<AuditRecord>,
  head?: AuditHead,
): Promise<AuditVerdict> {
  let last: AuditHead | undefined
  let first = 0
  let count = 0
  let headSeen = head === undefined || head.sequence === 0
  for await (const record of records) {
    const problem = problemOf(record, last)
    if (problem !== undefined) return { valid: false, sequence: record.sequence, problem }
    if (head?.sequence === record.sequence && head.hash !== record.hash) return rewritten(head)
    headSeen ||= head?.sequence === record.sequence
    if (count++ === 0) first = record.sequence
    last = { sequence: record.sequence, hash: record.hash }
  }
  if (!headSeen && head !== undefined && head.sequence >= first) return cutOff(head, last)
  return { valid: true, records: count, first, head: last ?? emptyAudit }
}

function problemOf(record: AuditRecord, last: AuditHead | undefined): string | undefined {
  const { hash, ...body } = record
  if (hashOf(body) !== hash) return `Record ${record.sequence} was changed: its hash does not fit its content.`
  if (last === undefined) {
    const wrong = record.sequence === 1 && record.previous !== ''
    return wrong ? 'Record 1 names a record before it, but there is none.' : undefined
  }
  if (record.sequence !== last.sequence + 1)
    return `Record ${record.sequence} follows record ${last.sequence}: some are missing or moved.`
  return record.previous === last.hash
    ? undefined
    : `Record ${record.sequence} does not continue record ${last.sequence}.`
}

function rewritten(head: AuditHead): AuditVerdict {
  return {
    valid: false,
    sequence: head.sequence,
    problem: `Record ${head.sequence} is another one than the head that was kept.`,
  }
}

function cutOff(head: AuditHead, last: AuditHead | undefined): AuditVerdict {
  const end = last === undefined ? 'is empty' : `ends at record ${last.sequence}`
  return {
    valid: false,
    sequence: head.sequence,
    problem: `The log ${end}, but record ${head.sequence} was once its head.`,
  }
}

function hashOf(record: Omit<AuditRecord, 'hash'>): string {
  return digestOf(record as unknown as Json)
}
