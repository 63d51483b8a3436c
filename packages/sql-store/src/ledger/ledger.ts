import {
  type AuditQuery,
  type AuditRecord,
  type Call,
  type HistoryQuery,
  type Ledger,
  type LedgerRecord,
  type Queue,
  type RunRecord,
  throwIfAborted,
} from '@gitops-sdk/core'
import { randomBytes } from 'node:crypto'
import type { Database } from '../database/database.ts'
import { text } from '../database/row.ts'
import { type ResourceQuery, type ResourceRecord, resources } from '../history/resources.ts'
import { type Retained, type Retention, retain } from '../history/retention.ts'
import { sqlQueue } from '../queue/queue.ts'
import { type Migration, migrate, migrations } from '../schema/schema.ts'
import { type Commit, commitAll } from './commit.ts'
import { readAll } from './read.ts'
import { type Asked, together } from './together.ts'

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
  const read = together<Asked, LedgerRecord>((asked, call) => readAll(database, asked, call))
  const commit = together<Commit & Asked, number>((commits, call) =>
    database.transaction((query) => commitAll(database, query, commits), call),
  )
  return {
    id: database.id,
    queue: { ...sqlQueue(database, ready), ...(leaseMs !== undefined && { leaseMs }) },
    read: async (application, call) => {
      await ready(call)
      return read({ application, call })
    },
    commit: async (application, change, call) => {
      await ready(call)
      return commit({ application, change, at: call.clock.now(), call })
    },
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
