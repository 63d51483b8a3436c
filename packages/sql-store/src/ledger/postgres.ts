import { type PostgresOptions, openPostgres } from '../database/postgres.ts'
import { type SqlLedger, type SqlLedgerOptions, sqlLedger } from './ledger.ts'

/** A ledger in PostgreSQL, shared by any number of machines. Needs the `pg` package. */
export function postgres(options: PostgresOptions & SqlLedgerOptions): SqlLedger {
  return sqlLedger(openPostgres(options), options)
}
