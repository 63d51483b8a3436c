import { intAt, objectsAt, textAt, valueAt } from './read.ts'
import { current, failed, inProgress, type KStatus, type Rule, type RuleInput, unknown } from './rule.ts'

/** How long a Pod may be without a node before that is a failure, as kstatus has it. */
const SCHEDULING_TIME_MS = 15_000
/** "No deadline": the largest 32-bit integer, as the controllers write it. */
const NO_DEADLINE = 2 ** 31 - 1

const alwaysCurrent: Rule = () => current('Resource is always ready')

const service: Rule = ({ object }) => {
  const waits = textAt(object, 'spec.type', 'ClusterIP') === 'LoadBalancer' && textAt(object, 'spec.clusterIP') === ''
  return waits
    ? inProgress('NoIPAssigned', 'ClusterIP not set. Service type: LoadBalancer')
    : current('Service is ready')
}

const claim: Rule = ({ object }) => {
  const phase = textAt(object, 'status.phase', 'unknown')
  return phase === 'Bound' ? current('PVC is Bound') : inProgress('NotBound', `PVC is not Bound. phase: ${phase}`)
}

const pod: Rule = (input) => {
  const phase = textAt(input.object, 'status.phase')
  if (phase === 'Succeeded') return current('Pod has completed successfully')
  if (phase === 'Failed') return current('Pod has completed, but not successfully')
  if (phase === 'Running') return runningPod(input)
  if (phase === 'Pending') return pendingPod(input)
  return phase === '' ? inProgress('PodNotObserved', 'Pod phase not available') : unknown(`unknown phase ${phase}`)
}

function runningPod({ object, conditions }: RuleInput): KStatus {
  if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) return current('Pod is Ready')
  const looping = objectsAt(object, 'status.containerStatuses')
    .filter((each) => textAt(each, 'state.waiting.reason') === 'CrashLoopBackOff')
    .map((each) => textAt(each, 'name'))
  if (looping.length > 0) return failed('ContainerCrashLooping', `Containers in CrashLoop state: ${looping.join(',')}`)
  return inProgress('PodRunningNotReady', 'Pod is running but is not Ready')
}

function pendingPod({ object, conditions, now }: RuleInput): KStatus {
  const homeless = conditions.find(
    ({ type, status, reason }) => type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable',
  )
  if (homeless === undefined) return inProgress('PodPending', 'Pod is in the Pending phase')
  // oxlint-disable-next-line no-restricted-globals -- parses a timestamp of the server, asks no clock
  const createdAt = Date.parse(textAt(object, 'metadata.creationTimestamp'))
  if (now - createdAt < SCHEDULING_TIME_MS) return inProgress('PodNotScheduled', 'Pod has not been scheduled')
  return failed('PodUnschedulable', 'Pod could not be scheduled')
}

const deployment: Rule = ({ object, conditions }) => {
  let progressing = intAt(object, 'spec.progressDeadlineSeconds', NO_DEADLINE) === NO_DEADLINE
  let available = false
  for (const { type, status, reason } of conditions) {
    if (type === 'Progressing' && reason === 'ProgressDeadlineExceeded')
      return failed('ProgressDeadlineExceeded', 'Progress deadline exceeded')
    if (type === 'Progressing' && status === 'True' && reason === 'NewReplicaSetAvailable') progressing = true
    if (type === 'Available' && status === 'True') available = true
  }
  const wanted = intAt(object, 'spec.replicas', 1)
  const { replicas, updated, ready, available: serving } = counts(object)
  if (wanted > replicas) return inProgress('LessReplicas', `replicas: ${replicas}/${wanted}`)
  if (wanted > updated) return inProgress('LessUpdated', `Updated: ${updated}/${wanted}`)
  if (replicas > wanted) return inProgress('ExtraPods', `Pending termination: ${replicas - wanted}`)
  if (updated > serving) return inProgress('LessAvailable', `Available: ${serving}/${updated}`)
  if (wanted > ready) return inProgress('LessReady', `Ready: ${ready}/${wanted}`)
  if (!progressing) return inProgress('ReplicaSetNotAvailable', 'ReplicaSet not Available')
  if (!available) return inProgress('DeploymentNotAvailable', 'Deployment not Available')
  return current(`Deployment is available. Replicas: ${replicas}`)
}

const replicaSet: Rule = ({ object, conditions }) => {
  const failure = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
  if (failure !== undefined) return inProgress('ReplicaFailure', 'Replica Failure condition. Check Pods')
  const wanted = intAt(object, 'spec.replicas', 1)
  const { replicas, ready, available } = counts(object)
  const labelled = intAt(object, 'status.fullyLabeledReplicas', 0)
  if (wanted > labelled) return inProgress('LessLabelled', `Labelled: ${labelled}/${wanted}`)
  if (wanted > available) return inProgress('LessAvailable', `Available: ${available}/${wanted}`)
  if (wanted > ready) return inProgress('LessReady', `Ready: ${ready}/${wanted}`)
  if (replicas > wanted) return inProgress('ExtraPods', `Pending termination: ${replicas - wanted}`)
  return current(`ReplicaSet is available. Replicas: ${replicas}`)
}

