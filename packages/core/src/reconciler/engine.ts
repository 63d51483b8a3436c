import type { EventBody } from '../feedback/events.ts'
import type { Feedback } from '../feedback/feedback.ts'
import { applyChange } from '../ledger/change.ts'
import type { Ledger, LedgerChange, LedgerRecord } from '../ledger/ledger.ts'
import type { Seal } from '../plan/plan.ts'
import type { Call } from '../runtime/call.ts'
import type { Member } from './member.ts'
import type { Pools } from './pools.ts'
import type { Queue } from './queue.ts'

/** What all parts of one reconciler share. */
export interface Engine {
  /** Aborts when the reconciler is stopped for good. */
  readonly call: Call
  readonly ledger: Ledger
  readonly feedback: Feedback
  readonly pools: Pools
  readonly queue: Queue
  readonly members: Map<string, Member>
  readonly observeTimeoutMs: number
  /** The fingerprints of this installation. */
  seal(): Promise<Seal>
}

/** Records an event of `member`. */
export function tell(engine: Engine, event: EventBody): void {
  engine.feedback.record(event)
}

/** The record of the application: as last read or committed, or read now. */
export async function recordOf(engine: Engine, member: Member): Promise<LedgerRecord> {
  member.record ??= await engine.ledger.read(member.name, engine.call)
  return member.record
}

/**
 * Commits a change to the ledger. When it is not known what became of it, or somebody else wrote, the record is
 * read again before anything else is done.
 */
export async function commit(engine: Engine, member: Member, change: Omit<LedgerChange, 'expect'>): Promise<void> {
  const record = await recordOf(engine, member)
  const whole: LedgerChange = { ...change, expect: record.version }
  member.record = undefined
  const version = await engine.ledger.commit(member.name, whole, engine.call)
  member.record = { ...applyChange(record, whole), version }
}
