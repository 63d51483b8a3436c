import type { Ledger } from '@gitops-sdk/core'
import { type PostgresOptions, openPostgres } from '../database/postgres.ts'
import { sqlLedger } from './ledger.ts'

/** A ledger in PostgreSQL, shared by any number of machines. Needs the `pg` package. */
export function postgres(options: PostgresOptions): Ledger {
  return sqlLedger(openPostgres(options))
}
