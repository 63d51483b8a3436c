import { openSqlite } from '../database/sqlite.ts'
import { type SqlLedger, type SqlLedgerOptions, sqlLedger } from './ledger.ts'

/**
 * A ledger in one SQLite file. Several processes on one machine may share it; every commit reaches the
 * disk before it is acknowledged. Uses the SQLite of Node 22.13 and later, or `better-sqlite3` on Node 20.
 */
export function sqlite(path: string, options: SqlLedgerOptions = {}): SqlLedger {
  return sqlLedger(openSqlite(path), options)
}
