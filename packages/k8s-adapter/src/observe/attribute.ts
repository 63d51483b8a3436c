import type { Actor, Json, JsonObject } from '@gitops-sdk/core'
import { follow, hasKeys, type ManagerEntry, managersOf } from './field-set.ts'

/** Names the server itself gives to entries whose author it does not know. */
const vague: ReadonlySet<string> = new Set(['ancient-changes', 'before-first-apply', 'unknown', 'Mozilla'])

/**
 * Who last changed a field of a living object, from its managed fields; `undefined` when nobody but
 * `self` did. It names the client, not the person, and the time is an upper bound: when that client last
 * changed anything it owns.
 *
 * The value of a field belongs to whoever changed it, and to those who applied the same value later. A
 * removed field leaves no trace, so its remover is never named.
 */
export function attribute(object: JsonObject, pointer: string, self: string): Actor | undefined {
  const segments = pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (valueAt(object, segments) === undefined) return { name: 'unknown', confidence: 'unknown' }
  const owners = managersOf(object).filter((entry) => owns(entry, object, segments))
  if (owners.length === 0) return { name: 'unknown', confidence: 'unknown' }
  const others = owners.filter(({ manager, operation }) => manager !== self || operation !== 'Apply')
  if (others.length === 0) return undefined
  const updates = others.filter(({ operation }) => operation === 'Update')
  if (updates.length === 1) return actor(updates[0]!, 'certain')
  return actor(newest(others), others.length === 1 ? 'certain' : 'shared')
}

function owns({ fields }: ManagerEntry, object: JsonObject, segments: readonly string[]): boolean {
  let set: JsonObject = fields
  let value: Json | undefined = object
  for (const segment of segments) {
    const step = Object.keys(set).find((each) => leadsTo(each, value, segment))
    // An entry that ends above owns the whole value there: a list or map that is one.
    if (step === undefined) return Object.keys(set).length === 0 && set !== fields
    value = follow(value, step)
    set = set[step] as JsonObject
  }
  return true
}

function leadsTo(step: string, value: Json | undefined, segment: string): boolean {
  if (step === '.') return false
  if (!Array.isArray(value)) return step === `f:${segment}`
  const item: Json | undefined = value[Number(segment)]
  if (step.startsWith('k:')) return hasKeys(item, step.slice(2))
  if (step.startsWith('v:')) return step.slice(2) === JSON.stringify(item)
  return step === `i:${segment}`
}

function valueAt(object: JsonObject, segments: readonly string[]): Json | undefined {
  let value: Json | undefined = object
  for (const segment of segments) {
    if (value === null || typeof value !== 'object') return undefined
    value = Array.isArray(value) ? (value[Number(segment)] as Json | undefined) : (value as JsonObject)[segment]
  }
  return value
}

function newest(entries: readonly ManagerEntry[]): ManagerEntry {
  return entries.reduce((found, each) => ((each.time ?? '') > (found.time ?? '') ? each : found))
}

function actor({ manager, operation, subresource, time }: ManagerEntry, confidence: Actor['confidence']): Actor {
  // oxlint-disable-next-line no-restricted-globals -- parses a timestamp of the server, asks no clock
  const at = time === undefined ? Number.NaN : Date.parse(time)
  return {
    name: manager,
    via: subresource === '' ? operation : `${operation} of ${subresource}`,
    ...(Number.isFinite(at) && { at }),
    confidence: vague.has(manager) ? 'unknown' : confidence,
  }
}
