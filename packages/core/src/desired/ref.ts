import type { ResourceRef } from './desired.ts'

/** The one string for a ref, for maps and sorting. Unambiguous: every part is escaped. */
export function refKey(ref: ResourceRef): string {
  return `${part(ref.group)}/${part(ref.kind)}/${part(ref.namespace)}/${part(ref.name)}`
}

function part(text: string | undefined): string {
  return text === undefined ? '' : text.includes('/') || text.includes('%') ? encodeURIComponent(text) : text
}

/** A ref as people write it: `Deployment shop/web`, `flag checkout`. */
export function label(ref: ResourceRef): string {
  return ref.namespace === undefined ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`
}

/** Sorts by group, kind, namespace and name, in code-unit order: the same on every machine. */
export function compareRefs(left: ResourceRef, right: ResourceRef): number {
  return (
    compare(left.group ?? '', right.group ?? '') ||
    compare(left.kind, right.kind) ||
    compare(left.namespace ?? '', right.namespace ?? '') ||
    compare(left.name, right.name)
  )
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
