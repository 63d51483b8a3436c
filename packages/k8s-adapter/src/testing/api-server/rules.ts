import { type Json, type JsonObject, sameJson } from '@gitops-sdk/core'
import type { Fault } from './answer.ts'
import { isObject, metadataOf, objectOf, objectsOf, textOf, without } from '../../client/json.ts'
import type { Kind } from './kinds.ts'
import type { Shape } from './shape.ts'

const MEBIBYTE = 1_048_576
const MAX_ANNOTATIONS = 262_144
const nameRule = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const labelRule = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const valueRule = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/

/** What the server does not accept about an object, whatever it was before. */
export function faultsOf(object: JsonObject, kind: Kind): Fault[] {
  const faults = [...nameFaults(object, kind), ...metadataFaults(object), ...requiredFaults(object, kind.shape, '')]
  const own = kind.custom ? undefined : kindRules[`${kind.group}/${kind.kind}`]
  return [...faults, ...(own?.(object) ?? [])]
}

function nameFaults(object: JsonObject, { group, kind }: Kind): Fault[] {
  // The names of roles are only a part of a path.
  if (group === 'rbac.authorization.k8s.io') return []
  const name = textOf(metadataOf(object)['name'])
  const isLabel = ['Namespace', 'Service'].includes(kind) && group === ''
  const max = isLabel ? 63 : 253
  if (name.length > max)
    return [fault('metadata.name', 'FieldValueInvalid', quoted(name, `must be no more than ${max} characters`))]
  if ((isLabel ? labelRule : nameRule).test(name)) return []
  const rule = isLabel
    ? "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
    : "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
  return [fault('metadata.name', 'FieldValueInvalid', quoted(name, rule))]
}

