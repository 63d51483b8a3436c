export { sqlite } from './ledger/sqlite.ts'
export { type SqlLedger } from './ledger/ledger.ts'
