import {
  type AuditEntry,
  type GitOpsError as Failure,
  type LedgerChange,
  GitOpsError,
  chainAudit,
  fencedClaim,
  refKey,
} from '@gitops-sdk/core'
import type { Database, Dialect, Query } from '../database/database.ts'
import { isOneOfGiven } from '../database/given.ts'
import { text } from '../database/row.ts'
import { completeAll } from '../queue/queue.ts'
import { statementsOf } from '../queue/statements.ts'
import { type Body, emptyBody } from './read.ts'

/** A change of one application, and when it was asked for. */
export interface Commit {
  readonly application: string
  readonly change: LedgerChange
  /** Epoch milliseconds. */
  readonly at: number
}

/** The new version of the record, or why nothing of the commit was done. */
export type Committed = number | Failure

/**
 * Commits of different applications in one transaction, a statement for each kind of row. One that is fenced changes
 * nothing and leaves the others alone. Rows are locked in one order, so that two of these wait and do not deadlock.
 */
export async function commitAll(
  database: Database,
  query: Query,
  commits: readonly Commit[],
): Promise<readonly Committed[]> {
  const inOrder = commits.toSorted((left, right) => (left.application < right.application ? -1 : 1))
  const results = new Map<string, Committed>()
  const live = (): Commit[] => inOrder.filter(({ application }) => !(results.get(application) instanceof GitOpsError))
  await holdClaims(database, query, live(), results)
  await writeRecords(database, query, live(), results)
  const made = live()
  await closeForgotten(query, made)
  await writeInventory(database, query, made)
  await insertRuns(database, query, made)
  await appendAudit(database, query, made)
  await completeClaims(database, query, made)
  return commits.map(({ application }) => results.get(application) ?? lostCommit(application))
}

type Results = Map<string, Committed>

/** Compared with the epoch of the queue, not with one stored beside the inventory, and nobody claims it meanwhile. */
async function holdClaims(database: Database, query: Query, commits: readonly Commit[], results: Results) {
  const claimed = commits.flatMap(({ application, change: { claim } }) => (claim ? [{ application, claim }] : []))
  if (claimed.length === 0) return
  const { dialect } = database
  const keys = JSON.stringify(claimed.map(({ claim }) => claim.key))
  const rows = await query(
    `SELECT key, epoch FROM gitops_queue WHERE ${isOneOfGiven(dialect, 'key')} ORDER BY key${dialect.forShare}`,
    [keys],
  )
  const epochs = new Map(rows.map((row) => [text(row, 'key'), Number(row['epoch'])]))
  for (const { application, claim } of claimed) {
    const epoch = epochs.get(claim.key) ?? 0
    if (epoch !== claim.token) results.set(application, fencedClaim(claim.key, claim.token, epoch))
  }
}

/** The fence: a row is written only at the version that was read. */
async function writeRecords(database: Database, query: Query, commits: readonly Commit[], results: Results) {
  const { dialect } = database
  const rows = await query(
    `SELECT name, version, record FROM gitops_application WHERE ${isOneOfGiven(dialect, 'name')} ORDER BY name${dialect.forUpdate}`,
    [JSON.stringify(commits.map(({ application }) => application))],
  )
  const found = new Map(rows.map((row) => [text(row, 'name'), row]))
  const expected = commits.filter(({ application, change: { expect } }) => {
    const version = Number(found.get(application)?.['version'] ?? 0)
    if (version !== expect) results.set(application, fenced(application, expect, version))
    return version === expect
  })
  const bodies = expected.map(({ application, change }) => {
    const row = found.get(application)
    const before = row === undefined ? emptyBody : (JSON.parse(text(row, 'record')) as Body)
    const body = change.forget === true ? emptyBody : bodyAfter(before, change)
    const forgotten = change.forget === true ? 1 : 0
    return { name: application, version: change.expect + 1, forgotten, record: JSON.stringify(body) }
  })
  const written = new Set((await write(database, query, bodies)).map((row) => text(row, 'name')))
  for (const { name, version } of bodies)
    results.set(name, written.has(name) ? version : fenced(name, version - 1, version))
}

async function write(database: Database, query: Query, rows: readonly object[]) {
  if (rows.length === 0) return []
  const given = database.dialect.jsonTable({ name: 'text', version: 'bigint', forgotten: 'bigint', record: 'text' })
  return query(
    `INSERT INTO gitops_application AS a (name, version, forgotten, record)
     SELECT given.name, given.version, given.forgotten, given.record FROM ${given} WHERE true ORDER BY 1
     ON CONFLICT (name) DO UPDATE SET version = excluded.version, forgotten = excluded.forgotten, record = excluded.record
     WHERE a.version = excluded.version - 1 RETURNING name`,
    [JSON.stringify(rows)],
  )
}

function bodyAfter(before: Body, change: LedgerChange): Body {
  const journal = change.journal === undefined ? before.journal : (change.journal ?? undefined)
  const hold = change.hold === undefined ? before.hold : (change.hold ?? undefined)
  const suspension = change.suspension === undefined ? before.suspension : (change.suspension ?? undefined)
  return {
    approvals: change.approvals ?? before.approvals,
    state: change.state ?? before.state,
    ...(journal === undefined ? {} : { journal }),
    ...(hold === undefined ? {} : { hold }),
    ...(suspension === undefined ? {} : { suspension }),
  }
}

async function closeForgotten(query: Query, commits: readonly Commit[]): Promise<void> {
  for (const { application, change, at } of commits) {
    if (change.forget !== true) continue
    await query('UPDATE gitops_inventory SET valid_to = ? WHERE application = ? AND valid_to IS NULL', [
      at,
      application,
    ])
  }
}

