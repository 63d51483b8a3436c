export { sqlite } from './ledger/sqlite.ts'
export type { ResourceQuery, ResourceRecord } from './history/resources.ts'
export type { Retained, Retention } from './history/retention.ts'
export { type SqlLedger, type SqlLedgerOptions } from './ledger/ledger.ts'
