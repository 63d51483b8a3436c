import type { Json, JsonObject } from '@gitops-sdk/core'
import { canonicalQuantity } from '../../declare/quantity.ts'
import { isObject } from '../../client/json.ts'
import type { Kind } from './kinds.ts'
import { type Shape, shapeOfField } from './shape.ts'

/**
 * The object as it is kept: without fields nobody knows and, for built-in kinds, without empty maps and lists, amounts in
 * their usual form, and nothing as the empty text where Go knows no other nothing.
 */
export function tidied(object: JsonObject, { shape, custom }: Kind): JsonObject {
  return tidy(object, shape, custom) as JsonObject
}

function tidy(value: Json, shape: Shape, keepsEmpty: boolean): Json {
  if (Array.isArray(value))
    return shape.type === 'list' ? value.map((item: Json) => tidy(item, shape.items, keepsEmpty)) : value
  if (!isObject(value) || shape.type === 'any') return value
  const fields = Object.entries(value).flatMap(([field, given]) => {
    const below = shapeOfField(shape, field)
    if (below === undefined || (given === null && shape.type === 'struct')) return []
    const inner = keepsEmpty ? given : usual(given, below, shape)
    const isEmpty = !keepsEmpty && shape.type === 'struct' && isHollow(inner, below)
    return isEmpty ? [] : [[field, tidy(inner, below, keepsEmpty)] as const]
  })
  return Object.fromEntries(fields)
}

/** An amount on its own may be a number of something or a share: only those of resources have one form. */
function usual(value: Json, { type }: Shape, above: Shape): Json {
  if (type === 'string' && value === null) return ''
  const isAmount = type === 'quantity' && above.type === 'map'
  return isAmount && (typeof value === 'string' || typeof value === 'number') ? canonicalQuantity(value) : value
}

/** Maps and lists without anything in them are left out by Go; a struct is there or not. */
function isHollow(value: Json, shape: Shape): boolean {
  if (shape.type === 'map') return isObject(value) && Object.keys(value).length === 0
  return shape.type === 'list' && Array.isArray(value) && value.length === 0
}
