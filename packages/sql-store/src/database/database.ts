import type { Call } from '@gitops-sdk/core'

/**
 * The little that the store needs of a database. Statements are written once, with `?` for each
 * value; what the dialects spell differently is in `dialect`.
 */
export interface Database extends AsyncDisposable {
  /** Safe to print: no credentials. */
  readonly id: string
  readonly dialect: Dialect
  /** Makes the place where the tables go. Called before the first migration; harmless when repeated. */
  prepare(call: Call): Promise<void>
  /** Runs one statement. Values are never part of its text. */
  query(statement: string, values: readonly Value[], call: Call): Promise<readonly Row[]>
  /**
   * Runs `work` in one transaction: all of it is durable when the promise resolves. A transaction that
   * lost a race with another process is tried again, so `work` may be called more than once.
   */
  transaction<T>(work: (query: Query) => Promise<T>, call: Call): Promise<T>
  /** Tells other processes that something may be due. Returns at once; may be lost. */
  readonly hint?: (call: Call) => void
  /** Yields when another process hinted. Ends only when `call` is aborted or on an error. */
  readonly listen?: (call: Call) => AsyncIterable<void>
}

/** Runs one statement inside a transaction. */
export type Query = (statement: string, values: readonly Value[]) => Promise<readonly Row[]>

/** What may be bound to a `?`. */
export type Value = string | number | null

/** A row by column name. Numbers are within the safe integers. */
export type Row = Readonly<Record<string, Value>>

/** What SQLite and PostgreSQL spell differently. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres'
  /** Appended to a SELECT that must keep others from changing the row until the end of the transaction. */
  readonly forUpdate: string
  /**
   * As `forUpdate`, but others may still change what is no key: a commit under a claim neither waits for the sign of life of
   * its own process nor holds it up, while nobody can claim the row.
   */
  readonly forShare: string
  /** Takes rows in the order of a SELECT before an UPDATE of what is no key. */
  readonly forOrder: string
  /** As `forUpdate`, leaving out rows that somebody else holds. */
  readonly skipLocked: string
  /** Orders text by code units, whatever the locale of the database. */
  readonly byCodeUnits: string
  /** The time of the database in epoch milliseconds, as an expression. */
  readonly nowMs: string
  /** The smaller of two numbers, none of them null. */
  readonly least: string
  readonly greatest: string
  /** Elements of the JSON array bound to `?`, as rows with one text column `value`. */
  readonly jsonRows: string
  /**
   * Whether a column is one of the few values that a SELECT finds. PostgreSQL takes rows of JSON for a hundred, and would
   * rather read a table of some thousands from one end to the other than look up each: as an array they are looked up.
   */
  readonly isOneOf: (column: string, select: string) => string
  /** Objects of the JSON array bound to `?`, as the rows of a table `given` with these columns. Each is parsed once. */
  readonly jsonTable: (columns: Readonly<Record<string, 'text' | 'bigint'>>) => string
  /** The text of field `name` of a JSON text expression. */
  readonly jsonText: (expression: string, name: string) => string
  /** A JSON array of the JSON texts of a column. */
  readonly jsonArrayOf: (column: string) => string
}
