import type { Json, JsonObject } from '@gitops-sdk/core'

/** Whether a value is an object, as opposed to a list, a scalar and null. */
export function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** The value where it is an object, and an empty one otherwise. */
export function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}

/** The object under a key, and an empty one where there is another value or none. */
export function objectAt(object: JsonObject, key: string): JsonObject {
  return objectOf(object[key])
}

/** The items of a list that are objects. */
export function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** The value where it is a text, and an empty one otherwise. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** The items of a list that are texts. */
export function textsOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : []
}

/** The metadata of an object. */
export function metadataOf(object: JsonObject): JsonObject {
  return objectOf(object['metadata'])
}

/** The object with some of its metadata set anew; `undefined` removes a field. */
export function withMetadata(object: JsonObject, changes: Readonly<Record<string, Json | undefined>>): JsonObject {
  const metadata: Record<string, Json> = { ...metadataOf(object) }
  for (const [field, value] of Object.entries(changes)) {
    if (value === undefined) delete metadata[field]
    else metadata[field] = value
  }
  return { ...object, metadata }
}

/** The object without some of its fields. */
export function without(object: JsonObject, ...fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([field]) => !fields.includes(field)))
}
