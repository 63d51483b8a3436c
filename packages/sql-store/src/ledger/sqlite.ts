import type { Ledger } from '@gitops-sdk/core'
import { openSqlite } from '../database/sqlite.ts'
import { sqlLedger } from './ledger.ts'

/**
 * A ledger in one SQLite file. Several processes on one machine may share it; every commit reaches the
 * disk before it is acknowledged. Uses the SQLite of Node 22.13 and later, or `better-sqlite3` on Node 20.
 */
export function sqlite(path: string): Ledger {
  return sqlLedger(openSqlite(path))
}
