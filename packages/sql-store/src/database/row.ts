import { GitOpsError } from '@gitops-sdk/core'
import type { Row } from './database.ts'

/** The text in a column. Throws `LEDGER_CORRUPT` where there is none. */
export function text(row: Row, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  throw new GitOpsError('LEDGER_CORRUPT', `Column ${column} of the ledger holds no text.`)
}
