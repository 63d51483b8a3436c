export { sqlite } from './ledger/sqlite.ts'
