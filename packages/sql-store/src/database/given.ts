import type { Dialect } from './database.ts'

/** Whether a column is one of the texts in the JSON array bound to `?`. */
export function isOneOfGiven({ isOneOf, jsonRows }: Pick<Dialect, 'isOneOf' | 'jsonRows'>, column: string): string {
  return isOneOf(column, `SELECT value FROM ${jsonRows} AS given`)
}