const statefulSet: Rule = ({ object }) => {
  if (textAt(object, 'spec.updateStrategy.type') === 'OnDelete')
    return current('StatefulSet is using the ondelete update strategy')
  const partition = intAt(object, 'spec.updateStrategy.rollingUpdate.partition', -1)
  const wanted = intAt(object, 'spec.replicas', 1)
  const { replicas, updated, ready } = counts(object)
  const currentReplicas = intAt(object, 'status.currentReplicas', 0)
  if (wanted > replicas) return inProgress('LessReplicas', `Replicas: ${replicas}/${wanted}`)
  if (wanted > ready) return inProgress('LessReady', `Ready: ${ready}/${wanted}`)
  if (replicas > wanted) return inProgress('ExtraPods', `Pending termination: ${replicas - wanted}`)
  if (partition !== -1)
    return updated < wanted - partition
      ? inProgress('PartitionRollout', `updated: ${updated}/${wanted - partition}`)
      : current(`Partition rollout complete. updated: ${updated}`)
  if (wanted > currentReplicas) return inProgress('LessCurrent', `current: ${currentReplicas}/${wanted}`)
  if (textAt(object, 'status.currentRevision') !== textAt(object, 'status.updateRevision'))
    return inProgress('RevisionMismatch', 'Waiting for updated revision to match current')
  return current(`All replicas scheduled as expected. Replicas: ${replicas}`)
}

const daemonSet: Rule = ({ object }) => {
  if (intAt(object, 'metadata.generation', -1) === -1) return inProgress('NoGeneration', 'Missing .metadata.generation')
  if (intAt(object, 'status.observedGeneration', -1) === -1)
    return inProgress('NoObservedGeneration', 'Missing .status.observedGeneration')
  const wanted = intAt(object, 'status.desiredNumberScheduled', -1)
  const scheduled = intAt(object, 'status.currentNumberScheduled', 0)
  const updated = intAt(object, 'status.updatedNumberScheduled', 0)
  const available = intAt(object, 'status.numberAvailable', 0)
  const ready = intAt(object, 'status.numberReady', 0)
  if (wanted === -1) return inProgress('NoDesiredNumber', 'Missing .status.desiredNumberScheduled')
  if (wanted > scheduled) return inProgress('LessCurrent', `Current: ${scheduled}/${wanted}`)
  if (wanted > updated) return inProgress('LessUpdated', `Updated: ${updated}/${wanted}`)
  if (wanted > available) return inProgress('LessAvailable', `Available: ${available}/${wanted}`)
  if (wanted > ready) return inProgress('LessReady', `Ready: ${ready}/${wanted}`)
  return current(`All replicas scheduled as expected. Replicas: ${wanted}`)
}

const job: Rule = (input) => {
  const { object, conditions, jobs = 'flux' } = input
  const suspended = valueAt(object, 'spec.suspend') === true
  if (jobs === 'flux' && suspended) return current('Job is suspended')
  for (const { type, status, message } of conditions) {
    if (status !== 'True') continue
    if (type === 'Complete') return current('Job Completed')
    if (type === 'Failed') return failed('JobFailed', message === '' ? 'Job Failed' : `Job Failed: ${message}`)
    if (type === 'Suspended' && suspended && jobs === 'upstream') return current('Job is suspended')
  }
  if (textAt(object, 'status.startTime') === '') return inProgress('JobNotStarted', 'Job not started')
  return jobs === 'flux' ? inProgress('JobInProgress', 'Job in progress') : current('Job in progress')
}

const definition: Rule = ({ conditions }) => {
  for (const { type, status, reason, message } of conditions) {
    if (type === 'NamesAccepted' && status === 'False') return failed(reason, message)
    if (type === 'Established' && status === 'False' && reason !== 'Installing') return failed(reason, message)
    if (type === 'Established' && status === 'True') return current('CRD is established')
  }
  return inProgress('Installing', 'Install in progress')
}

function counts(object: RuleInput['object']): { replicas: number; updated: number; ready: number; available: number } {
  return {
    replicas: intAt(object, 'status.replicas', 0),
    updated: intAt(object, 'status.updatedReplicas', 0),
    ready: intAt(object, 'status.readyReplicas', 0),
    available: intAt(object, 'status.availableReplicas', 0),
  }
}

/** The rules by `group/kind`. The version of the API does not matter. */
export const kindRules: ReadonlyMap<string, Rule> = new Map([
  ['/Secret', alwaysCurrent],
  ['/ConfigMap', alwaysCurrent],
  ['batch/CronJob', alwaysCurrent],
  ['policy/PodDisruptionBudget', () => current('AllowedDisruptions has been computed.')],
  ['/Service', service],
  ['/PersistentVolumeClaim', claim],
  ['/Pod', pod],
  ['apps/Deployment', deployment],
  ['extensions/Deployment', deployment],
  ['apps/ReplicaSet', replicaSet],
  ['extensions/ReplicaSet', replicaSet],
  ['apps/StatefulSet', statefulSet],
  ['apps/DaemonSet', daemonSet],
  ['extensions/DaemonSet', daemonSet],
  ['batch/Job', job],
  ['apiextensions.k8s.io/CustomResourceDefinition', definition],
])
