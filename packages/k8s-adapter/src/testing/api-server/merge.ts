import type { Json, JsonObject } from '@gitops-sdk/core'
import { type FieldSet, isEmptySet, isGranular, itemsByStep, noFields, stepOf } from './fields.ts'
import { isObject } from '../../client/json.ts'
import { anyShape, type ListShape, type Shape, shapeOfField } from './shape.ts'

/** The value with what was applied in it: objects by their fields, lists by their items, the rest as a whole. */
export function merge(live: Json | undefined, applied: Json, shape: Shape): Json {
  if (isObject(live) && isObject(applied) && isGranular(shape)) {
    const merged: Record<string, Json> = { ...live }
    for (const [field, value] of Object.entries(applied))
      merged[field] = merge(merged[field], value, shapeOfField(shape, field) ?? anyShape)
    return merged
  }
  if (shape.type === 'list' && shape.known !== 'atomic' && Array.isArray(live) && Array.isArray(applied))
    return mergeItems(live, applied, shape)
  return applied
}

/** In the order that was applied; items of others stay where they were between them. */
function mergeItems(live: readonly Json[], applied: readonly Json[], shape: ListShape): Json[] {
  const [ours, theirs] = [itemsByStep(live, shape), itemsByStep(applied, shape)]
  const [left, right] = [[...ours.keys()], [...theirs.keys()]]
  const order = new Set<string>()
  while (left.length > 0 || right.length > 0) {
    const [a, b] = [left[0], right[0]]
    if (a !== undefined && (a === b || !theirs.has(a) || order.has(a))) order.add(left.shift()!)
    if (b !== undefined && (a === undefined || a === b || (theirs.has(a) && !order.has(a)))) order.add(right.shift()!)
  }
  return [...order].map((step) => {
    const item = theirs.get(step)
    return item === undefined ? ours.get(step)! : merge(ours.get(step), item, shape.items)
  })
}

/** The value without what was given up and nobody keeps. */
export function prune(value: Json, givenUp: FieldSet, kept: FieldSet, shape: Shape): Json {
  if (isObject(value) && isGranular(shape)) return pruneFields(value, givenUp, kept, shape)
  if (Array.isArray(value) && shape.type === 'list' && shape.known !== 'atomic')
    return value.flatMap((item: Json) => {
      const step = stepOf(item, shape) ?? ''
      return pruneBranch(item, givenUp.below.get(step), kept.below.get(step) ?? noFields, shape.items)
    })
  return value
}

function pruneFields(value: JsonObject, givenUp: FieldSet, kept: FieldSet, shape: Shape): JsonObject {
  const fields = Object.entries(value).flatMap(([field, inner]) => {
    const step = `f:${field}`
    const below = shapeOfField(shape, field) ?? anyShape
    const left = pruneBranch(inner, givenUp.below.get(step), kept.below.get(step) ?? noFields, below)
    return left.map((each) => [field, each] as const)
  })
  return Object.fromEntries(fields)
}

/** One value, or none. */
function pruneBranch(value: Json, givenUp: FieldSet | undefined, kept: FieldSet, shape: Shape): readonly Json[] {
  if (givenUp === undefined) return [value]
  if (givenUp.self && isEmptySet(kept)) return []
  const left = prune(value, givenUp, kept, shape)
  return isHollow(left) && !isHollow(value) ? [] : [left]
}

function isHollow(value: Json): boolean {
  return (isObject(value) && Object.keys(value).length === 0) || (Array.isArray(value) && value.length === 0)
}
