import type { Json, JsonObject } from '@gitops-sdk/core'
import { isObject, objectOf } from '../client/json.ts'
import { TOKEN } from '../observe/token.ts'

/** Annotations that no comparison should see: they hold a copy of the whole object. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
const written = ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'selfLink']

/** An object without what the server and its controllers write: what is left can differ from a declaration. */
export function comparable({ status: _status, ...object }: JsonObject): JsonObject {
  const metadata: Record<string, Json> = { ...objectOf(object['metadata']) }
  for (const field of written) delete metadata[field]
  const { [LAST_APPLIED]: _copy, [TOKEN]: _token, ...annotations } = objectOf(metadata['annotations'])
  if (Object.keys(annotations).length > 0) metadata['annotations'] = annotations
  else delete metadata['annotations']
  return { ...object, metadata }
}

/** `base` with the values of `over` in it: objects are merged, lists by the keys of their items. */
export function overlay(base: Json | undefined, over: Json): Json {
  if (isObject(base) && isObject(over)) {
    const merged: Record<string, Json> = { ...base }
    for (const [key, value] of Object.entries(over)) merged[key] = overlay(merged[key], value)
    return merged
  }
  if (!Array.isArray(base) || !Array.isArray(over)) return over
  const keyed = new Map(base.map((item: Json) => [itemKey(item), item] as const))
  if (keyed.has(undefined) || over.some((item: Json) => itemKey(item) === undefined)) return over
  return mergeItems(keyed, over)
}

function mergeItems(base: ReadonlyMap<string | undefined, Json>, over: readonly Json[]): Json[] {
  const rest = new Map(base)
  const items = over.map((item) => {
    const same = rest.get(itemKey(item))
    rest.delete(itemKey(item))
    return overlay(same, item)
  })
  return [...items, ...rest.values()]
}

/** What identifies an item of a list, by the keys that the lists of Kubernetes have. */
export function itemKey(item: Json): string | undefined {
  if (!isObject(item)) return undefined
  const { name, containerPort, port, protocol, mountPath, devicePath, ip, uid, type, key } = item
  if (containerPort !== undefined) return textOf(containerPort, protocol)
  if (typeof name === 'string') return `name ${name}`
  if (port !== undefined) return textOf(port, protocol)
  return textOf(mountPath ?? devicePath ?? ip ?? uid ?? type ?? key)
}

function textOf(...parts: readonly (Json | undefined)[]): string | undefined {
  return parts[0] === undefined ? undefined : JSON.stringify(parts)
}
