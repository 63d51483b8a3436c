import { GitOpsError, type Json, type Output, Secret } from '@gitops-sdk/core'

/** A value of a variable. A `Secret`, or an output that is sensitive, shows nowhere. */
export type Variable = Json | Secret | Output

/** Values of a module's variables, by name. */
export type Variables = Readonly<Record<string, Variable>>

/** Variables as the binary receives them, with what must not be seen of them. */
export interface ResolvedVariables {
  readonly values: Readonly<Record<string, Json>>
  readonly secrets: readonly string[]
}

/** Takes the values out of secrets and outputs. Throws `CONFIG_INVALID` for a name that is none. */
export function resolveVariables(variables: Variables): ResolvedVariables {
  const values: Record<string, Json> = {}
  const secrets: string[] = []
  for (const [name, given] of Object.entries(variables)) {
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name))
      throw new GitOpsError('CONFIG_INVALID', `${JSON.stringify(name)} is no name of a variable.`)
    const { value, sensitive } = plainOf(given)
    values[name] = value
    if (sensitive) secrets.push(...textsIn(value))
  }
  return { values, secrets }
}

function plainOf(given: Variable): { readonly value: Json; readonly sensitive: boolean } {
  if (given instanceof Secret) return { value: given.reveal(), sensitive: true }
  if (isOutput(given)) return { value: given.value as Json, sensitive: given.sensitive === true }
  return { value: given as Json, sensitive: false }
}

/** An output of another application has exactly these members. */
function isOutput(given: Variable): given is Output {
  if (typeof given !== 'object' || given === null || Array.isArray(given) || !('value' in given)) return false
  return Object.keys(given).every((key) => key === 'value' || key === 'sensitive') && 'sensitive' in given
}

/** Every text inside a value. */
export function textsIn(value: Json): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number') return [String(value)]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}