function metadataFaults(object: JsonObject): Fault[] {
  const metadata = metadataOf(object)
  const annotations = Object.entries(objectOf(metadata['annotations']))
  const size = annotations.reduce((sum, [key, value]) => sum + key.length + textOf(value).length, 0)
  const faults = Object.entries(objectOf(metadata['labels']))
    .filter(([, value]) => textOf(value).length > 63 || !valueRule.test(textOf(value)))
    .map(([, value]) =>
      fault(
        'metadata.labels',
        'FieldValueInvalid',
        quoted(
          textOf(value),
          textOf(value).length > 63
            ? 'must be no more than 63 bytes'
            : "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        ),
      ),
    )
  return size <= MAX_ANNOTATIONS ? faults : [...faults, tooLong('metadata.annotations', MAX_ANNOTATIONS)]
}

/** Fields that have to be there; the part of the server is not checked. */
function requiredFaults(value: Json, shape: Shape, path: string): Fault[] {
  if (Array.isArray(value))
    return shape.type === 'list'
      ? value.flatMap((item: Json, index) => requiredFaults(item, shape.items, `${path}[${index}]`))
      : []
  if (!isObject(value) || shape.type !== 'struct') return []
  return [...shape.fields].flatMap(([field, { required, shape: below }]) => {
    if (path === '' && (field === 'metadata' || field === 'status')) return []
    const inner = value[field]
    const place = path === '' ? field : `${path}.${field}`
    if (inner === undefined || inner === null)
      return required ? [fault(place, 'FieldValueRequired', 'Required value')] : []
    return requiredFaults(inner, below, place)
  })
}

type Rule = (object: JsonObject) => Fault[]

const kindRules: Readonly<Record<string, Rule>> = {
  '/ConfigMap': (object) => sizeFaults(object, ['data', 'binaryData'], '[]'),
  '/Secret': (object) => [...sizeFaults(object, ['data'], 'data'), ...secretFaults(object)],
  '/Service': (object) => {
    const spec = objectOf(object['spec'])
    const ports = objectsOf(spec['ports'])
    const faults = ports.flatMap(({ port }, index) =>
      isPort(port)
        ? []
        : [
            fault(
              `spec.ports[${index}].port`,
              'FieldValueInvalid',
              `Invalid value: ${JSON.stringify(port)}: must be between 1 and 65535, inclusive`,
            ),
          ],
    )
    const targets = ports.flatMap(({ targetPort }, index) =>
      typeof targetPort !== 'number' || isPort(targetPort)
        ? []
        : [
            fault(
              `spec.ports[${index}].targetPort`,
              'FieldValueInvalid',
              `Invalid value: ${targetPort}: must be between 1 and 65535, inclusive`,
            ),
          ],
    )
    faults.push(...targets)
    const isBare = ports.length === 0 && spec['clusterIP'] !== 'None' && spec['type'] !== 'ExternalName'
    return isBare ? [...faults, fault('spec.ports', 'FieldValueRequired', 'Required value')] : faults
  },
  'apps/Deployment': selectorFaults,
  'apps/StatefulSet': selectorFaults,
  'apps/DaemonSet': selectorFaults,
  'apps/ReplicaSet': selectorFaults,
}

function isPort(port: Json | undefined): boolean {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535
}

function selectorFaults(object: JsonObject): Fault[] {
  const spec = objectOf(object['spec'])
  const wanted = Object.entries(objectOf(objectOf(spec['selector'])['matchLabels']))
  const labels = objectOf(metadataOf(objectOf(spec['template']))['labels'])
  if (wanted.every(([key, value]) => labels[key] === value)) return []
  const message = `Invalid value: ${JSON.stringify(labels)}: \`selector\` does not match template \`labels\``
  return [fault('spec.template.metadata.labels', 'FieldValueInvalid', message)]
}

function secretFaults(object: JsonObject): Fault[] {
  if (object['type'] !== 'kubernetes.io/dockerconfigjson') return []
  const text = Buffer.from(textOf(objectOf(object['data'])['.dockerconfigjson']), 'base64').toString('utf8')
  if (isJson(text)) return []
  const first = text.trimStart()[0]
  const why =
    first === undefined ? 'unexpected end of JSON input' : `invalid character '${first}' looking for beginning of value`
  const message = `Invalid value: "<secret contents redacted>": ${why}`
  return [fault('data[.dockerconfigjson]', 'FieldValueInvalid', message)]
}

function isJson(text: string): boolean {
  try {
    return typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}

function sizeFaults(object: JsonObject, fields: readonly string[], place: string): Fault[] {
  const size = fields
    .flatMap((field) => Object.values(objectOf(object[field])))
    .reduce((sum: number, value) => sum + textOf(value).length, 0)
  return size <= MEBIBYTE ? [] : [tooLong(place, MEBIBYTE)]
}

/** What may not change once it is set, by kind. */
const settled: Readonly<Record<string, (before: JsonObject, after: JsonObject) => Fault[]>> = {
  'apps/Deployment': (before, after) => immutable(before, after, ['selector'], 'field is immutable'),
  'apps/DaemonSet': (before, after) => immutable(before, after, ['selector'], 'field is immutable'),
  'apps/ReplicaSet': (before, after) => immutable(before, after, ['selector'], 'field is immutable'),
  'apps/StatefulSet': (before, after) => {
    const open = [
      'replicas',
      'ordinals',
      'template',
      'updateStrategy',
      'revisionHistoryLimit',
      'persistentVolumeClaimRetentionPolicy',
      'minReadySeconds',
    ]
    const same = sameJson(without(objectOf(before['spec']), ...open), without(objectOf(after['spec']), ...open))
    const list =
      "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'"
    return same
      ? []
      : [
          fault(
            'spec',
            'FieldValueForbidden',
            `Forbidden: updates to statefulset spec for fields other than ${list} are forbidden`,
          ),
        ]
  },
  'batch/Job': (before, after) =>
    immutable(before, after, ['template', 'selector', 'completions'], 'field is immutable'),
  '/Service': (before, after) => {
    const [was, is] = [objectOf(before['spec'])['clusterIP'], objectOf(after['spec'])['clusterIP']]
    return was === is || was === undefined
      ? []
      : [
          fault(
            'spec.clusterIPs[0]',
            'FieldValueInvalid',
            `Invalid value: ${JSON.stringify(is ?? null)}: may not change once set`,
          ),
        ]
  },
  '/PersistentVolumeClaim': (before, after) => {
    const [was, is] = [without(objectOf(before['spec']), 'resources'), without(objectOf(after['spec']), 'resources')]
    return sameJson(was, is)
      ? []
      : [
          fault(
            'spec',
            'FieldValueForbidden',
            'Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
          ),
        ]
  },
  '/ConfigMap': frozen,
  '/Secret': (before, after) => [
    ...(before['type'] === after['type']
      ? []
      : [
          fault(
            'type',
            'FieldValueInvalid',
            `Invalid value: ${JSON.stringify(after['type'] ?? '')}: field is immutable`,
          ),
        ]),
    ...frozen(before, after),
  ],
  'rbac.authorization.k8s.io/RoleBinding': roleRefFaults,
  'rbac.authorization.k8s.io/ClusterRoleBinding': roleRefFaults,
}

/** What the server does not accept about a change. */
export function changeFaultsOf(before: JsonObject, after: JsonObject, kind: Kind): Fault[] {
  const [was, is] = [textOf(metadataOf(before)['uid']), textOf(metadataOf(after)['uid'])]
  const identity =
    was === is ? [] : [fault('metadata.uid', 'FieldValueInvalid', `Invalid value: "${is}": field is immutable`)]
  // Said twice, by the rules of metadata and by those of the storage.
  return [
    ...identity,
    ...identity,
    ...(kind.custom ? [] : (settled[`${kind.group}/${kind.kind}`]?.(before, after) ?? [])),
  ]
}

function immutable(before: JsonObject, after: JsonObject, fields: readonly string[], why: string): Fault[] {
  const [was, is] = [objectOf(before['spec']), objectOf(after['spec'])]
  return fields
    .filter((field) => !sameJson(was[field] ?? null, is[field] ?? null))
    .map((field) =>
      fault(`spec.${field}`, 'FieldValueInvalid', `Invalid value: ${JSON.stringify(is[field] ?? null)}: ${why}`),
    )
}

function frozen(before: JsonObject, after: JsonObject): Fault[] {
  if (before['immutable'] !== true) return []
  const faults = ['data', 'binaryData'].filter((field) => !sameJson(before[field] ?? null, after[field] ?? null))
  const loosened = after['immutable'] === true ? [] : ['immutable']
  return [...loosened, ...faults].map((field) =>
    fault(field, 'FieldValueForbidden', 'Forbidden: field is immutable when `immutable` is set'),
  )
}

function roleRefFaults(before: JsonObject, after: JsonObject): Fault[] {
  if (sameJson(before['roleRef'] ?? null, after['roleRef'] ?? null)) return []
  // The server prints its own type here, with the names of Go.
  const { apiGroup = '', kind = '', name = '' } = objectOf(after['roleRef'])
  const printed = JSON.stringify({ APIGroup: apiGroup, Kind: kind, Name: name })
  return [fault('roleRef', 'FieldValueInvalid', `Invalid value: ${printed}: cannot change roleRef`)]
}

/** A quota of counted objects: the message where one more is too many. */
export function quotaFault(quotas: readonly JsonObject[], kind: Kind, counted: number): string | undefined {
  const names = [
    `count/${kind.resource}${kind.group === '' ? '' : `.${kind.group}`}`,
    ...(kind.group === '' ? [kind.resource] : []),
  ]
  for (const quota of quotas) {
    const hard = objectOf(objectOf(quota['spec'])['hard'])
    for (const name of names) {
      const limit = hard[name]
      if (limit !== undefined && counted >= Number(limit))
        return `exceeded quota: ${textOf(metadataOf(quota)['name'])}, requested: ${name}=1, used: ${name}=${counted}, limited: ${name}=${String(limit as string)}`
    }
  }
  return undefined
}

function tooLong(field: string, max: number): Fault {
  return fault(field, 'FieldValueTooLong', `Too long: may not be more than ${max} bytes`)
}

function quoted(value: string, why: string): string {
  return `Invalid value: ${JSON.stringify(value)}: ${why}`
}

function fault(field: string, reason: string, message: string): Fault {
  return { field, reason, message }
}

/** Whether changes of this kind are counted in `metadata.generation`. */
export function countsGenerations({ group, kind, custom }: Kind): boolean {
  const counted = [
    'apps',
    'batch',
    'networking.k8s.io',
    'policy',
    'admissionregistration.k8s.io',
    'apiextensions.k8s.io',
  ]
  return (
    custom ||
    (counted.includes(group) && !['IngressClass', 'ControllerRevision'].includes(kind)) ||
    (group === '' && kind === 'Pod')
  )
}

/** What counts as a change of the generation. */
export function generationPart(object: JsonObject): JsonObject {
  return without(object, 'metadata', 'status')
}
