import { type FieldChange, type FieldValue, type Json, type Seal, canonicalJson } from '@gitops-sdk/core'
import type { ChangeJson } from '../observe/plan-json.ts'

/** The fields that differ, leaf by leaf, in a stable order. Secrets are redacted by the masks of the plan. */
export function fieldsOf(change: ChangeJson, seal: Seal): readonly FieldChange[] {
  const before = leavesOf(change.before)
  const after = leavesOf(change.after)
  const unknown = truePaths(change.after_unknown)
  const secret = [...truePaths(change.before_sensitive), ...truePaths(change.after_sensitive)]
  const paths = new Set([...before.keys(), ...after.keys(), ...unknown])
  const isUnknown = (path: string): boolean => unknown.some((each) => covers(each, path))
  return [...paths].toSorted().flatMap((path) => {
    if (isUnknown(path)) return unknown.includes(path) ? [{ path, op: 'replace' as const, unknown: true }] : []
    const isSecret = secret.some((each) => covers(each, path))
    return difference(path, before.get(path), after.get(path), isSecret ? seal : undefined)
  })
}

/** Whether `path` is `pointer` or below it. */
export function covers(pointer: string, path: string): boolean {
  return path === pointer || pointer === '' || path.startsWith(`${pointer}/`)
}

function difference(path: string, before: Json | undefined, after: Json | undefined, seal?: Seal): FieldChange[] {
  if (isSame(before, after)) return []
  const shown = (value: Json): FieldValue => (seal === undefined ? value : seal.redact(value))
  return [
    {
      path,
      op: before === undefined ? 'add' : after === undefined ? 'remove' : 'replace',
      ...(before !== undefined && { before: shown(before) }),
      ...(after !== undefined && { after: shown(after) }),
      ...(seal !== undefined && { sensitive: true }),
    },
  ]
}

function isSame(left: Json | undefined, right: Json | undefined): boolean {
  if (left === undefined || right === undefined) return left === right
  return canonicalJson(left) === canonicalJson(right)
}

/** Every leaf by its JSON Pointer. Null says the same as absent here, so it is left out. */
function leavesOf(value: Json, path = ''): ReadonlyMap<string, Json> {
  if (value === null) return new Map()
  if (typeof value !== 'object' || Object.keys(value).length === 0) return new Map([[path, value]])
  return new Map(Object.entries(value).flatMap(([key, member]) => [...leavesOf(member, `${path}/${escape(key)}`)]))
}

/** Where a mask says `true`. */
function truePaths(mask: Json | undefined, path = ''): readonly string[] {
  if (mask === true) return [path]
  if (typeof mask !== 'object' || mask === null) return []
  return Object.entries(mask).flatMap(([key, member]) => truePaths(member, `${path}/${escape(key)}`))
}

function escape(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
