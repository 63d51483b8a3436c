import { createHash } from 'node:crypto'
import { canonicalJson, type Json, type JsonObject } from '@gitops-sdk/core'
import { isObject, objectOf, textOf } from '../client/json.ts'
import { withoutToken } from './token.ts'

/** One entry of `metadata.managedFields`. */
export interface ManagerEntry {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly subresource: string
  readonly apiVersion: string
  /** ISO 8601; absent is normal. */
  readonly time: string | undefined
  /** The set of fields in the form `fieldsV1`, without that of our token. */
  readonly fields: JsonObject
}

/** The managers of an object, in the order the server lists them. */
export function managersOf(object: JsonObject): ManagerEntry[] {
  const entries = (object['metadata'] as JsonObject | undefined)?.['managedFields']
  if (!Array.isArray(entries)) return []
  return entries.filter(isObject).map((entry: JsonObject) => ({
    manager: textOf(entry['manager']),
    operation: entry['operation'] === 'Apply' ? 'Apply' : 'Update',
    subresource: textOf(entry['subresource']),
    apiVersion: textOf(entry['apiVersion']),
    time: typeof entry['time'] === 'string' ? entry['time'] : undefined,
    fields: isObject(entry['fieldsV1']) ? withoutToken(entry['fieldsV1']) : {},
  }))
}

/** What a manager applied: its fields, and the version in which they are named. */
export function entryOf(object: JsonObject, manager: string): ManagerEntry | undefined {
  return managersOf(object).find(
    (each) => each.manager === manager && each.operation === 'Apply' && each.subresource === '',
  )
}

/**
 * The part of a value that a set of fields speaks about, in the shape of the set. Two objects with equal
 * projections are equal in everything the set owns, whatever else there is.
 */
export function project(value: Json | undefined, set: JsonObject): Json | undefined {
  if (value === undefined) return undefined
  const steps = Object.keys(set).filter((step) => step !== '.')
  if (steps.length === 0) return value
  const projected: Record<string, Json> = {}
  for (const step of steps) {
    const below = project(follow(value, step), objectOf(set[step]))
    if (below !== undefined) projected[step] = below
  }
  return projected
}

/** The value one step of a field set leads to. */
export function follow(value: Json | undefined, step: string): Json | undefined {
  const rest = step.slice(2)
  if (step.startsWith('f:')) return isObject(value) && Object.hasOwn(value, rest) ? value[rest] : undefined
  if (!Array.isArray(value)) return undefined
  if (step.startsWith('k:')) return value.find((item: Json) => hasKeys(item, rest))
  if (step.startsWith('v:')) {
    const wanted = parseStep(rest)
    return value.find((item: Json) => wanted !== undefined && canonicalJson(item) === canonicalJson(wanted))
  }
  return /^i:\d+$/.test(step) ? value[Number(rest)] : undefined
}

/** Whether an item of a list is the one that the keys name. */
export function hasKeys(item: Json | undefined, keys: string): boolean {
  const wanted = parseStep(keys)
  if (!isObject(item) || !isObject(wanted)) return false
  return Object.entries(wanted).every(([key, value]) => Object.hasOwn(item, key) && item[key] === value)
}

/** What a step says; `undefined` for one that no server writes, which then leads nowhere. */
function parseStep(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** Proves that what we applied is still as we left it. */
export interface Fingerprint {
  /** Of the fields we own. It changes when somebody takes one. */
  readonly set: string
  /** Of their values; of the version of the object for a Secret, so that nothing can be guessed from it. */
  readonly values: string
}

/** The fingerprint of what `manager` owns of an object; `undefined` when it owns nothing. */
export function fingerprint(object: JsonObject, manager: string): Fingerprint | undefined {
  const set = entryOf(object, manager)?.fields
  if (set === undefined) return undefined
  return { set: hash(set), values: isSecret(object) ? versionOf(object) : hash(project(object, set) ?? null) }
}

/** Both parts as one text, for `Owned.note`. */
export function fingerprintText({ set, values }: Fingerprint): string {
  return `${set}.${values}`
}

function versionOf(object: JsonObject): string {
  return `v${textOf(objectOf(object['metadata'])['resourceVersion'])}`
}

/** Whether the values of an object may not be guessed from what is kept of it. */
export function isSecret(object: JsonObject): boolean {
  return object['kind'] === 'Secret' && object['apiVersion'] === 'v1'
}

/** A short text that differs where values differ. */
export function hash(value: Json): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url').slice(0, 22)
}
