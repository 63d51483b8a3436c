import type { Json, JsonObject } from '@gitops-sdk/core'
import { isObject } from '../client/json.ts'

/** The value at a path of keys; `undefined` where the shape is another. */
export function valueAt(object: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = object
  for (const key of path.split('.')) {
    if (!isObject(value)) return undefined
    value = value[key]
  }
  return value
}

/** The integer at a path, or `otherwise`. What is no integer counts as missing. */
export function intAt(object: JsonObject, path: string, otherwise: number): number {
  const value = valueAt(object, path)
  return typeof value === 'number' && Number.isInteger(value) ? value : otherwise
}

/** The text at a path, or `otherwise`. */
export function textAt(object: JsonObject, path: string, otherwise = ''): string {
  const value = valueAt(object, path)
  return typeof value === 'string' ? value : otherwise
}

/** The objects of the array at a path; items that are no objects are left out. */
export function objectsAt(object: JsonObject, path: string): JsonObject[] {
  const value = valueAt(object, path)
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** One entry of `status.conditions`. */
export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
}

/** Says that a status has a shape that no controller writes. */
export interface Malformed {
  readonly malformed: string
}

/** `status.conditions` in their order, or what is wrong with them. */
export function conditionsOf(object: JsonObject): readonly Condition[] | Malformed {
  const value = valueAt(object, 'status.conditions')
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) return { malformed: 'status.conditions is no list' }
  const conditions: Condition[] = []
  for (const item of value) {
    const condition = conditionOf(item)
    if (condition === undefined) return { malformed: 'an entry of status.conditions is no condition' }
    conditions.push(condition)
  }
  return conditions
}

function conditionOf(item: Json): Condition | undefined {
  if (!isObject(item)) return undefined
  const { type, status, reason = '', message = '' } = item
  if (typeof type !== 'string' || typeof status !== 'string') return undefined
  if (typeof reason !== 'string' || typeof message !== 'string') return undefined
  return { type, status, reason, message }
}
