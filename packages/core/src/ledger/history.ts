import type { AuditQuery, AuditRecord, HistoryQuery, Ledger, LedgerRecord, RunRecord } from './ledger.ts'
import type { Owned } from '../actual/inventory.ts'
import type { Action } from '../plan/plan.ts'
import type { Call } from '../runtime/call.ts'

/** Runs in numbers. */
export interface HistorySummary {
  readonly runs: number
  readonly outcomes: Readonly<Partial<Record<RunRecord['outcome'], number>>>
  /** Changes by action. */
  readonly changes: Readonly<Partial<Record<Action, number>>>
  /** Half of the runs took no longer than this, in milliseconds; absent without runs. */
  readonly medianDurationMs?: number
  readonly longestDurationMs?: number
  /** When the last run that applied something ended, in epoch milliseconds. */
  readonly lastAppliedAt?: number
}

/** How long a run took, in milliseconds. Never negative, also when the clock was set back meanwhile. */
export function durationOf({ startedAt, endedAt }: Pick<RunRecord, 'startedAt' | 'endedAt'>): number {
  return Math.max(0, endedAt - startedAt)
}

/** Sums up runs. Pure. */
export function summarizeHistory(runs: readonly RunRecord[]): HistorySummary {
  const durations = runs.map(durationOf).toSorted((left, right) => left - right)
  const median = durations[Math.floor((durations.length - 1) / 2)]
  const longest = durations.at(-1)
  const applied = runs.filter(({ outcome }) => outcome === 'applied').map(({ endedAt }) => endedAt)
  return {
    runs: runs.length,
    outcomes: tally(runs.map(({ outcome }) => [outcome, 1])),
    changes: tally(runs.flatMap(({ counts }) => Object.entries(counts) as [Action, number][])),
    ...(median !== undefined && { medianDurationMs: median }),
    ...(longest !== undefined && { longestDurationMs: longest }),
    ...(applied.length > 0 && { lastAppliedAt: applied.reduce((left, right) => Math.max(left, right)) }),
  }
}

/** The history as JSON lines, newest first: one run per line, each ended by a line break. */
export function exportHistory(ledger: Pick<Ledger, 'history'>, query: HistoryQuery, call: Call): AsyncIterable<string> {
  return jsonLines<RunRecord>(ledger.history(query, call))
}

/** The audit log as JSON lines, oldest first. Read back line by line, it verifies as the original does. */
export function exportAudit(ledger: Pick<Ledger, 'audit'>, query: AuditQuery, call: Call): AsyncIterable<string> {
  return jsonLines<AuditRecord>(ledger.audit(query, call))
}

/** One line of an export of everything. `type` says what it is. */
export type ExportLine =
  | ({ readonly type: 'application' } & Omit<LedgerRecord, 'inventory'>)
  | { readonly type: 'resource'; readonly application: string; readonly owned: Owned }
  | ({ readonly type: 'run' } & RunRecord)
  | ({ readonly type: 'audit' } & AuditRecord)

/**
 * Everything a ledger holds but the installation key, as JSON lines: each application with what it owns, then the
 * history, newest first, then the audit log, oldest first. Each application is as it was at one moment.
 */
export async function* exportLedger(ledger: Ledger, call: Call): AsyncIterable<string> {
  for await (const name of ledger.applications(call)) {
    const { inventory, ...record } = await ledger.read(name, call)
    yield lineOf({ type: 'application', ...record })
    for (const owned of inventory.values()) yield lineOf({ type: 'resource', application: name, owned })
  }
  for await (const run of ledger.history({ limit: Number.MAX_SAFE_INTEGER }, call))
    yield lineOf({ type: 'run', ...run })
  for await (const record of ledger.audit({}, call)) yield lineOf({ type: 'audit', ...record })
}

function lineOf(line: ExportLine): string {
  return `${JSON.stringify(line)}\n`
}

async function* jsonLines<T>(items: AsyncIterable<T>): AsyncIterable<string> {
  for await (const item of items) yield `${JSON.stringify(item)}\n`
}

function tally<K extends string>(entries: readonly (readonly [K, number])[]): Partial<Record<K, number>> {
  const counts: Partial<Record<K, number>> = {}
  for (const [key, count] of entries) counts[key] = (counts[key] ?? 0) + count
  return counts
}
