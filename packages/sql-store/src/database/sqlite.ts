import { createRequire } from 'node:module'
import { type Call, GitOpsError, sleep } from '@gitops-sdk/core'
import type { Database, Dialect, Row, Value } from './database.ts'

/** Both drivers offer this much in the same words. */
interface Driver {
  exec(sql: string): unknown
  prepare(sql: string): Prepared
  close(): void
}

interface Prepared {
  all(...values: Value[]): unknown[]
  run(...values: Value[]): unknown
  /** `false` for a statement without rows, which `better-sqlite3` only runs. `node:sqlite` has no rows for it. */
  readonly reader?: boolean
}

const dialect: Dialect = {
  name: 'sqlite',
  // A write transaction is exclusive from its first statement, so rows need no locks of their own.
  forUpdate: '',
  forShare: '',
  forOrder: '',
  skipLocked: '',
  byCodeUnits: 'COLLATE BINARY',
  nowMs: "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
  least: 'min',
  greatest: 'max',
  jsonRows: '(SELECT value FROM json_each(?))',
  isOneOf: (column, select) => `${column} IN (${select})`,
  jsonTable: (columns) => {
    const fields = Object.keys(columns).map((name) => `json_extract(value, '$.${name}') AS ${name}`)
    return `(SELECT ${fields.join(', ')} FROM json_each(?)) AS given`
  },
  jsonText: (expression, name) => `json_extract(${expression}, '$.${name}')`,
  jsonArrayOf: (column) => `json_group_array(json(${column}))`,
}

/** How long a statement waits for another process before it is tried again, in milliseconds. Short: it blocks the event loop. */
const busyWaitMs = 20
const busyAttempts = 500

/**
 * Opens a database file with `node:sqlite`, or with `better-sqlite3` where Node has none. Every commit
 * reaches the disk before it is acknowledged (`synchronous = FULL`).
 */
export function openSqlite(path: string): Database {
  const driver = loadDriver(path)
  configure(driver, path)
  const prepared = new Map<string, Prepared>()
  const run = (statement: string, values: readonly Value[]): readonly Row[] => {
    let ready = prepared.get(statement)
    if (ready === undefined) prepared.set(statement, (ready = driver.prepare(statement)))
    if (ready.reader !== false) return ready.all(...values) as Row[]
    ready.run(...values)
    return []
  }
  // One connection: transactions of this process take turns.
  let turn: Promise<unknown> = Promise.resolve()
  let closed: Promise<void> | undefined
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work)
    turn = mine.catch(() => {})
    return mine
  }
  return {
    id: `sqlite:${path}`,
    dialect,
    // The file is the place.
    prepare: async () => {},
    query: (statement, values, call) => inTurn(() => whenFree(path, call, async () => run(statement, values))),
    transaction: (work, call) =>
      inTurn(() => transact(driver, path, call, () => work(async (sql, values) => run(sql, values)))),
    [Symbol.asyncDispose]: () => (closed ??= inTurn(async () => driver.close())),
  }
}

function loadDriver(path: string): Driver {
  const Opened = driverOf()
  try {
    return new Opened(path)
  } catch (cause) {
    throw new GitOpsError('LEDGER_UNAVAILABLE', `The database ${path} cannot be opened: ${reason(cause)}`, { cause })
  }
}

function driverOf(): new (path: string) => Driver {
  const require = createRequire(import.meta.url)
  if (process.versions['sqlite'] !== undefined || hasNodeSqlite()) {
    return (require('node:sqlite') as { DatabaseSync: new (path: string) => Driver }).DatabaseSync
  }
  try {
    const BetterSqlite = require('better-sqlite3') as new (path: string) => Driver
    // Its program is loaded with the first database, and package managers do not build it unless they are told to.
    new BetterSqlite(':memory:').close()
    return BetterSqlite
  } catch (cause) {
    const isMissing = (cause as { code?: string }).code === 'MODULE_NOT_FOUND'
    const message = isMissing
      ? 'This Node has no SQLite of its own. Use Node 22.13 or newer, or install better-sqlite3@12.'
      : `better-sqlite3 is installed, but its program cannot be loaded: allow its install script, and install it again for this Node. ${reason(cause)}`
    throw new GitOpsError('UNSUPPORTED', message, { cause })
  }
}

function hasNodeSqlite(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 13)
}

function configure(driver: Driver, path: string): void {
  try {
    driver.exec(`PRAGMA busy_timeout = 5000`)
    driver.exec(`PRAGMA journal_mode = WAL`)
    driver.exec(`PRAGMA synchronous = FULL`)
    driver.exec(`PRAGMA foreign_keys = ON`)
    driver.exec(`PRAGMA busy_timeout = ${busyWaitMs}`)
  } catch (cause) {
    driver.close()
    throw translate(cause, path)
  }
}

async function transact<T>(driver: Driver, path: string, call: Call, work: () => Promise<T>): Promise<T> {
  await whenFree(path, call, async () => driver.exec('BEGIN IMMEDIATE'))
  try {
    const result = await work()
    driver.exec('COMMIT')
    return result
  } catch (error) {
    rollBack(driver)
    throw translate(error, path)
  }
}

/** A failed COMMIT (disk full) may have ended the transaction already; then there is nothing to roll back. */
function rollBack(driver: Driver): void {
  try {
    driver.exec('ROLLBACK')
  } catch {
    // Already rolled back by SQLite itself.
  }
}

/** Tries again, with a pause, while another process writes. */
async function whenFree<T>(path: string, call: Call, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (cause) {
      if (!isBusy(cause) || attempt === busyAttempts) throw translate(cause, path)
      await sleep(1 + call.random.next() * Math.min(50, attempt), call)
    }
  }
}

/** SQLITE_BUSY is 5, SQLITE_LOCKED is 6; extended codes keep them in the low byte. */
function isBusy(cause: unknown): boolean {
  const { code, errcode } = cause as { code?: string; errcode?: number }
  if (typeof errcode === 'number') return (errcode & 0xff) === 5 || (errcode & 0xff) === 6
  return code?.startsWith('SQLITE_BUSY') === true || code?.startsWith('SQLITE_LOCKED') === true
}

/** SQLITE_CORRUPT is 11, SQLITE_NOTADB is 26. */
function isCorrupt(cause: unknown): boolean {
  const { code, errcode } = cause as { code?: string; errcode?: number }
  if (typeof errcode === 'number') return (errcode & 0xff) === 11 || errcode === 26
  return code?.startsWith('SQLITE_CORRUPT') === true || code === 'SQLITE_NOTADB'
}

function translate(cause: unknown, path: string): GitOpsError {
  if (cause instanceof GitOpsError) return cause
  if (isCorrupt(cause)) {
    const message = `${path} is damaged or not a SQLite database. Restore it from a backup; nothing was written to it.`
    return new GitOpsError('LEDGER_CORRUPT', message, { cause })
  }
  return new GitOpsError('LEDGER_UNAVAILABLE', `The database ${path} failed: ${reason(cause)}`, { cause })
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
