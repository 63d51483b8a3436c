import type { EventBody } from '../feedback/events.ts'
import type { Feedback } from '../feedback/feedback.ts'
import { applyChange } from '../ledger/change.ts'
import type { Ledger, LedgerChange, LedgerRecord } from '../ledger/ledger.ts'
import type { Seal } from '../plan/plan.ts'
import { type Call, withDeadline } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { Member } from './member.ts'
import type { Members } from './members.ts'
import type { Pools } from './pools.ts'
import type { Queue } from './queue.ts'
import type { Share } from './share/contract.ts'

/** What all parts of one reconciler share. */
export interface Engine {
  /** Time, randomness and log. Its signal never aborts: for work of its own, take `ownCall`. */
  readonly call: Call
  readonly ledger: Ledger
  readonly feedback: Feedback
  readonly pools: Pools
  readonly queue: Queue
  readonly members: Members
  /** Present where other processes share the applications. */
  readonly share?: Share | undefined
  /** Claims that one tenant may have at a time, where other processes share the applications. */
  readonly tenantLimit?: number | undefined
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

/** The record of the application: as last read or committed, or read now. Others may write it unless it is claimed here. */
export async function recordOf(engine: Engine, member: Member): Promise<LedgerRecord> {
  const { share } = engine
  const isOurs = share === undefined || share.claimOf(member.name) !== undefined
  if (isOurs && member.record !== undefined) return member.record
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

/**
 * The last commit of a run. Where processes share the applications it is made with the end of the claim, in one moment:
 * what the run did, and that nobody has to do it again.
 */
export async function commitLast(engine: Engine, member: Member, change: Omit<LedgerChange, 'expect'>): Promise<void> {
  if (engine.share?.claimOf(member.name) === undefined) await commit(engine, member, change)
  else member.closing = change
}

/** Tries of a commit that met one of another process. */
const COMMIT_TRIES = 5

async function commitInTurn(engine: Engine, member: Member, change: RecordChange): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await commitOnce(engine, member, change)
    } catch (error) {
      if (engine.share === undefined || attempt === COMMIT_TRIES || !isOvertaken(error)) throw error
    }
  }
}

/** A person decided in another process while a run goes on here, or the other way round. They change different members. */
function isOvertaken(error: unknown): boolean {
  return error instanceof GitOpsError && error.code === 'LEDGER_FENCED' && error.details['token'] === undefined
}

/** When it is not known what became of it, or somebody else wrote, the record is read again before anything else is done. */
async function commitOnce(engine: Engine, member: Member, change: RecordChange): Promise<void> {
  const record = await recordOf(engine, member)
  const made = typeof change === 'function' ? change(record) : change
  const claim = engine.share?.claimOf(member.name)
  const held = claim && { claim: { key: claim.key, token: claim.token } }
  const whole: LedgerChange = { ...made, ...held, expect: record.version }
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
