import type { JsonObject } from '@gitops-sdk/core'
import { groupKindKey } from '../declare/kinds.ts'
import { type Condition, conditionsOf, intAt, objectsAt, textAt, valueAt } from './read.ts'
import type { Verdict } from './rule.ts'

/**
 * What the rules of kstatus leave open and a person would call unhealthy. `undefined` where the rules of
 * kstatus are right.
 */
export function extendedVerdict(object: JsonObject): Verdict | undefined {
  const kind = groupKindKey(object)
  const conditions = conditionsOf(object)
  if ('malformed' in conditions) return undefined
  return rules.get(kind)?.(object, conditions) ?? (builtIn.test(kind) ? undefined : custom(conditions))
}

type Rule = (object: JsonObject, conditions: readonly Condition[]) => Verdict | undefined

const builtIn = /^(apps|batch|policy|autoscaling|[a-z.]*k8s\.io|)\//

const service: Rule = (object) =>
  textAt(object, 'spec.type') === 'LoadBalancer' && objectsAt(object, 'status.loadBalancer.ingress').length === 0
    ? { status: 'progressing', reason: 'NoAddress', message: 'The load balancer has no address yet.' }
    : undefined

const ingress: Rule = (object) =>
  objectsAt(object, 'status.loadBalancer.ingress').length === 0
    ? { status: 'progressing', reason: 'NoAddress', message: 'The Ingress has no address yet.' }
    : undefined

const autoscaler: Rule = (_object, conditions) => {
  const broken = conditions.find(
    ({ type, status }) => (type === 'AbleToScale' || type === 'ScalingActive') && status === 'False',
  )
  // Scaled to zero on purpose: the autoscaler is switched off by its own user.
  if (broken !== undefined && broken.reason !== 'ScalingDisabled') return said('degraded', broken)
  if (conditions.length > 0) return { status: 'healthy', message: 'It is able to scale.' }
  return { status: 'progressing', reason: 'NotObserved', message: 'The autoscaler has not been looked at yet.' }
}

const apiService: Rule = (_object, conditions) => {
  const available = conditions.find(({ type }) => type === 'Available')
  if (available === undefined)
    return { status: 'progressing', reason: 'NotObserved', message: 'It was not checked yet.' }
  return available.status === 'True'
    ? { status: 'healthy', message: 'It is available.' }
    : said('progressing', available)
}

const pod: Rule = (object) => {
  if (textAt(object, 'status.phase') === 'Failed')
    return {
      status: 'degraded',
      reason: textAt(object, 'status.reason', 'PodFailed'),
      message: textAt(object, 'status.message', 'The Pod failed.'),
    }
  const stuck = objectsAt(object, 'status.initContainerStatuses').find(
    (each) => textAt(each, 'state.waiting.reason') === 'CrashLoopBackOff',
  )
  return (
    stuck && {
      status: 'degraded',
      reason: 'ContainerCrashLooping',
      message: `The init container ${textAt(stuck, 'name')} crashes.`,
    }
  )
}

const replicaSet: Rule = (_object, conditions) => {
  const failure = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True')
  return failure && said('degraded', failure)
}

const suspendable: Rule = (object) =>
  valueAt(object, 'spec.suspend') === true
    ? { status: 'suspended', reason: 'Suspended', message: 'It is suspended.' }
    : undefined

const deployment: Rule = (object) =>
  valueAt(object, 'spec.paused') === true &&
  intAt(object, 'status.updatedReplicas', 0) < intAt(object, 'spec.replicas', 1)
    ? { status: 'suspended', reason: 'Paused', message: 'Its rollout is paused.' }
    : undefined

/** Conditions that custom resources use for a definite failure. */
const custom = (conditions: readonly Condition[]): Verdict | undefined => {
  const failed = conditions.find(
    ({ type, status }) => status === 'True' && ['Failed', 'Failure', 'Degraded'].includes(type),
  )
  if (failed !== undefined) return said('degraded', failed)
  const waiting = conditions.find(
    ({ type, status }) => status === 'False' && ['Available', 'Synced', 'Healthy'].includes(type),
  )
  return waiting && said('progressing', waiting)
}

function said(status: Verdict['status'], { type, reason, message }: Condition): Verdict {
  return {
    status,
    reason: reason === '' ? type : reason,
    message: message === '' ? `${type} is reported.` : message.slice(0, 500),
  }
}

const rules: ReadonlyMap<string, Rule> = new Map([
  ['/Service', service],
  ['/Pod', pod],
  ['networking.k8s.io/Ingress', ingress],
  ['extensions/Ingress', ingress],
  ['autoscaling/HorizontalPodAutoscaler', autoscaler],
  ['apiregistration.k8s.io/APIService', apiService],
  ['apps/ReplicaSet', replicaSet],
  ['apps/Deployment', deployment],
  ['batch/Job', suspendable],
  ['batch/CronJob', suspendable],
])
