import { canonicalJson, type Json, type JsonObject, sameJson } from '@gitops-sdk/core'
import { isObject, objectOf } from '../../client/json.ts'
import { type ListShape, type Shape, shapeOfField } from './shape.ts'

/** A set of paths into an object. A step is written as in `fieldsV1`: `f:name`, `k:{"name":"x"}`, `v:"x"`. */
export interface FieldSet {
  /** Whether the path that leads here is itself in the set. */
  readonly self: boolean
  readonly below: ReadonlyMap<string, FieldSet>
}

export const noFields: FieldSet = { self: false, below: new Map() }
const itself: FieldSet = { self: true, below: new Map() }

/** Whether there is no path in the set. */
export function isEmptySet({ self, below }: FieldSet): boolean {
  return !self && below.size === 0
}

/** The set that `fieldsV1` describes. */
export function readFields(fields: JsonObject): FieldSet {
  const steps = Object.entries(fields).filter(([step]) => step !== '.')
  if (steps.length === 0) return itself
  return {
    self: fields['.'] !== undefined,
    below: new Map(steps.map(([step, inner]) => [step, readFields(objectOf(inner))])),
  }
}

/** A set as `fieldsV1` writes it. */
export function writeFields({ self, below }: FieldSet): JsonObject {
  if (below.size === 0) return {}
  const steps = [...below].toSorted(([left], [right]) => (left < right ? -1 : 1))
  const written = steps.map(([step, inner]) => [step, writeFields(inner)] as const)
  return Object.fromEntries(self ? [['.', {}] as const, ...written] : written)
}

/** Every path that is in one of the two. */
export function union(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, right, (a, b) => a || b)
}

/** Every path that is in both. */
export function intersection(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, right, (a, b) => a && b)
}

/** Every path of the first that is not in the second. */
export function difference(left: FieldSet, right: FieldSet): FieldSet {
  return combine(left, right, (a, b) => a && !b)
}

/** Whether two sets hold the same paths. */
export function sameSet(left: FieldSet, right: FieldSet): boolean {
  return sameJson(writeFields(left), writeFields(right)) && left.self === right.self
}

function combine(left: FieldSet, right: FieldSet, keep: (left: boolean, right: boolean) => boolean): FieldSet {
  const below = new Map<string, FieldSet>()
  for (const step of new Set([...left.below.keys(), ...right.below.keys()])) {
    const inner = combine(left.below.get(step) ?? noFields, right.below.get(step) ?? noFields, keep)
    if (!isEmptySet(inner)) below.set(step, inner)
  }
  return { self: keep(left.self, right.self), below }
}

/** The set without whole branches, each given by its steps. */
export function withoutBranches(set: FieldSet, branches: readonly (readonly string[])[]): FieldSet {
  return branches.reduce(withoutBranch, set)
}

function withoutBranch(set: FieldSet, [step = '', ...rest]: readonly string[]): FieldSet {
  const inner = set.below.get(step)
  if (inner === undefined) return set
  const below = new Map(set.below)
  const left = rest.length === 0 ? noFields : withoutBranch(inner, rest)
  if (isEmptySet(left)) below.delete(step)
  else below.set(step, left)
  return { ...set, below }
}

/** The paths in the words of people, such as `.spec.ports[port=80,protocol="TCP"].name`. */
export function pathsIn(set: FieldSet, above = ''): string[] {
  const inner = [...set.below].flatMap(([step, below]) => pathsIn(below, above + spoken(step)))
  return set.self ? [above, ...inner] : inner
}

function spoken(step: string): string {
  const rest = step.slice(2)
  if (step.startsWith('f:')) return `.${rest}`
  if (step.startsWith('v:')) return `[=${rest}]`
  const keys = Object.entries(JSON.parse(rest) as JsonObject).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return `[${keys.join(',')}]`
}

