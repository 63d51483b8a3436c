import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '@gitops-sdk/core'
import { isObject, objectOf, objectsOf, textOf } from '../../client/json.ts'
import type { Kind } from './kinds.ts'
import type { Shape } from './shape.ts'

/** What the server fills in where nothing was said, for the kinds that are applied most. */
export function withDefaults(object: JsonObject, kind: Kind): JsonObject {
  const filled = kind.custom ? object : withStatus(fillers[`${kind.group}/${kind.kind}`]?.(object) ?? object, kind)
  return withKeyDefaults(filled, kind.shape) as JsonObject
}

/** The status before any controller wrote one. */
const firstStatus: Readonly<Record<string, JsonObject>> = {
  'apps/StatefulSet': { replicas: 0, availableReplicas: 0 },
  'apps/ReplicaSet': { replicas: 0 },
  'apps/DaemonSet': { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  'policy/PodDisruptionBudget': { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 },
  'autoscaling/HorizontalPodAutoscaler': { desiredReplicas: 0, currentMetrics: null },
}

function withStatus(object: JsonObject, { group, kind, subresources }: Kind): JsonObject {
  if (!subresources.includes('status') || object['status'] !== undefined) return object
  return { ...object, status: firstStatus[`${group}/${kind}`] ?? {} }
}

type Filler = (object: JsonObject) => JsonObject

const fillers: Readonly<Record<string, Filler>> = {
  'apps/Deployment': (object) =>
    inSpec(object, (spec) => ({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
      strategy: strategyOf(objectOf(spec['strategy'])),
      template: templateOf(spec['template']),
    })),
  'apps/StatefulSet': (object) =>
    inSpec(object, (spec) => ({
      replicas: 1,
      revisionHistoryLimit: 10,
      podManagementPolicy: 'OrderedReady',
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      ...spec,
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 }, ...objectOf(spec['updateStrategy']) },
      template: templateOf(spec['template']),
    })),
  'apps/DaemonSet': (object) =>
    inSpec(object, (spec) => ({
      revisionHistoryLimit: 10,
      ...spec,
      updateStrategy: {
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
        ...objectOf(spec['updateStrategy']),
      },
      template: templateOf(spec['template']),
    })),
  'apps/ReplicaSet': (object) =>
    inSpec(object, (spec) => ({ replicas: 1, ...spec, template: templateOf(spec['template']) })),
  'batch/Job': (object) =>
    inSpec(object, (spec) => ({
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      podReplacementPolicy: 'TerminatingOrFailed',
      ...spec,
      template: templateOf(spec['template']),
    })),
  'batch/CronJob': (object) =>
    inSpec(object, (spec) => ({
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      ...spec,
      jobTemplate: { metadata: {}, ...objectOf(spec['jobTemplate']) },
    })),
  '/Pod': (object) => ({
    ...inSpec(object, (spec) => ({
      enableServiceLinks: true,
      priority: 0,
      preemptionPolicy: 'PreemptLowerPriority',
      ...podOf(spec),
    })),
    status: { phase: 'Pending', qosClass: 'BestEffort', ...objectOf(object['status']) },
  }),
  '/Service': (object) =>
    inSpec({ ...object, status: { loadBalancer: {}, ...objectOf(object['status']) } }, serviceOf(object)),
  '/Secret': (object) => secretOf(object),
  '/Namespace': (object) => ({
    ...object,
    metadata: {
      ...objectOf(object['metadata']),
      labels: {
        ...objectOf(objectOf(object['metadata'])['labels']),
        'kubernetes.io/metadata.name': textOf(objectOf(object['metadata'])['name']),
      },
    },
    spec: { finalizers: ['kubernetes'], ...objectOf(object['spec']) },
    status: { phase: 'Active', ...objectOf(object['status']) },
  }),
  '/PersistentVolumeClaim': (object) => ({
    ...inSpec(object, (spec) => ({ volumeMode: 'Filesystem', ...spec })),
    status: { phase: 'Pending', ...objectOf(object['status']) },
  }),
  'rbac.authorization.k8s.io/RoleBinding': (object) => ({ ...object, ...subjectsOf(object) }),
  'rbac.authorization.k8s.io/ClusterRoleBinding': (object) => ({ ...object, ...subjectsOf(object) }),
  'rbac.authorization.k8s.io/ClusterRole': (object) => ({ rules: null, ...object }),
  'rbac.authorization.k8s.io/Role': (object) => ({ rules: null, ...object }),
  'networking.k8s.io/NetworkPolicy': (object) => inSpec(object, (spec) => ({ policyTypes: ['Ingress'], ...spec })),
  'networking.k8s.io/Ingress': (object) => ({ ...object, status: { loadBalancer: {}, ...objectOf(object['status']) } }),
  'apiextensions.k8s.io/CustomResourceDefinition': (object) =>
    inSpec({ status: undefinedStatus(object), ...object }, (spec) => {
      const names = objectOf(spec['names'])
      const kind = textOf(names['kind'])
      return {
        conversion: { strategy: 'None' },
        ...spec,
        names: { listKind: `${kind}List`, singular: kind.toLowerCase(), ...names },
      }
    }),
}