/** Closes the open row of every key that changes and opens a new one for every key that stays. */
async function writeInventory(database: Database, query: Query, commits: readonly Commit[]): Promise<void> {
  const { dialect } = database
  const closing = dialect.jsonTable({ application: 'text', key: 'text', at: 'bigint' })
  const changed = commits.flatMap(({ application, at, change: { inventory } }) => {
    const keys = [...(inventory?.put ?? []).map((one) => refKey(one.ref)), ...(inventory?.remove ?? [])]
    return keys.toSorted().map((key) => ({ application, key, at }))
  })
  if (changed.length === 0) return
  await query(
    `WITH closing AS MATERIALIZED (SELECT given.application AS of_application, given.key AS of_key, given.at AS closed_at FROM ${closing})
     UPDATE gitops_inventory AS i SET valid_to = closing.closed_at FROM closing
     WHERE ${dialect.isOneOf('i.application', 'SELECT of_application FROM closing')} AND i.application = closing.of_application AND i.key = closing.of_key AND i.valid_to IS NULL`,
    [JSON.stringify(changed)],
  )
  const opened = commits.flatMap(openedRows)
  if (opened.length === 0) return
  await query(inserting(dialect, 'gitops_inventory', openedColumns), [JSON.stringify(opened)])
}

/** Inserts the rows of a JSON array: objects of these columns. */
function inserting({ jsonTable }: Dialect, table: string, columns: Columns): string {
  const names = Object.keys(columns)
  const given = names.map((name) => `given.${name}`)
  return `INSERT INTO ${table} (${names.join(', ')}) SELECT ${given.join(', ')} FROM ${jsonTable(columns)}`
}

type Columns = Parameters<Dialect['jsonTable']>[0]

const openedColumns: Columns = {
  application: 'text',
  key: 'text',
  valid_from: 'bigint',
  kind: 'text',
  namespace: 'text',
  name: 'text',
  revision: 'text',
  run: 'text',
  entry: 'text',
}

function openedRows({ application, at, change }: Commit): object[] {
  return (change.inventory?.put ?? []).map((one) => ({
    application,
    key: refKey(one.ref),
    valid_from: at,
    kind: one.ref.kind,
    namespace: one.ref.namespace ?? null,
    name: one.ref.name,
    revision: one.revision,
    run: change.run?.runId ?? change.journal?.runId ?? null,
    entry: JSON.stringify(one),
  }))
}

const runColumns: Columns = {
  application: 'text',
  run: 'text',
  started_at: 'bigint',
  ended_at: 'bigint',
  outcome: 'text',
  revision: 'text',
  entry: 'text',
}

async function insertRuns(database: Database, query: Query, commits: readonly Commit[]): Promise<void> {
  const runs = commits.flatMap(({ change: { run } }) => (run === undefined ? [] : [run]))
  if (runs.length === 0) return
  const rows = runs.map((run) => ({
    application: run.application,
    run: run.runId,
    started_at: run.startedAt,
    ended_at: run.endedAt,
    outcome: run.outcome,
    revision: run.revision?.id ?? null,
    entry: JSON.stringify(run),
  }))
  const insert = inserting(database.dialect, 'gitops_run', runColumns)
  await query(`${insert} WHERE true ON CONFLICT (application, run) DO NOTHING`, [JSON.stringify(rows)])
}

const auditColumns: Columns = {
  sequence: 'bigint',
  at: 'bigint',
  application: 'text',
  actor: 'text',
  action: 'text',
  entry: 'text',
}

/** Appends take turns on the head row, so that the chain has no fork. */
async function appendAudit(database: Database, query: Query, commits: readonly Commit[]): Promise<void> {
  const entries: readonly AuditEntry[] = commits.flatMap(({ change: { audit = [] } }) => audit)
  if (entries.length === 0) return
  const [row] = await query(
    `SELECT sequence, hash FROM gitops_audit_head WHERE one = 1${database.dialect.forUpdate}`,
    [],
  )
  let head = { sequence: Number(row?.['sequence'] ?? 0), hash: row === undefined ? '' : text(row, 'hash') }
  const rows = entries.map((entry) => {
    const record = chainAudit(head, entry)
    head = record
    const { sequence, at, application = null, actor, action } = record
    return { sequence, at, application, actor, action, entry: JSON.stringify(record) }
  })
  await query(inserting(database.dialect, 'gitops_audit', auditColumns), [JSON.stringify(rows)])
  await query('UPDATE gitops_audit_head SET sequence = ?, hash = ? WHERE one = 1', [head.sequence, head.hash])
}

async function completeClaims(database: Database, query: Query, commits: readonly Commit[]): Promise<void> {
  const completions = commits.flatMap(({ change: { complete } }) => complete ?? [])
  if (completions.length === 0) return
  const accepted = new Set(await completeAll(statementsOf(database.dialect), query, completions))
  const refused = completions.find(({ claim }) => !accepted.has(claim.key))
  if (refused !== undefined) throw fencedClaim(refused.claim.key, refused.claim.token, refused.claim.token)
}

function fenced(application: string, expected: number, found: number): GitOpsError {
  const message = `Another process wrote the record of ${application} (version ${found}, expected ${expected}).`
  return new GitOpsError('LEDGER_FENCED', message)
}

function lostCommit(application: string): GitOpsError {
  return new GitOpsError('LEDGER_UNAVAILABLE', `The database did not say what became of the record of ${application}.`)
}
