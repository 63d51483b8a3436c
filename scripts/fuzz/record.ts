import { existsSync, readFileSync, writeFileSync } from 'node:fs'

/** How much one target was tried with one seed. */
export interface Tried {
  readonly target: string
  readonly seed: number
  readonly executions: number
  /** Branches of the library that were taken. */
  readonly branches: number
  readonly failures: number
  /** `2026-11-21` */
  readonly date: string
}

const file = new URL('./executions.json', import.meta.url)

/** What was tried so far, as it is committed. */
export function readRecord(): readonly Tried[] {
  // Written below.
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as readonly Tried[]) : []
}

/** Adds to the record. The same seed again is the same inputs again: it does not add up, the longer run counts. */
export function remember(tried: Tried): void {
  const isSame = (other: Tried): boolean => other.target === tried.target && other.seed === tried.seed
  const record = readRecord()
  if (record.some((other) => isSame(other) && other.executions > tried.executions)) return
  const sorted = [...record.filter((other) => !isSame(other)), tried].toSorted(
    (a, b) => a.target.localeCompare(b.target) || a.seed - b.seed,
  )
  writeFileSync(file, `${JSON.stringify(sorted, undefined, 2)}\n`)
}
