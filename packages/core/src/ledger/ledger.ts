import type { Inventory, Owned } from '../actual/inventory.ts'
import type { Action, Plan } from '../plan/plan.ts'
import type { ResourceRef } from '../desired/desired.ts'
import type { Call } from '../runtime/call.ts'
import type { ErrorRecord } from '../runtime/errors.ts'
import type { Json } from '../runtime/json.ts'
import type { Completion, Held, Queue } from '../queue/queue.ts'
import type { Revision } from '../source/source.ts'

/**
 * What we own and did: inventory, journal, approvals, history, audit, per application.
 *
 * One commit is atomic: all of it is durable when the promise resolves, none of it when it rejects
 * with anything but `LEDGER_UNAVAILABLE` (then it may be either, and is read again).
 */
export interface Ledger extends Partial<AsyncDisposable> {
  /** Safe to print. */
  readonly id: string
  /** Present where several processes share the applications: who may work on what. Commits are fenced by its claims. */
  readonly queue?: Queue
  /** The record of an application; an empty one at version 0 when it has none. */
  read(application: string, call: Call): Promise<LedgerRecord>
  /** Applies `change` if the record is still at `change.expect`; returns the new version. Throws `LEDGER_FENCED` otherwise. */
  commit(application: string, change: LedgerChange, call: Call): Promise<number>
  /** Names of the applications that have a record, sorted. */
  applications(call: Call): AsyncIterable<string>
  /** Finished runs, newest first. */
  history(query: HistoryQuery, call: Call): AsyncIterable<RunRecord>
  /** The audit log, oldest first, as it was chained. */
  audit(query: AuditQuery, call: Call): AsyncIterable<AuditRecord>
  /**
   * Housekeeping: forgets what need not be kept any longer. Where there is a `queue`, one process does it about every
   * hour. May be stopped at any time and called again.
   */
  upkeep?(call: Call): Promise<void>
  /** 32 random bytes, made once per installation: the key of fingerprints. */
  installKey(call: Call): Promise<Uint8Array>
}

/** All that is remembered of one application. Plain data. */
export interface LedgerRecord {
  readonly application: string
  /** Rises by one with each commit. */
  readonly version: number
  readonly inventory: Inventory
  /** Present while an apply is under way, or was when the process died. */
  readonly journal?: JournalEntry
  readonly approvals: readonly Approval[]
  readonly hold?: Hold
  readonly suspension?: Suspension
  /** What the engine remembers between runs. */
  readonly state: StoredState
}

/** What one commit changes. Absent members stay as they are; `null` removes. */
export interface LedgerChange {
  /** The version that was read: the fence. */
  readonly expect: number
  readonly inventory?: { readonly put?: readonly Owned[]; readonly remove?: readonly string[] }
  readonly journal?: JournalEntry | null
  readonly approvals?: readonly Approval[]
  readonly hold?: Hold | null
  readonly suspension?: Suspension | null
  readonly state?: StoredState
  /** Appended to the history. */
  readonly run?: RunRecord
  /** Appended to the audit log, which chains them. */
  readonly audit?: readonly AuditEntry[]
  /** Refused with `LEDGER_FENCED` unless this is the newest claim of its key: compared with the queue, in the same moment. */
  readonly claim?: Held
  /** Ends a claim with this commit: both happen, or neither. Refused with `LEDGER_FENCED` when the claim is lost. */
  readonly complete?: Completion
  /** Removes the record altogether, history and audit excepted. */
  readonly forget?: boolean
}

/** Written before an apply, removed after it: what may have happened if the process dies in between. */
export interface JournalEntry {
  readonly runId: string
  readonly startedAt: number
  readonly revision: Revision
  /** The redacted plan that is being applied. */
  readonly plan: Plan
  /** Index of the step that is under way, counted from 0. */
  readonly step: number
}

/** A person's or program's consent to exactly one plan. */
export interface Approval {
  readonly fingerprint: string
  readonly by: string
  readonly at: number
  /** Epoch milliseconds; no longer valid then. */
  readonly expiresAt?: number
  readonly note?: string
}

/** Pins an application to one revision until it is released. Set by a rollback. */
export interface Hold {
  readonly revision: Revision
  readonly by: string
  readonly at: number
  readonly reason: string
  /** Revisions that must not be applied again; the hold ends by itself on any other. */
  readonly rejected: readonly string[]
  /**
   * Set while nobody has seen what the source was at when the rollback was asked for: its server was down after a
   * restart. The first head older than the hold is then rejected as well.
   */
  readonly headUnseen?: boolean
}

/** Nothing is applied until it ends; drift is still reported. */
export interface Suspension {
  readonly by: string
  readonly at: number
  readonly reason: string
  /** Epoch milliseconds; absent means until it is resumed. */
  readonly until?: number
}

/** What the engine remembers between runs: small, plain, without secrets. */
export interface StoredState {
  /** The revision that was last applied completely. */
  readonly applied?: Revision
  /** The digest of the desired state that was last applied completely. */
  readonly appliedDigest?: string
  /** What was begun after that and has not been applied completely. Without a digest it has not been declared either. */
  readonly begun?: { readonly revision: Revision; readonly digest?: string }
  /** Failed attempts in a row at the same revision. */
  readonly failures?: number
  /** Anything else the engine keeps, by name. */
  readonly memory?: Readonly<Record<string, Json>>
}

/** One finished run that did something or failed. Runs that changed nothing are not recorded. */
export interface RunRecord {
  readonly runId: string
  readonly application: string
  readonly startedAt: number
  readonly endedAt: number
  readonly trigger: string
  readonly revision?: Revision
  readonly fingerprint?: string
  readonly approvedBy?: string
  readonly outcome: 'applied' | 'failed' | 'blocked' | 'superseded' | 'cancelled' | 'drift-accepted' | 'destroyed'
  /** Changes by action. */
  readonly counts: Readonly<Partial<Record<Action, number>>>
  /** What was changed, without values. */
  readonly changed: readonly { readonly ref: ResourceRef; readonly action: Action; readonly status: string }[]
  readonly error?: ErrorRecord
}

/** Which runs. */
export interface HistoryQuery {
  readonly application?: string
  /** @defaultValue 100 */
  readonly limit?: number
  /** Only runs that started before this time. */
  readonly before?: number
}

/** Something a person or the engine decided. */
export interface AuditEntry {
  readonly at: number
  readonly actor: string
  readonly action: string
  readonly application?: string
  readonly details: Readonly<Record<string, Json>>
}

/** An audit entry in its chain: `hash` covers the entry and `previous`. */
export interface AuditRecord extends AuditEntry {
  readonly sequence: number
  readonly previous: string
  readonly hash: string
}

/** Which audit records. */
export interface AuditQuery {
  readonly application?: string
  /** Only records with a larger sequence. */
  readonly after?: number
  readonly limit?: number
}
