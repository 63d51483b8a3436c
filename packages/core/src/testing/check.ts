import { isSame } from './equal.ts'

/** Fails the test with `statement` unless `holds`. */
export function check(holds: boolean, statement: string): asserts holds {
  if (!holds) throw new Error(`Not so: ${statement}`)
}

/** Fails the test unless both are the same plain data. Maps and sets count as their entries. */
export function checkSame(actual: unknown, expected: unknown, statement: string): void {
  if (isSame(actual, expected)) return
  throw new Error(`Not so: ${statement}\n  expected ${show(expected)}\n  actual   ${show(actual)}`)
}

/** Fails the test unless `work` rejects with a `GitOpsError` of this code. Returns the error. */
export async function checkRejects(work: Promise<unknown>, code: string, statement: string): Promise<Error> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  check(
    error instanceof Error && 'code' in error && error.code === code,
    `${statement} (expected ${code}, got ${show(error)})`,
  )
  return error
}

function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`
  const text = JSON.stringify(value, (_key, part: unknown) =>
    part instanceof Map || part instanceof Set ? [...part] : part,
  )
  return text === undefined ? String(value) : text.slice(0, 2_000)
}
