export { type PostgresOptions } from './database/postgres.ts'
export { postgres } from './ledger/postgres.ts'
