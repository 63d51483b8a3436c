import { type PostgresOptions, openPostgres } from '../database/postgres.ts'
import { type SqlLedger, sqlLedger } from './ledger.ts'

/** A ledger in PostgreSQL, shared by any number of machines. Needs the `pg` package. */
export function postgres(options: PostgresOptions): SqlLedger {
  return sqlLedger(openPostgres(options), options)
}
