import { GitOpsError, type Json, type RunCall, type Variables, resolveVariable, textsIn } from '@gitops-sdk/core'

/** Variables as the binary receives them, with what must not be seen of them. */
export interface ResolvedVariables {
  readonly values: Readonly<Record<string, Json>>
  readonly secrets: readonly string[]
}

/** Takes the values out of secrets and outputs. Throws `CONFIG_INVALID` for a name that is none. */
export function resolveVariables(variables: Variables, call: RunCall): ResolvedVariables {
  const values: Record<string, Json> = {}
  const secrets: string[] = []
  for (const [name, given] of Object.entries(variables)) {
    if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(name))
      throw new GitOpsError('CONFIG_INVALID', `${JSON.stringify(name)} is no name of a variable.`)
    const { value, sensitive } = resolveVariable(given, call)
    values[name] = value
    if (sensitive) secrets.push(...textsIn(value))
  }
  return { values, secrets }
}
