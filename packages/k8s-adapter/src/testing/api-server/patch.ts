import type { Json, JsonObject } from '@gitops-sdk/core'
import jsonPatch from 'fast-json-patch'
import { badRequest, refusal, status } from './answer.ts'
import { itemsByStep } from './fields.ts'
import { isObject, without } from '../../client/json.ts'
import { anyShape, type ListShape, type Shape, shapeOfField } from './shape.ts'

/** The object after a patch that is no apply. */
export function patched(live: JsonObject, patch: Json, contentType: string, shape: Shape): JsonObject {
  if (contentType === 'application/json-patch+json') return afterJsonPatch(live, patch)
  if (!isObject(patch)) throw badRequest('error decoding patch: json: cannot unmarshal array into Go value of type map')
  const merged =
    contentType === 'application/merge-patch+json' ? mergePatch(live, patch) : strategic(live, patch, shape)
  return merged as JsonObject
}

function afterJsonPatch(live: JsonObject, patch: Json): JsonObject {
  try {
    const operations = patch as unknown as Parameters<typeof jsonPatch.applyPatch>[1]
    return jsonPatch.applyPatch(structuredClone(live), operations, true).newDocument
  } catch (thrown) {
    const why = thrown instanceof Error ? (thrown.message.split('\n')[0] ?? '') : ''
    throw refusal(status(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`))
  }
}

function mergePatch(live: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  const merged: Record<string, Json> = isObject(live) ? { ...live } : {}
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete merged[field]
    else merged[field] = mergePatch(merged[field], value)
  }
  return merged
}

/** As a merge patch, but lists whose items have keys are merged item by item. */
function strategic(live: Json | undefined, patch: Json, shape: Shape): Json {
  if (Array.isArray(patch) && shape.type === 'list' && Array.isArray(live) && Array.isArray(shape.known))
    return strategicItems(live, patch, shape)
  if (!isObject(patch)) return patch
  if (patch['$patch'] === 'replace') return without(patch, '$patch')
  const merged: Record<string, Json> = isObject(live) ? { ...live } : {}
  for (const [field, value] of Object.entries(patch)) {
    if (field.startsWith('$')) continue
    if (value === null) delete merged[field]
    else merged[field] = strategic(merged[field], value, shapeOfField(shape, field) ?? anyShape)
  }
  return merged
}

function strategicItems(live: readonly Json[], patch: readonly Json[], shape: ListShape): Json[] {
  const items = itemsByStep(live, shape)
  for (const [step, item] of itemsByStep(patch, shape)) {
    if (isObject(item) && item['$patch'] === 'delete') items.delete(step)
    else items.set(step, strategic(items.get(step), item, shape.items))
  }
  return [...items.values()]
}
