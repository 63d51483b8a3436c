import {
  type AuditEntry,
  type AuditQuery,
  type AuditRecord,
  type Call,
  type Completion,
  type HistoryQuery,
  type Inventory,
  type Ledger,
  type LedgerChange,
  type LedgerRecord,
  type Held,
  type Owned,
  type Queue,
  type RunRecord,
  GitOpsError,
  chainAudit,
  fencedClaim,
  refKey,
  throwIfAborted,
} from '@gitops-sdk/core'
import { randomBytes } from 'node:crypto'
import type { Database, Query } from '../database/database.ts'
import { text } from '../database/row.ts'
import { type ResourceQuery, type ResourceRecord, resources } from '../history/resources.ts'
import { type Retained, type Retention, retain } from '../history/retention.ts'
import { completeAll, sqlQueue } from '../queue/queue.ts'
import { statementsOf } from '../queue/statements.ts'
import { type Migration, migrate, migrations } from '../schema/schema.ts'

/** The part of a record that is one JSON text. */
type Body = Pick<LedgerRecord, 'journal' | 'approvals' | 'hold' | 'suspension' | 'state'>

const emptyBody: Body = { approvals: [], state: {} }

/** Rows that are read at a time from a long log. */
const pageSize = 200

/** A ledger with a queue beside it, so that any number of processes share the applications, and with a memory that can be asked. */
export interface SqlLedger extends Ledger {
  readonly queue: Queue
  /** What is where, since when, by whom: now or at an earlier time. In the order of application and `refKey`. */
  resources(query: ResourceQuery, call: Call): AsyncIterable<ResourceRecord>
  /**
   * Deletes what is older than `retention` keeps, in small batches that nobody waits for. Harmless to repeat, to stop
   * half-way and to run in several processes.
   */
  retain(retention: Retention, call: Call): Promise<Retained>
}

/** What ledgers in all databases can be told. */
export interface SqlLedgerOptions {
  /** How long an application stays with a process that gives no sign of life, in milliseconds. @defaultValue 30_000 */
  readonly leaseMs?: number
  /** What the housekeeping keeps, which one process does about every hour. @defaultValue 90 days of runs and resources, all of the audit log */
  readonly retention?: Retention
}

