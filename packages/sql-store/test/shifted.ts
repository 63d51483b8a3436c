import type { Database } from '../src/database/database.ts'

/** A database whose clock a test moves: statements see its own time and what was added. */
export function shifted(database: Database): {
  readonly database: Database
  readonly advance: (durationMs: number) => void
} {
  let offsetMs = 0
  const { dialect } = database
  const shiftedDialect = {
    ...dialect,
    get nowMs() {
      return offsetMs === 0 ? dialect.nowMs : `(${dialect.nowMs} + ${offsetMs})`
    },
  }
  return {
    database: { ...database, dialect: shiftedDialect, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() },
    advance: (durationMs) => void (offsetMs += durationMs),
  }
}
