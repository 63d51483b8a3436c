import type { JsonObject } from '@gitops-sdk/core'
import { objectAt, textOf } from '../client/json.ts'

/** A kind with its group: what RBAC, discovery and the order of kinds speak about. */
export interface GroupKind {
  /** Empty for the core group. */
  readonly group: string
  readonly kind: string
}

/** Whether objects of a kind live in a namespace. */
export type Scope = 'namespaced' | 'cluster'

/** Group and version of an `apiVersion`. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash === -1 ? '' : apiVersion.slice(0, slash)
}

const clusterKinds: ReadonlySet<string> = new Set([
  '/Namespace',
  '/Node',
  '/PersistentVolume',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
  'admissionregistration.k8s.io/MutatingAdmissionPolicy',
  'admissionregistration.k8s.io/MutatingAdmissionPolicyBinding',
  'apiextensions.k8s.io/CustomResourceDefinition',
  'apiregistration.k8s.io/APIService',
  'certificates.k8s.io/CertificateSigningRequest',
  'certificates.k8s.io/ClusterTrustBundle',
  'flowcontrol.apiserver.k8s.io/FlowSchema',
  'flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration',
  'networking.k8s.io/IngressClass',
  'networking.k8s.io/IPAddress',
  'networking.k8s.io/ServiceCIDR',
  'node.k8s.io/RuntimeClass',
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'scheduling.k8s.io/PriorityClass',
  'storage.k8s.io/CSIDriver',
  'storage.k8s.io/CSINode',
  'storage.k8s.io/StorageClass',
  'storage.k8s.io/VolumeAttachment',
  'storage.k8s.io/VolumeAttributesClass',
])

/** The groups whose kinds are part of Kubernetes: what is not in the list above is namespaced there. */
const builtInGroups: ReadonlySet<string> = new Set([
  '',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'extensions',
  'flowcontrol.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
])

/** The scope of a kind of Kubernetes itself; `undefined` for any other. */
export function builtInScope({ group, kind }: GroupKind): Scope | undefined {
  if (!builtInGroups.has(group)) return undefined
  return clusterKinds.has(`${group}/${kind}`) ? 'cluster' : 'namespaced'
}

/** What a CustomResourceDefinition defines, when the body is one. */
export function definedBy(body: JsonObject): (GroupKind & { readonly scope: Scope }) | undefined {
  if (body['kind'] !== 'CustomResourceDefinition') return undefined
  const spec = objectAt(body, 'spec')
  const kind = objectAt(spec, 'names')['kind']
  const group = spec['group']
  if (typeof kind !== 'string' || typeof group !== 'string') return undefined
  return { group, kind, scope: spec['scope'] === 'Cluster' ? 'cluster' : 'namespaced' }
}

/** `group/kind` of an object, with nothing where the group or the kind is no text. */
export function groupKindKey(object: JsonObject): string {
  return `${groupOf(textOf(object['apiVersion']))}/${textOf(object['kind'])}`
}