/** A ledger in a database. The schema is brought up to date before the first use, by `steps`. */
export function sqlLedger(
  database: Database,
  { leaseMs, retention = {} }: SqlLedgerOptions = {},
  steps: readonly Migration[] = migrations,
): SqlLedger {
  let migrated: Promise<void> | undefined
  const ready = async (call: Call): Promise<Database> => {
    throwIfAborted(call)
    migrated ??= migrate(database, call, steps).catch((error: unknown) => {
      migrated = undefined
      throw error
    })
    await migrated
    return database
  }
  return {
    id: database.id,
    queue: { ...sqlQueue(database, ready), ...(leaseMs !== undefined && { leaseMs }) },
    read: async (application, call) => read(await ready(call), application, call),
    commit: async (application, change, call) => commit(await ready(call), application, change, call),
    applications: (call) => applications(ready, call),
    history: (query, call) => history(ready, query, call),
    audit: (query, call) => audit(ready, query, call),
    upkeep: async (call) => void (await retain(await ready(call), retention, call)),
    installKey: async (call) => installKey(await ready(call), call),
    resources: async function* (query, call) {
      yield* resources(await ready(call), query, call)
    },
    retain: async (retention, call) => retain(await ready(call), retention, call),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

type Ready = (call: Call) => Promise<Database>

/** One statement, so that record and inventory belong to the same moment. */
async function read(database: Database, application: string, call: Call): Promise<LedgerRecord> {
  const entries = `SELECT ${database.dialect.jsonArrayOf('entry')} FROM gitops_inventory WHERE application = ? AND valid_to IS NULL`
  const statement = `SELECT version, forgotten, record, (${entries}) AS inventory FROM gitops_application WHERE name = ?`
  const [row] = await database.query(statement, [application, application], call)
  if (row === undefined) return { application, version: 0, inventory: new Map(), ...emptyBody }
  const body = JSON.parse(text(row, 'record')) as Body
  return { application, version: Number(row['version']), inventory: inventoryOf(text(row, 'inventory')), ...body }
}

function inventoryOf(json: string): Inventory {
  const owned = JSON.parse(json) as readonly Owned[]
  return new Map(owned.map((one) => [refKey(one.ref), one]))
}

async function commit(database: Database, application: string, change: LedgerChange, call: Call): Promise<number> {
  return database.transaction(async (query) => {
    const at = call.clock.now()
    if (change.claim !== undefined) await holdClaim(database, query, change.claim)
    const version = await commitRecord(database, query, application, change)
    if (change.forget === true) await closeAll(query, application, at)
    if (change.inventory !== undefined) await commitInventory(database, query, application, change, at)
    if (change.run !== undefined) await insertRun(query, change.run)
    if (change.audit !== undefined && change.audit.length > 0) await appendAudit(database, query, change.audit)
    if (change.complete !== undefined) await completeClaim(database, query, change.complete)
    return version
  }, call)
}

/** Compared with the epoch of the queue, not with one stored beside the inventory, and nobody claims it meanwhile. */
async function holdClaim(database: Database, query: Query, { key, token }: Held): Promise<void> {
  const [row] = await query(`SELECT epoch FROM gitops_queue WHERE key = ?${database.dialect.forShare}`, [key])
  const epoch = Number(row?.['epoch'] ?? 0)
  if (epoch !== token) throw fencedClaim(key, token, epoch)
}

async function completeClaim(database: Database, query: Query, completion: Completion): Promise<void> {
  const accepted = await completeAll(statementsOf(database.dialect), query, [completion])
  const { key, token } = completion.claim
  if (accepted.length === 0) throw fencedClaim(key, token, token)
}

/** The fence: the row is written only at the version that was read. */
async function commitRecord(
  database: Database,
  query: Query,
  application: string,
  change: LedgerChange,
): Promise<number> {
  const select = `SELECT version, record FROM gitops_application WHERE name = ?${database.dialect.forUpdate}`
  const [row] = await query(select, [application])
  const found = Number(row?.['version'] ?? 0)
  if (found !== change.expect) throw fenced(application, change.expect, found)
  const before = row === undefined ? emptyBody : (JSON.parse(text(row, 'record')) as Body)
  const body = JSON.stringify(change.forget === true ? emptyBody : bodyAfter(before, change))
  const written =
    row === undefined
      ? await query(
          'INSERT INTO gitops_application (name, version, record) VALUES (?, 1, ?) ON CONFLICT (name) DO NOTHING RETURNING version',
          [application, body],
        )
      : await query(
          'UPDATE gitops_application SET version = version + 1, forgotten = ?, record = ? WHERE name = ? RETURNING version',
          [change.forget === true ? 1 : 0, body, application],
        )
  const [after] = written
  if (after === undefined) throw fenced(application, change.expect, found + 1)
  return Number(after['version'])
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

function fenced(application: string, expected: number, found: number): GitOpsError {
  const message = `Another process wrote the record of ${application} (version ${found}, expected ${expected}).`
  return new GitOpsError('LEDGER_FENCED', message)
}

async function closeAll(query: Query, application: string, at: number): Promise<void> {
  await query('UPDATE gitops_inventory SET valid_to = ? WHERE application = ? AND valid_to IS NULL', [at, application])
}

/** Closes the open row of every key that changes and opens a new one for every key that stays. */
async function commitInventory(
  database: Database,
  query: Query,
  application: string,
  change: LedgerChange,
  at: number,
): Promise<void> {
  const put = change.inventory?.put ?? []
  const keys = [...put.map((one) => refKey(one.ref)), ...(change.inventory?.remove ?? [])].toSorted()
  const { dialect } = database
  const { jsonRows } = dialect
  await query(
    `UPDATE gitops_inventory SET valid_to = ? WHERE application = ? AND valid_to IS NULL AND key IN (SELECT value FROM ${jsonRows} AS given)`,
    [at, application, JSON.stringify(keys)],
  )
  if (put.length === 0) return
  const rows = put.map((one) => ({
    key: refKey(one.ref),
    kind: one.ref.kind,
    namespace: one.ref.namespace ?? null,
    name: one.ref.name,
    revision: one.revision,
    entry: JSON.stringify(one),
  }))
  const field = (name: string): string => dialect.jsonText('given.value', name)
  await query(
    `INSERT INTO gitops_inventory (application, key, valid_from, kind, namespace, name, revision, run, entry)
     SELECT CAST(? AS TEXT), ${field('key')}, CAST(? AS BIGINT), ${field('kind')}, ${field('namespace')}, ${field('name')}, ${field('revision')}, CAST(? AS TEXT), ${field('entry')}
     FROM ${jsonRows} AS given`,
    [application, at, change.run?.runId ?? change.journal?.runId ?? null, JSON.stringify(rows)],
  )
}

async function insertRun(query: Query, run: RunRecord): Promise<void> {
  await query(
    `INSERT INTO gitops_run (application, run, started_at, ended_at, outcome, revision, entry) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (application, run) DO NOTHING`,
    [
      run.application,
      run.runId,
      run.startedAt,
      run.endedAt,
      run.outcome,
      run.revision?.id ?? null,
      JSON.stringify(run),
    ],
  )
}

/** Appends take turns on the head row, so that the chain has no fork. */
async function appendAudit(database: Database, query: Query, entries: readonly AuditEntry[]): Promise<void> {
  const [row] = await query(
    `SELECT sequence, hash FROM gitops_audit_head WHERE one = 1${database.dialect.forUpdate}`,
    [],
  )
  let head = { sequence: Number(row?.['sequence'] ?? 0), hash: row === undefined ? '' : text(row, 'hash') }
  for (const entry of entries) {
    const record = chainAudit(head, entry)
    await query(
      'INSERT INTO gitops_audit (sequence, at, application, actor, action, entry) VALUES (?, ?, ?, ?, ?, ?)',
      [record.sequence, record.at, record.application ?? null, record.actor, record.action, JSON.stringify(record)],
    )
    head = record
  }
  await query('UPDATE gitops_audit_head SET sequence = ?, hash = ? WHERE one = 1', [head.sequence, head.hash])
}

async function* applications(ready: Ready, call: Call): AsyncIterable<string> {
  const database = await ready(call)
  let last = ''
  for (;;) {
    const { byCodeUnits } = database.dialect
    const statement = `SELECT name FROM gitops_application WHERE name ${byCodeUnits} > ? AND forgotten = 0 ORDER BY name ${byCodeUnits} LIMIT ${pageSize}`
    const rows = await database.query(statement, [last], call)
    for (const row of rows) yield (last = text(row, 'name'))
    if (rows.length < pageSize) return
  }
}

async function* history(ready: Ready, query: HistoryQuery, call: Call): AsyncIterable<RunRecord> {
  const database = await ready(call)
  const conditions = [
    ...(query.application === undefined ? [] : ['application = ?']),
    ...(query.before === undefined ? [] : ['started_at < ?']),
  ]
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  const values = [query.application, query.before].filter((value) => value !== undefined)
  const statement = `SELECT entry FROM gitops_run ${where} ORDER BY started_at DESC, run DESC LIMIT ?`
  for (const row of await database.query(statement, [...values, query.limit ?? 100], call)) {
    yield JSON.parse(text(row, 'entry')) as RunRecord
  }
}

async function* audit(ready: Ready, query: AuditQuery, call: Call): AsyncIterable<AuditRecord> {
  const database = await ready(call)
  let after = query.after ?? 0
  let remaining = query.limit ?? Number.MAX_SAFE_INTEGER
  const mine = query.application === undefined ? '' : 'AND application = ?'
  while (remaining > 0) {
    const limit = Math.min(pageSize, remaining)
    const values = query.application === undefined ? [after, limit] : [after, query.application, limit]
    const statement = `SELECT sequence, entry FROM gitops_audit WHERE sequence > ? ${mine} ORDER BY sequence LIMIT ?`
    const rows = await database.query(statement, values, call)
    for (const row of rows) yield JSON.parse(text(row, 'entry')) as AuditRecord
    if (rows.length < limit) return
    after = Number(rows.at(-1)?.['sequence'])
    remaining -= rows.length
  }
}

async function installKey(database: Database, call: Call): Promise<Uint8Array> {
  const made = randomBytes(32).toString('hex')
  await database.query(
    "INSERT INTO gitops_meta (name, value) VALUES ('install-key', ?) ON CONFLICT (name) DO NOTHING",
    [made],
    call,
  )
  const [row] = await database.query("SELECT value FROM gitops_meta WHERE name = 'install-key'", [], call)
  return Uint8Array.from(Buffer.from(row === undefined ? made : text(row, 'value'), 'hex'))
}