/** The step to an item of a list; `undefined` where it lacks a key. */
export function stepOf(item: Json, { known, items }: ListShape): string | undefined {
  if (known === 'atomic') return undefined
  if (known === 'by value') return `v:${JSON.stringify(item)}`
  if (!isObject(item)) return undefined
  const keys: Record<string, Json> = {}
  for (const key of known) {
    const value = item[key] ?? (items.type === 'struct' ? items.fields.get(key)?.fallback : undefined)
    if (value !== undefined && value !== null) keys[key] = value
  }
  return Object.keys(keys).length === 0 ? undefined : `k:${canonicalJson(keys)}`
}

/** Every path that a value speaks about: its leaves, the items of lists, and the entries of maps. */
export function fieldsOf(value: Json, shape: Shape): FieldSet {
  if (isObject(value) && isGranular(shape)) {
    const below = Object.entries(value).map(
      ([field, inner]) => [`f:${field}`, fieldSetOf(field, inner, shape)] as const,
    )
    return { self: false, below: new Map(below.filter(([, set]) => !isEmptySet(set))) }
  }
  if (Array.isArray(value) && shape.type === 'list' && shape.known !== 'atomic') {
    const items = value.map((item: Json) => {
      const step = stepOf(item, shape) ?? ''
      return [step, { ...fieldsOf(item, shape.items), self: true }] as const
    })
    return { self: false, below: new Map(items) }
  }
  return itself
}

function fieldSetOf(field: string, inner: Json, shape: Shape): FieldSet {
  const set = fieldsOf(inner, shapeOfField(shape, field) ?? { type: 'any' })
  const isDeclared = shape.type === 'struct' && shape.fields.has(field)
  const isHollow = inner === null || (isObject(inner) && Object.keys(inner).length === 0)
  return isDeclared && !isHollow ? set : { ...set, self: true }
}

/** Whether objects of this shape are merged field by field. */
export function isGranular(shape: Shape): boolean {
  return shape.type === 'any' || ((shape.type === 'struct' || shape.type === 'map') && !shape.atomic)
}

/** What is different between two values of one shape. */
export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

/** Compares leaf by leaf; what is added or removed is so with everything in it. */
export function compareFields(left: Json | undefined, right: Json | undefined, shape: Shape): Comparison {
  const branches = branchesOf(left, right, shape)
  const inner = branches.map(([step, a, b, below]) => [step, compareFields(a, b, below)] as const)
  const gather = (part: keyof Comparison, self: boolean): FieldSet => ({
    self,
    below: new Map(inner.map(([step, sets]) => [step, sets[part]] as const).filter(([, set]) => !isEmptySet(set))),
  })
  const isLeaf = branches.length === 0
  // A struct is there with the object; only what was put into it is anybody's.
  const counts = isLeaf || shape.type !== 'struct'
  return {
    added: gather('added', counts && left === undefined && right !== undefined),
    removed: gather('removed', left !== undefined && right === undefined),
    modified: gather('modified', isLeaf && left !== undefined && right !== undefined && !sameJson(left, right)),
  }
}

type Branch = readonly [step: string, left: Json | undefined, right: Json | undefined, shape: Shape]

function branchesOf(left: Json | undefined, right: Json | undefined, shape: Shape): Branch[] {
  if (shape.type === 'list') return shape.known === 'atomic' ? [] : itemBranches(left, right, shape)
  if (!isGranular(shape) || !(isObject(left) || isObject(right))) return []
  const [a, b] = [objectOf(left), objectOf(right)]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].map(
    (field) => [`f:${field}`, a[field], b[field], shapeOfField(shape, field) ?? { type: 'any' }] as const,
  )
}

function itemBranches(left: Json | undefined, right: Json | undefined, shape: ListShape): Branch[] {
  const [a, b] = [itemsByStep(left, shape), itemsByStep(right, shape)]
  return [...new Set([...a.keys(), ...b.keys()])].map((step) => [step, a.get(step), b.get(step), shape.items] as const)
}

/** The items of a list by their steps. */
export function itemsByStep(list: Json | undefined, shape: ListShape): Map<string, Json> {
  if (!Array.isArray(list)) return new Map()
  return new Map(list.map((item: Json) => [stepOf(item, shape) ?? '', item] as const))
}
