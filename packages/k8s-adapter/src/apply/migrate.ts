import { type Call, type Json, type JsonObject, sameJson } from '@gitops-sdk/core'
import { metadataOf, objectAt } from '../client/json.ts'
import { type ObjectPlace, objectPath } from '../client/objects.ts'
import type { KubeClient } from '../client/port.ts'
import { type ManagerEntry, managersOf } from '../observe/field-set.ts'

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Whether `kubectl apply` without `--server-side` owns fields of the object: then what is removed from a declaration would stay. */
export function needsMigration(object: JsonObject): boolean {
  const annotations = objectAt(metadataOf(object), 'annotations')
  return annotations[LAST_APPLIED] !== undefined && managersOf(object).some(isClientSide)
}

/** Whose fields they are. */
export type Owner = Pick<ManagerEntry, 'manager' | 'operation' | 'subresource'>

function isClientSide({ manager, operation, subresource }: Owner): boolean {
  return manager === 'kubectl-client-side-apply' && operation === 'Update' && subresource === ''
}

/**
 * Hands the fields that client-side apply owns, or those of other owners, over to `manager`, so that the next apply
 * removes what is not declared. Refused by the server when the object changed meanwhile.
 */
export async function migrate(
  client: KubeClient,
  place: ObjectPlace,
  object: JsonObject,
  manager: string,
  call: Call,
  from: (entry: Owner) => boolean = isClientSide,
): Promise<JsonObject> {
  const metadata = object['metadata'] as JsonObject
  const body: Json = [
    {
      op: 'replace',
      path: '/metadata/managedFields',
      value: handedOver(metadata['managedFields'] as readonly JsonObject[], manager, from),
    },
    { op: 'replace', path: '/metadata/resourceVersion', value: metadata['resourceVersion'] ?? '' },
  ]
  const request = {
    method: 'PATCH',
    path: objectPath(place),
    query: { fieldManager: manager },
    body,
    contentType: 'application/json-patch+json',
  } as const
  return (await client.send(request, call)).body
}

function handedOver(entries: readonly JsonObject[], manager: string, from: (entry: Owner) => boolean): JsonObject[] {
  const isTheirs = (entry: JsonObject): boolean => managersOf({ metadata: { managedFields: [entry] } }).some(from)
  const theirs = entries.filter(isTheirs)
  const ours = entries.find(
    (entry) => entry['manager'] === manager && entry['operation'] === 'Apply' && entry['subresource'] === undefined,
  )
  const first = ours ?? theirs[0]
  if (first === undefined) return [...entries]
  const fields = theirs
    .map((entry) => entry['fieldsV1'] as JsonObject)
    .reduce(union, (first['fieldsV1'] ?? {}) as JsonObject)
  const merged = { ...first, manager, operation: 'Apply', fieldsV1: fields }
  return [merged, ...entries.filter((entry) => !isTheirs(entry) && entry !== ours)]
}

function union(left: JsonObject, right: JsonObject): JsonObject {
  if (sameJson(left, right)) return left
  const merged: Record<string, Json> = { ...left }
  for (const [key, value] of Object.entries(right)) {
    const before = merged[key]
    merged[key] = before === undefined ? value : union(before as JsonObject, value as JsonObject)
  }
  return merged
}
