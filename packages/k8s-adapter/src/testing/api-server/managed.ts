import { isoTime, type Json, type JsonObject, sameJson } from '@gitops-sdk/core'
import {
  compareFields,
  difference,
  type FieldSet,
  fieldsOf,
  intersection,
  isEmptySet,
  noFields,
  pathsIn,
  readFields,
  sameSet,
  union,
  withoutBranches,
  writeFields,
} from './fields.ts'
import { metadataOf, objectsOf, textOf, without, withMetadata } from '../../client/json.ts'
import { merge, prune } from './merge.ts'
import type { Shape } from './shape.ts'

/** One manager with the fields it owns. */
interface Entry {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly time: string | undefined
  readonly fields: FieldSet
}

/** Who writes, and how. */
export interface Writer {
  readonly manager: string
  readonly apiVersion: string
  readonly subresource: string
  /** Epoch milliseconds. */
  readonly now: number
  /** Branches that this way of writing cannot own, such as `f:status` outside the subresource. */
  readonly reset: readonly (readonly string[])[]
}

/** A field that is owned by somebody else. */
export interface Rival {
  readonly manager: string
  readonly operation: Entry['operation']
  readonly apiVersion: string
  readonly subresource: string
  readonly field: string
}

/** The object after an apply, or the conflicts that prevent it. */
export type Applied = { readonly object: JsonObject } | { readonly conflicts: readonly Rival[] }

/** Written by the server, so owned by nobody. */
const unowned: readonly (readonly string[])[] = [
  ['f:apiVersion'],
  ['f:kind'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((field) => ['f:metadata', `f:${field}`]),
]
/** More managers that update than this are merged into one. */
const MAX_UPDATERS = 10

/**
 * Server-side apply: what is applied is merged in and owned; what this manager applied before and left out now goes
 * away unless somebody else keeps it; what others own and would change is a conflict unless forced.
 */
export function applyFields(
  live: JsonObject | undefined,
  applied: JsonObject,
  shape: Shape,
  writer: Writer,
  force: boolean,
): Applied {
  const before = live ?? {}
  const entries = entriesOf(before)
  const isOwn = (each: Entry): boolean =>
    each.manager === writer.manager && each.operation === 'Apply' && each.subresource === writer.subresource
  const own = entries.find(isOwn)
  const others = entries.filter((each) => !isOwn(each))
  const fields = withoutBranches(fieldsOf(applied, shape), [...unowned, ...writer.reset])
  const bare = bareOf(before)
  const merged = merge(bare, applied, shape)
  const kept = others.reduce((all, each) => union(all, each.fields), fields)
  const next = prune(merged, own?.fields ?? noFields, kept, shape) as JsonObject
  const { added, modified, removed } = compareFields(bare, next, shape)
  const touched = union(added, modified)
  const conflicts = force ? [] : others.flatMap((each) => rivalsIn(each, intersection(each.fields, touched)))
  if (conflicts.length > 0) return { conflicts }
  const left = others.map((each) => ({ ...each, fields: difference(difference(each.fields, touched), removed) }))
  const isChanged = !sameJson(bare, next)
  const time = isChanged ? timeOf(writer.now) : own?.time
  const entry: Entry = { ...writer, operation: 'Apply', time, fields }
  return { object: withEntries(next, [entry, ...left]) }
}

function rivalsIn({ manager, operation, apiVersion, subresource }: Entry, fields: FieldSet): Rival[] {
  return pathsIn(fields).map((field) => ({ manager, operation, apiVersion, subresource, field }))
}

/** The object after any other write: whoever writes owns what changed, and nobody what is gone. */
export function updateFields(live: JsonObject | undefined, next: JsonObject, shape: Shape, writer: Writer): JsonObject {
  const given = metadataOf(next)['managedFields']
  // Somebody who writes an empty list wants to begin anew; one who writes none at all changes nothing.
  const entries = entriesOf(given === undefined ? (live ?? {}) : next)
  const { added, modified, removed } = compareFields(bareOf(live ?? {}), bareOf(next), shape)
  const touched = withoutBranches(union(added, modified), [...unowned, ...writer.reset])
  const isOwn = (each: Entry): boolean =>
    each.manager === writer.manager &&
    each.operation === 'Update' &&
    each.subresource === writer.subresource &&
    each.apiVersion === writer.apiVersion
  const own = entries.find(isOwn)
  const before = own?.fields ?? noFields
  const fields = difference(union(before, touched), removed)
  const others = entries
    .filter((each) => !isOwn(each))
    .map((each) => ({ ...each, fields: difference(difference(each.fields, touched), removed) }))
  const time = isEmptySet(touched) && sameSet(before, fields) ? own?.time : timeOf(writer.now)
  return withEntries(bareOf(next), capped([...others, { ...writer, operation: 'Update', time, fields }]))
}

/** The oldest updaters become one, so that the list does not grow for ever. */
function capped(entries: readonly Entry[]): Entry[] {
  const updaters = entries.filter(({ operation, subresource }) => operation === 'Update' && subresource === '')
  if (updaters.length <= MAX_UPDATERS) return [...entries]
  const oldest = updaters
    .toSorted((left, right) => (left.time ?? '').localeCompare(right.time ?? ''))
    .slice(0, updaters.length - MAX_UPDATERS + 1)
  const last = oldest.at(-1)!
  const fields = oldest.reduce((all, each) => union(all, each.fields), noFields)
  return [...entries.filter((each) => !oldest.includes(each)), { ...last, manager: 'ancient-changes', fields }]
}

function entriesOf(object: JsonObject): Entry[] {
  return objectsOf(metadataOf(object)['managedFields']).map((each) => ({
    manager: textOf(each['manager']),
    operation: each['operation'] === 'Apply' ? 'Apply' : 'Update',
    apiVersion: textOf(each['apiVersion']),
    subresource: textOf(each['subresource']),
    time: each['time'] === undefined ? undefined : textOf(each['time']),
    fields: readFields(each['fieldsV1'] as JsonObject),
  }))
}

function withEntries(object: JsonObject, entries: readonly Entry[]): JsonObject {
  const written = entries
    .filter(({ fields }) => !isEmptySet(fields))
    .toSorted(inOrder)
    .map(writeEntry)
  return withMetadata(object, { managedFields: written.length === 0 ? undefined : (written as Json) })
}

/** Those that apply come first, then the older ones. */
function inOrder(left: Entry, right: Entry): number {
  const byOperation = left.operation.localeCompare(right.operation)
  const byTime = (left.time ?? '').localeCompare(right.time ?? '')
  return byOperation || byTime || left.manager.localeCompare(right.manager)
}

function writeEntry({ manager, operation, apiVersion, subresource, time, fields }: Entry): JsonObject {
  return {
    manager,
    operation,
    apiVersion,
    ...(time !== undefined && { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: writeFields(fields),
    ...(subresource !== '' && { subresource }),
  }
}

/** The object without what its managers are not asked about. */
function bareOf(object: JsonObject): JsonObject {
  return Object.keys(object).length === 0
    ? object
    : { ...object, metadata: without(metadataOf(object), 'managedFields') }
}

function timeOf(now: number): string {
  return isoTime(now).replace(/\.\d+Z$/, 'Z')
}
