export { type PostgresOptions } from './database/postgres.ts'
export { postgres } from './ledger/postgres.ts'
export { type SqlLedger } from './ledger/ledger.ts'
