import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json, JsonObject } from '@gitops-sdk/core'
import { healthOf } from './health.ts'
import { kstatus } from './kstatus.ts'
import type { KStatus } from './rule.ts'

const now = Date.UTC(2026, 0, 1, 12, 0, 30)
const apiVersions: Readonly<Record<string, string>> = {
  Deployment: 'apps/v1',
  ReplicaSet: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
  PodDisruptionBudget: 'policy/v1',
  CustomResourceDefinition: 'apiextensions.k8s.io/v1',
  Widget: 'example.org/v1',
}

function made(kind: string, more: JsonObject = {}): JsonObject {
  return { apiVersion: apiVersions[kind] ?? 'v1', kind, metadata: { name: 'it' }, ...more }
}

function condition(type: string, status: string, reason = '', message = ''): JsonObject {
  return { type, status, reason, message }
}

const is = (...conditions: JsonObject[]): JsonObject => ({ status: { conditions } })
const available = condition('Available', 'True')
const progressed = condition('Progressing', 'True', 'NewReplicaSetAvailable')
const full = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 }
const deploy = (status: JsonObject, spec: JsonObject = {}): JsonObject =>
  made('Deployment', { spec: { replicas: 2, progressDeadlineSeconds: 600, ...spec }, status })
const stateful = (status: JsonObject, spec: JsonObject = {}): JsonObject =>
  made('StatefulSet', { spec: { replicas: 3, ...spec }, status })
const daemon = (status: JsonObject): JsonObject =>
  made('DaemonSet', { metadata: { name: 'it', generation: 1 }, status: { observedGeneration: 1, ...status } })
