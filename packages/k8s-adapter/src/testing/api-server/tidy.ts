import type { Json, JsonObject } from '@gitops-sdk/core'
import { isObject } from './json.ts'
import type { Kind } from './kinds.ts'
import { type Shape, shapeOfField } from './shape.ts'

/** The object as it is kept: without fields nobody knows and, for built-in kinds, without empty maps and lists. */
export function tidied(object: JsonObject, { shape, custom }: Kind): JsonObject {
  return tidy(object, shape, custom) as JsonObject
}

function tidy(value: Json, shape: Shape, keepsEmpty: boolean): Json {
  if (Array.isArray(value))
    return shape.type === 'list' ? value.map((item: Json) => tidy(item, shape.items, keepsEmpty)) : value
  if (!isObject(value) || shape.type === 'any') return value
  const fields = Object.entries(value).flatMap(([field, inner]) => {
    const below = shapeOfField(shape, field)
    if (below === undefined || (inner === null && shape.type === 'struct')) return []
    const isEmpty = !keepsEmpty && shape.type === 'struct' && isHollow(inner, below)
    return isEmpty ? [] : [[field, tidy(inner, below, keepsEmpty)] as const]
  })
  return Object.fromEntries(fields)
}

/** Maps and lists without anything in them are left out by Go; a struct is there or not. */
function isHollow(value: Json, shape: Shape): boolean {
  if (shape.type === 'map') return isObject(value) && Object.keys(value).length === 0
  return shape.type === 'list' && Array.isArray(value) && value.length === 0
}