function inSpec(object: JsonObject, change: (spec: JsonObject) => JsonObject): JsonObject {
  return { ...object, spec: change(objectOf(object['spec'])) }
}

function strategyOf(strategy: JsonObject): JsonObject {
  const type = strategy['type'] ?? 'RollingUpdate'
  if (type !== 'RollingUpdate') return { ...strategy, type }
  const rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%', ...objectOf(strategy['rollingUpdate']) }
  return { ...strategy, type, rollingUpdate }
}

function templateOf(template: Json | undefined): JsonObject {
  const given = objectOf(template)
  return { metadata: {}, ...given, spec: podOf(objectOf(given['spec'])) }
}

function podOf(spec: JsonObject): JsonObject {
  const containers = (field: string): JsonObject =>
    Array.isArray(spec[field]) ? { [field]: spec[field].map((each: Json) => containerOf(objectOf(each))) } : {}
  return {
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'default-scheduler',
    ...spec,
    ...containers('containers'),
    ...containers('initContainers'),
    ...(Array.isArray(spec['volumes']) && { volumes: spec['volumes'].map((each: Json) => volumeOf(objectOf(each))) }),
  }
}

function containerOf(container: JsonObject): JsonObject {
  const image = textOf(container['image'])
  const isLatest = !image.includes('@') && (image.endsWith(':latest') || !/:[^/]+$/.test(image))
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].filter((field) => isObject(container[field]))
  return {
    resources: {},
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: isLatest ? 'Always' : 'IfNotPresent',
    ...container,
    ...Object.fromEntries(probes.map((field) => [field, probeOf(objectOf(container[field]))] as const)),
  }
}

function probeOf(probe: JsonObject): JsonObject {
  const times = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 }
  const http = probe['httpGet']
  return { ...times, ...probe, ...(isObject(http) && { httpGet: { path: '/', scheme: 'HTTP', ...http } }) }
}

function volumeOf(volume: JsonObject): JsonObject {
  const mode = (field: string): JsonObject =>
    isObject(volume[field]) ? { [field]: { defaultMode: 420, ...volume[field] } } : {}
  return { ...volume, ...mode('configMap'), ...mode('secret'), ...mode('projected'), ...mode('downwardAPI') }
}

function serviceOf(object: JsonObject): (spec: JsonObject) => JsonObject {
  return (spec) => {
    const ports = objectsOf(spec['ports']).map((port) => ({ targetPort: port['port'] ?? 0, ...port }))
    const type = textOf(spec['type']) || 'ClusterIP'
    const address = textOf(spec['clusterIP']) || addressFor(object)
    if (type === 'ExternalName') return { sessionAffinity: 'None', ...spec }
    return {
      type,
      sessionAffinity: 'None',
      clusterIPs: [address],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      ...spec,
      clusterIP: address,
      ...(ports.length > 0 && { ports }),
    }
  }
}

/** An address for a service: the same one for the same name, so that a run can be repeated. */
function addressFor(object: JsonObject): string {
  const { namespace, name } = objectOf(object['metadata'])
  const hash = createHash('sha256')
    .update(`${textOf(namespace)}/${textOf(name)}`)
    .digest()
  return `10.0.${(hash[0] ?? 0) % 256}.${((hash[1] ?? 0) % 253) + 1}`
}

/** Nothing is accepted yet, but one version is what objects will be kept in. */
function undefinedStatus(object: JsonObject): JsonObject {
  const stored = objectsOf(objectOf(object['spec'])['versions']).filter((each) => each['storage'] === true)
  const storedVersions = stored.map(({ name }) => textOf(name))
  return { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions }
}

/** What was written as text is kept as bytes. */
function secretOf(object: JsonObject): JsonObject {
  const { stringData, ...rest } = object
  const texts = Object.entries(objectOf(stringData)).map(
    ([key, value]) => [key, Buffer.from(textOf(value)).toString('base64')] as const,
  )
  const data = { ...objectOf(rest['data']), ...Object.fromEntries(texts) }
  return { type: 'Opaque', ...rest, ...(Object.keys(data).length > 0 && { data }) }
}

function subjectsOf(object: JsonObject): JsonObject {
  const group = 'rbac.authorization.k8s.io'
  const subjects = objectsOf(object['subjects']).map((each) =>
    each['kind'] === 'ServiceAccount' ? each : { apiGroup: group, ...each },
  )
  return { ...(subjects.length > 0 && { subjects }), roleRef: { apiGroup: group, ...objectOf(object['roleRef']) } }
}

/** Fields that are part of the key of their list, and what a definition declares a default for. */
function withKeyDefaults(value: Json, shape: Shape): Json {
  if (Array.isArray(value))
    return shape.type === 'list' ? value.map((item: Json) => withKeyDefaults(item, shape.items)) : value
  if (!isObject(value)) return value
  if (shape.type === 'map')
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, withKeyDefaults(inner, shape.values)] as const),
    )
  if (shape.type !== 'struct') return value
  const filled: Record<string, Json> = { ...value }
  for (const [field, { shape: below, fallback }] of shape.fields) {
    const inner = filled[field] ?? fallback
    if (inner !== undefined) filled[field] = withKeyDefaults(inner, below)
  }
  return filled
}
