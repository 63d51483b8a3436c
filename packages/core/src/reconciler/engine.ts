import type { EventBody } from '../feedback/events.ts'
import type { Feedback } from '../feedback/feedback.ts'
import { applyChange } from '../ledger/change.ts'
import type { Ledger, LedgerChange, LedgerRecord } from '../ledger/ledger.ts'
import type { Seal } from '../plan/plan.ts'
import { type Call, withDeadline } from '../runtime/call.ts'
import type { Member } from './member.ts'
import type { Pools } from './pools.ts'
import type { Queue } from './queue.ts'

/** What all parts of one reconciler share. */
export interface Engine {
  /** Time, randomness and log. Its signal never aborts: for work of its own, take `ownCall`. */
  readonly call: Call
  readonly ledger: Ledger
  readonly feedback: Feedback
  readonly pools: Pools
  readonly queue: Queue
  readonly members: Map<string, Member>
  readonly observeTimeoutMs: number
  readonly sourceTimeoutMs: number
  /** The fingerprints of this installation. */
  seal(): Promise<Seal>
}

/** A ledger that takes longer is as good as gone; the record is read again before anything else is done. */
export const LEDGER_TIMEOUT_MS = 30_000

/** A call with a signal of its own. One signal that all applications wait on would look like a leak to Node. */
export function ownCall({ call }: Pick<Engine, 'call'>): Call {
  return { ...call, signal: new AbortController().signal }
}

/** Records an event of `member`. */
export function tell(engine: Engine, event: EventBody): void {
  engine.feedback.record(event)
}

/** The record of the application: as last read or committed, or read now. */
export async function recordOf(engine: Engine, member: Member): Promise<LedgerRecord> {
  if (member.record !== undefined) return member.record
  const read = await withDeadline(ownCall(engine), LEDGER_TIMEOUT_MS, `Reading the ledger of ${member.name}`, (call) =>
    engine.ledger.read(member.name, call),
  )
  return keepNewer(member, read)
}

/** A commit may have been faster than a read. */
function keepNewer(member: Member, read: LedgerRecord): LedgerRecord {
  const known = member.record
  member.record = known !== undefined && known.version >= read.version ? known : read
  return member.record
}

/** A change of the record, or how it follows from the record as it is when its turn comes. */
export type RecordChange = Omit<LedgerChange, 'expect'> | ((record: LedgerRecord) => Omit<LedgerChange, 'expect'>)

/**
 * Commits a change to the ledger. Commits of one application take turns, so that a decision of a person and a run of
 * the engine do not fence each other.
 */
export function commit(engine: Engine, member: Member, change: RecordChange): Promise<void> {
  const mine = (member.committing ?? Promise.resolve()).then(() => commitInTurn(engine, member, change))
  member.committing = mine.catch(() => {})
  return mine
}

/** When it is not known what became of it, or somebody else wrote, the record is read again before anything else is done. */
async function commitInTurn(engine: Engine, member: Member, change: RecordChange): Promise<void> {
  const record = await recordOf(engine, member)
  const made = typeof change === 'function' ? change(record) : change
  const whole: LedgerChange = { ...made, expect: record.version }
  try {
    const version = await withDeadline(
      ownCall(engine),
      LEDGER_TIMEOUT_MS,
      `Writing the ledger of ${member.name}`,
      (call) => engine.ledger.commit(member.name, whole, call),
    )
    member.record = { ...applyChange(record, whole), version }
  } catch (error) {
    member.record = undefined
    throw error
  }
}
