import type { Output, RunCall } from './call.ts'
import { OutputReference, resolveOutput } from './output-reference.ts'
import type { Json } from './json.ts'
import { Secret } from './secret.ts'

/** A value that declarations are filled with: itself, a secret, or an output of another application. */
export type Variable = Json | Secret | Output | OutputReference

/** Values that declarations are filled with, by name. */
export type Variables = Readonly<Record<string, Variable>>

/** The value of a variable, and whether it must be seen nowhere. */
export interface ResolvedVariable {
  readonly value: Json
  readonly sensitive: boolean
}

/** Reads the value behind a variable. Throws `INPUT_MISSING` for an output that nobody published. */
export function resolveVariable(given: Variable, call: RunCall): ResolvedVariable {
  if (given instanceof Secret) return { value: given.reveal(), sensitive: true }
  const output = given instanceof OutputReference ? resolveOutput(given, call) : given
  if (isOutput(output)) return { value: output.value as Json, sensitive: output.sensitive === true }
  return { value: output as Json, sensitive: false }
}

/** What was published has exactly these members; the value of a sensitive one is not listed. */
function isOutput(given: Variable): given is Output {
  if (typeof given !== 'object' || given === null || Array.isArray(given) || !('value' in given)) return false
  return 'sensitive' in given && Object.keys(given).every((key) => key === 'value' || key === 'sensitive')
}

/** Every text and number inside a value, as text: what a redactor has to know of it. */
export function textsIn(value: Json): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number') return [String(value)]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
