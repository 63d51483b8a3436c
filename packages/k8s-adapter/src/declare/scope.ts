import { builtInScope, definedBy, type GroupKind, type Scope } from './kinds.ts'
import type { Declared } from './flatten.ts'

/** Finds out whether a kind is namespaced where neither Kubernetes nor the declarations tell: asks a server. */
export type ScopeLookup = (kind: GroupKind & { readonly apiVersion: string }) => Promise<Scope | undefined>

/** The scopes of everything that is declared: known kinds, definitions in the same commit, then the lookup. */
export function scopesFor(declared: readonly Declared[], lookup: ScopeLookup): ScopeLookup {
  const defined = new Map<string, Scope>()
  for (const { body } of declared) {
    const definition = definedBy(body)
    if (definition !== undefined) defined.set(`${definition.group}/${definition.kind}`, definition.scope)
  }
  const asked = new Map<string, Promise<Scope | undefined>>()
  return async (kind) => {
    const key = `${kind.group}/${kind.kind}`
    const known = defined.get(key) ?? builtInScope(kind)
    if (known !== undefined) return known
    if (!asked.has(key)) asked.set(key, lookup(kind))
    return asked.get(key)
  }
}