const unschedulable = (createdAt: string): JsonObject =>
  made('Pod', {
    metadata: { name: 'it', creationTimestamp: createdAt },
    status: { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')] },
  })
const started = { startTime: '2026-01-01T00:00:00Z' }
const ordered = { replicas: 3, readyReplicas: 3, currentReplicas: 3, updatedReplicas: 3 }

type Row = readonly [why: string, object: JsonObject, status: KStatus['status'], reason?: string]

const rows: readonly Row[] = [
  // before any rule of a kind
  [
    'something being deleted is Terminating, whatever its status',
    made('Pod', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } }),
    'Terminating',
    'Terminating',
  ],
  ['an empty deletionTimestamp is none', made('ConfigMap', { metadata: { deletionTimestamp: '' } }), 'Current'],
  [
    'a generation nobody observed is in progress',
    made('Widget', { metadata: { generation: 2 }, status: { observedGeneration: 1 } }),
    'InProgress',
    'LatestGenerationNotObserved',
  ],
  [
    'an observed generation is current',
    made('Widget', { metadata: { generation: 2 }, status: { observedGeneration: 2 } }),
    'Current',
  ],
  ['without observedGeneration nothing is said', made('Widget', { metadata: { generation: 2 } }), 'Current'],
  ['a generation that is text is malformed', made('Widget', { metadata: { generation: '2' } }), 'Unknown', 'Malformed'],
  [
    'an observedGeneration that is text is malformed',
    made('Widget', { metadata: { generation: 2 }, status: { observedGeneration: 'x' } }),
    'Unknown',
    'Malformed',
  ],
  [
    'Reconciling wins over the rule of the kind',
    made('Widget', is(condition('Reconciling', 'True', 'Busy'))),
    'InProgress',
    'Busy',
  ],
  ['Stalled is a failure', made('Widget', is(condition('Stalled', 'True', 'Broken'))), 'Failed', 'Broken'],
  [
    'the first of Reconciling and Stalled wins',
    made('Widget', is(condition('Stalled', 'True', 'A'), condition('Reconciling', 'True', 'B'))),
    'Failed',
    'A',
  ],
  ['Stalled=False says nothing', made('Widget', is(condition('Stalled', 'False', 'A'))), 'Current'],
  ['conditions that are no list are malformed', made('Widget', { status: { conditions: {} } }), 'Unknown', 'Malformed'],
  [
    'a condition without a status is malformed',
    made('Widget', { status: { conditions: [{ type: 'Ready' }] } }),
    'Unknown',
    'Malformed',
  ],
  // any other kind
  ['Ready=True is current', made('Widget', is(condition('Ready', 'True'))), 'Current'],
  ['Ready=False is in progress', made('Widget', is(condition('Ready', 'False', 'Wait'))), 'InProgress', 'Wait'],
  ['Ready=Unknown is in progress', made('Widget', is(condition('Ready', 'Unknown', 'Wait'))), 'InProgress', 'Wait'],
  [
    'another value of Ready is passed over',
    made('Widget', is(condition('Ready', 'Maybe'), condition('Ready', 'False', 'Second'))),
    'InProgress',
    'Second',
  ],
  ['nothing said is current', made('Widget'), 'Current'],
  ['a status that is text is current', made('Widget', { status: 'fine' }), 'Current'],
  // always current
  ['a ConfigMap is current', made('ConfigMap'), 'Current'],
  ['a Secret is current', made('Secret'), 'Current'],
  ['a CronJob is current', made('CronJob'), 'Current'],
  ['a PodDisruptionBudget is current', made('PodDisruptionBudget'), 'Current'],
  // Service, claim
  ['a Service without a type is current', made('Service', { spec: {} }), 'Current'],
  [
    'a load balancer waits for its cluster address',
    made('Service', { spec: { type: 'LoadBalancer' } }),
    'InProgress',
    'NoIPAssigned',
  ],
  [
    'a load balancer does not wait for an outer address',
    made('Service', { spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1' } }),
    'Current',
  ],
  ['a claim without a phase is not bound', made('PersistentVolumeClaim'), 'InProgress', 'NotBound'],
  [
    'a pending claim is not bound',
    made('PersistentVolumeClaim', { status: { phase: 'Pending' } }),
    'InProgress',
    'NotBound',
  ],
  ['a bound claim is current', made('PersistentVolumeClaim', { status: { phase: 'Bound' } }), 'Current'],
  // Pod
  ['a Pod nobody saw', made('Pod'), 'InProgress', 'PodNotObserved'],
  ['a Pod that succeeded', made('Pod', { status: { phase: 'Succeeded' } }), 'Current'],
  ['a Pod that failed has completed', made('Pod', { status: { phase: 'Failed' } }), 'Current'],
  [
    'a Pod that runs and is ready',
    made('Pod', { status: { phase: 'Running', conditions: [condition('Ready', 'True')] } }),
    'Current',
  ],
  [
    'a Pod that runs and is not ready',
    made('Pod', { status: { phase: 'Running', conditions: [condition('Ready', 'False')] } }),
    'InProgress',
    'PodRunningNotReady',
  ],
  [
    'a Pod whose container crashes',
    made('Pod', {
      status: {
        phase: 'Running',
        containerStatuses: [{ name: 'web', state: { waiting: { reason: 'CrashLoopBackOff' } } }],
      },
    }),
    'Failed',
    'ContainerCrashLooping',
  ],
  ['a Pod that waits', made('Pod', { status: { phase: 'Pending' } }), 'InProgress', 'PodPending'],
  ['a Pod without a node for less than 15 s', unschedulable('2026-01-01T12:00:20Z'), 'InProgress', 'PodNotScheduled'],
  ['a Pod without a node for 15 s or more', unschedulable('2026-01-01T12:00:15Z'), 'Failed', 'PodUnschedulable'],
  ['a Pod with a phase nobody knows', made('Pod', { status: { phase: 'Dreaming' } }), 'Unknown', 'Malformed'],
  // Deployment
  ['a Deployment without a status', deploy({}), 'InProgress', 'LessReplicas'],
  [
    'a Deployment whose deadline passed fails at once',
    deploy({ ...full, conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] }),
    'Failed',
    'ProgressDeadlineExceeded',
  ],
  ['a Deployment with too few updated', deploy({ ...full, updatedReplicas: 1 }), 'InProgress', 'LessUpdated'],
  ['a Deployment with old Pods left', deploy({ ...full, replicas: 3 }), 'InProgress', 'ExtraPods'],
  ['a Deployment with too few available', deploy({ ...full, availableReplicas: 1 }), 'InProgress', 'LessAvailable'],
  ['a Deployment with too few ready', deploy({ ...full, readyReplicas: 1 }), 'InProgress', 'LessReady'],
  [
    'a Deployment that has not progressed',
    deploy({ ...full, conditions: [available] }),
    'InProgress',
    'ReplicaSetNotAvailable',
  ],
  [
    'a Deployment that is not available',
    deploy({ ...full, conditions: [progressed] }),
    'InProgress',
    'DeploymentNotAvailable',
  ],
  ['a Deployment that is complete', deploy({ ...full, conditions: [progressed, available] }), 'Current'],
  [
    'a Deployment without a deadline needs no Progressing',
    deploy({ ...full, conditions: [available] }, { progressDeadlineSeconds: 2147483647 }),
    'Current',
  ],
  [
    'replicas default to 1',
    made('Deployment', {
      spec: {},
      status: { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [available] },
    }),
    'Current',
  ],
  [
    'a number that is text counts as missing',
    deploy({ ...full, replicas: '2', conditions: [progressed, available] }),
    'InProgress',
    'LessReplicas',
  ],
  ['a Deployment of the old group', { ...deploy({}), apiVersion: 'extensions/v1beta1' }, 'InProgress', 'LessReplicas'],
  // ReplicaSet
  [
    'a ReplicaSet that cannot make Pods is in progress',
    made('ReplicaSet', is(condition('ReplicaFailure', 'True'))),
    'InProgress',
    'ReplicaFailure',
  ],
  ['a ReplicaSet with too few labelled', made('ReplicaSet', { status: {} }), 'InProgress', 'LessLabelled'],
  [
    'a ReplicaSet with too few available',
    made('ReplicaSet', { status: { fullyLabeledReplicas: 1 } }),
    'InProgress',
    'LessAvailable',
  ],
  [
    'a ReplicaSet with too few ready',
    made('ReplicaSet', { status: { fullyLabeledReplicas: 1, availableReplicas: 1 } }),
    'InProgress',
    'LessReady',
  ],
  [
    'a ReplicaSet with Pods left',
    made('ReplicaSet', { status: { ...full, fullyLabeledReplicas: 2 } }),
    'InProgress',
    'ExtraPods',
  ],
  [
    'a ReplicaSet that is complete',
    made('ReplicaSet', { spec: { replicas: 2 }, status: { ...full, fullyLabeledReplicas: 2 } }),
    'Current',
  ],
  // StatefulSet
  ['a StatefulSet updated by hand is current', stateful({}, { updateStrategy: { type: 'OnDelete' } }), 'Current'],
  ['a StatefulSet with too few', stateful({}), 'InProgress', 'LessReplicas'],
  ['a StatefulSet with too few ready', stateful({ replicas: 3, readyReplicas: 1 }), 'InProgress', 'LessReady'],
  ['a StatefulSet with too many', stateful({ ...ordered, replicas: 4 }), 'InProgress', 'ExtraPods'],
  [
    'a partition that is not reached',
    stateful({ ...ordered, updatedReplicas: 1 }, { updateStrategy: { rollingUpdate: { partition: 1 } } }),
    'InProgress',
    'PartitionRollout',
  ],
  [
    'a partition that is reached',
    stateful({ ...ordered, updatedReplicas: 2 }, { updateStrategy: { rollingUpdate: { partition: 1 } } }),
    'Current',
  ],
  ['a StatefulSet with too few current', stateful({ ...ordered, currentReplicas: 1 }), 'InProgress', 'LessCurrent'],
  [
    'a StatefulSet between two revisions',
    stateful({ ...ordered, currentRevision: 'a', updateRevision: 'b' }),
    'InProgress',
    'RevisionMismatch',
  ],
  ['a StatefulSet that is complete', stateful({ ...ordered, currentRevision: 'a', updateRevision: 'a' }), 'Current'],
  // DaemonSet
  ['a DaemonSet without a generation', made('DaemonSet'), 'InProgress', 'NoGeneration'],
  [
    'a DaemonSet nobody observed',
    made('DaemonSet', { metadata: { generation: 1 } }),
    'InProgress',
    'NoObservedGeneration',
  ],
  ['a DaemonSet without a number', daemon({}), 'InProgress', 'NoDesiredNumber'],
  ['a DaemonSet with too few scheduled', daemon({ desiredNumberScheduled: 2 }), 'InProgress', 'LessCurrent'],
  [
    'a DaemonSet with too few updated',
    daemon({ desiredNumberScheduled: 2, currentNumberScheduled: 2 }),
    'InProgress',
    'LessUpdated',
  ],
  [
    'a DaemonSet with too few available',
    daemon({ desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2 }),
    'InProgress',
    'LessAvailable',
  ],
  [
    'a DaemonSet with too few ready',
    daemon({ desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 }),
    'InProgress',
    'LessReady',
  ],
  ['a DaemonSet for no node is current', daemon({ desiredNumberScheduled: 0 }), 'Current'],
  // Job, as Flux has it
  ['a Job nobody started', made('Job'), 'InProgress', 'JobNotStarted'],
  ['a Job that runs is in progress', made('Job', { status: started }), 'InProgress', 'JobInProgress'],
  [
    'a Job that completed',
    made('Job', { status: { ...started, conditions: [condition('Complete', 'True')] } }),
    'Current',
  ],
  [
    'a Job that failed',
    made('Job', { status: { ...started, conditions: [condition('Failed', 'True')] } }),
    'Failed',
    'JobFailed',
  ],
  ['a suspended Job is current', made('Job', { spec: { suspend: true } }), 'Current'],
  // CustomResourceDefinition
  ['a definition nobody saw', made('CustomResourceDefinition'), 'InProgress', 'Installing'],
  [
    'a definition being installed',
    made('CustomResourceDefinition', is(condition('Established', 'False', 'Installing'))),
    'InProgress',
    'Installing',
  ],
  [
    'a definition that was refused',
    made('CustomResourceDefinition', is(condition('Established', 'False', 'NotAccepted'))),
    'Failed',
    'NotAccepted',
  ],
  [
    'a definition whose names are taken',
    made('CustomResourceDefinition', is(condition('NamesAccepted', 'False', 'Conflict'))),
    'Failed',
    'Conflict',
  ],
  [
    'an established definition',
    made('CustomResourceDefinition', is(condition('NamesAccepted', 'True'), condition('Established', 'True'))),
    'Current',
  ],
  [
    'a kind of the same name in another group has no rule',
    { ...made('Deployment'), apiVersion: 'example.org/v1' },
    'Current',
  ],
]

for (const [why, object, status, reason = ''] of rows) {
  test(why, () => {
    expect(kstatus(object, { now })).toMatchObject({ status, reason })
  })
}

test('the upstream variant calls a Job that has started current', () => {
  expect(kstatus(made('Job', { status: started }), { now, jobs: 'upstream' }).status).toBe('Current')
  const suspended = made('Job', { spec: { suspend: true }, ...is(condition('Suspended', 'True')) })
  expect(kstatus(suspended, { now, jobs: 'upstream' }).status).toBe('Current')
})

test('a status of any shape is judged and never throws', () => {
  const kinds = [...Object.keys(apiVersions), 'Pod', 'Service', 'PersistentVolumeClaim']
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.jsonValue(), fc.jsonValue(), (kind, status, spec) => {
      const verdict = healthOf(made(kind, { status: status as Json, spec: spec as Json }), now, { extended: true })
      expect(verdict.message).toEqual(expect.any(String))
    }),
  )
})
