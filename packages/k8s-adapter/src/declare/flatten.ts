import { GitOpsError, type Json, type JsonObject, type Origin } from '@gitops-sdk/core'
import { type Document } from '@gitops-sdk/core/files'
import { isObject } from '../client/json.ts'

/** One object as it stands in a file. */
export interface Declared {
  readonly body: JsonObject
  readonly origin: Origin
}

/** Lists inside lists: more is a mistake or an attack. */
const MAX_LIST_DEPTH = 5

/**
 * The objects of a document: itself, or the items of a `List` (`kind: List`, or any `…List` with an
 * array of items that are objects of Kubernetes), also lists inside lists. A List of one kind gives its
 * items the kind and version they leave out. Throws `DECLARATION_INVALID` and `DECLARATION_LIMIT`.
 */
export function* flatten({ body, origin }: Pick<Document, 'body' | 'origin'>, depth = 0): Generator<Declared> {
  if (!isListOfObjects(body)) return yield { body, origin }
  const where = `${origin.path}:${origin.line ?? 1}`
  if (depth >= MAX_LIST_DEPTH)
    throw new GitOpsError('DECLARATION_LIMIT', `${where}: lists stand inside lists more than ${MAX_LIST_DEPTH} deep.`)
  for (const [index, item] of body.items.entries()) {
    if (!isObject(item))
      throw new GitOpsError('DECLARATION_INVALID', `${where}: item ${index} of a list is not an object.`)
    yield* flatten({ body: inheriting(item, body), origin }, depth + 1)
  }
}

function inheriting(item: JsonObject, { apiVersion, kind }: JsonObject): JsonObject {
  if (kind === 'List' || typeof kind !== 'string') return item
  return { ...item, apiVersion: item['apiVersion'] ?? apiVersion ?? null, kind: item['kind'] ?? kind.slice(0, -4) }
}

function isListOfObjects(body: JsonObject): body is JsonObject & { readonly items: readonly Json[] } {
  const { kind, items, metadata } = body
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return false
  // A custom resource may be called PriceList: it has a name, a list has none.
  return metadata === undefined || metadata === null || (metadata as JsonObject)['name'] === undefined
}
