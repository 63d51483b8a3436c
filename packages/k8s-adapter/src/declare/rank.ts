import type { ResourceRef } from '@gitops-sdk/core'

/**
 * The order of kinds inside a step, as Flux has it: what others refer to comes first, admission
 * webhooks come last because they can refuse everything after them.
 */
const first: readonly string[] = [
  'CustomResourceDefinition',
  'Namespace',
  'ClusterRole',
  'ClusterClass',
  'RuntimeClass',
  'PriorityClass',
  'StorageClass',
  'VolumeSnapshotClass',
  'IngressClass',
  'GatewayClass',
  'ClusterRoleBinding',
  'ResourceQuota',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'Service',
  'LimitRange',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
]
const last: readonly string[] = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']

const ranks: ReadonlyMap<string, number> = new Map([
  ...first.map((kind, index) => [kind, index] as const),
  ...last.map((kind, index) => [kind, first.length + 1 + index] as const),
])

/** The position of a kind in the order. Smaller is applied earlier and pruned later. */
export function rankOf({ kind }: ResourceRef): number {
  return ranks.get(kind) ?? first.length
}

/**
 * The stage of a kind: 0 for what makes other objects possible (definitions, namespaces, cluster roles),
 * 1 for classes, 2 for the rest, 3 for admission webhooks. A stage begins when the one before has settled.
 */
export function stageOf({ kind }: ResourceRef): 0 | 1 | 2 | 3 {
  if (kind === 'CustomResourceDefinition' || kind === 'Namespace' || kind === 'ClusterRole') return 0
  if (kind.endsWith('Class')) return 1
  return last.includes(kind) ? 3 : 2
}
