import type { Json, JsonObject } from '@gitops-sdk/core'
import { isObject, objectAt } from '../client/json.ts'
import { groupKindKey } from './kinds.ts'
import { canonicalQuantity } from './quantity.ts'

/** Fields of `metadata` that the server writes: a declaration has no say in them. */
const serverMetadata = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
]

/** A declared body in the form the server would give it, and what had to be left out. */
export interface Normalised {
  readonly body: JsonObject
  /** Names of fields that were left out because the server owns them. */
  readonly stripped: readonly string[]
}

/**
 * Brings a declaration into the form in which it is applied. Server-side apply takes values literally:
 * `cpu: 0.1` against a stored `100m` would be a conflict with whoever also owns the field.
 *
 * Leaves out `status` and what the server writes into `metadata`; turns `stringData` of a Secret into
 * `data`; writes the protocol of ports and the canonical form of quantities.
 */
export function normalise(given: JsonObject): Normalised {
  const { body, stripped } = withoutServerFields(given)
  const kind = groupKindKey(body)
  if (kind === '/Secret') return { body: foldStringData(body), stripped }
  if (kind === '/Service') return { body: mapAt(body, ['spec', 'ports', '*'], withProtocol), stripped }
  if (kind === '/ResourceQuota') return { body: mapAt(body, ['spec', 'hard'], quantities), stripped }
  if (kind === '/PersistentVolume') return { body: mapAt(body, ['spec', 'capacity'], quantities), stripped }
  if (kind === '/PersistentVolumeClaim') return { body: mapAt(body, ['spec'], claimSpec), stripped }
  const path = podSpecPaths[kind]
  return { body: path === undefined ? body : mapAt(body, path, podSpec), stripped }
}

const template = ['spec', 'template', 'spec']
const podSpecPaths: Readonly<Record<string, readonly string[]>> = {
  '/Pod': ['spec'],
  '/ReplicationController': template,
  'apps/DaemonSet': template,
  'apps/Deployment': template,
  'apps/ReplicaSet': template,
  'apps/StatefulSet': template,
  'batch/Job': template,
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
}

function withoutServerFields(given: JsonObject): Normalised {
  const { status, ...rest } = given
  const stripped = status === undefined ? [] : ['status']
  if (!isObject(given['metadata'])) return { body: rest, stripped }
  const metadata: Record<string, Json> = { ...given['metadata'] }
  for (const field of serverMetadata) {
    if (metadata[field] === undefined) continue
    if (metadata[field] !== null) stripped.push(`metadata.${field}`)
    delete metadata[field]
  }
  // Labels that are nothing would be owned as a whole: whoever then adds one takes them from us.
  for (const [field, value] of Object.entries(metadata)) if (value === null) delete metadata[field]
  return { body: { ...rest, metadata }, stripped }
}

function foldStringData({ stringData, ...secret }: JsonObject): JsonObject {
  if (!isObject(stringData)) return stringData === undefined ? secret : { ...secret, stringData }
  const encoded = Object.entries(stringData).map(([key, value]) => [key, toBase64(value)] as const)
  return { ...secret, data: { ...objectAt(secret, 'data'), ...Object.fromEntries(encoded) } }
}

function toBase64(value: Json): Json {
  return typeof value === 'string' ? Buffer.from(value, 'utf8').toString('base64') : value
}

function podSpec(spec: JsonObject): JsonObject {
  const containers = (key: string) => (object: JsonObject) => mapAt(object, [key, '*'], container)
  const each = ['containers', 'initContainers', 'ephemeralContainers'].map(containers)
  return each.reduce((object, change) => change(object), mapAt(spec, ['overhead'], quantities))
}

function container(object: JsonObject): JsonObject {
  return mapAt(mapAt(object, ['resources'], resources), ['ports', '*'], withProtocol)
}

function resources(object: JsonObject): JsonObject {
  return mapAt(mapAt(object, ['limits'], quantities), ['requests'], quantities)
}

function claimSpec(object: JsonObject): JsonObject {
  return mapAt(object, ['resources'], resources)
}

function withProtocol(port: JsonObject): JsonObject {
  return port['protocol'] === undefined ? { ...port, protocol: 'TCP' } : port
}

function quantities(object: JsonObject): JsonObject {
  const canonical = (value: Json): Json =>
    typeof value === 'string' || typeof value === 'number' ? canonicalQuantity(value) : value
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, canonical(value)]))
}

/** The value with `change` made to every object at `path`, where `*` is every item of an array. */
function mapAt(value: JsonObject, path: readonly string[], change: (object: JsonObject) => JsonObject): JsonObject {
  const mapped = mapValue(value, path, change)
  return isObject(mapped) ? mapped : value
}

function mapValue(value: Json, [key, ...rest]: readonly string[], change: (object: JsonObject) => JsonObject): Json {
  if (key === undefined) return isObject(value) ? change(value) : value
  if (key === '*') return Array.isArray(value) ? value.map((item: Json) => mapValue(item, rest, change)) : value
  if (!isObject(value) || value[key] === undefined) return value
  return { ...value, [key]: mapValue(value[key], rest, change) }
}
