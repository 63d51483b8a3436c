import { GitOpsError, label, type ResourceRef } from '@gitops-sdk/core'

/** Where an application may put what. */
export interface NamespacePolicy {
  /** For namespaced objects that name none. @defaultValue 'default' */
  readonly default?: string
  /** The namespaces that may be used. @defaultValue all */
  readonly allowed?: readonly string[]
  /**
   * Cluster-scoped objects that may be declared: all, none, or these kinds (`ClusterRole`,
   * `apiextensions.k8s.io/CustomResourceDefinition`). @defaultValue all, or none where `allowed` is given
   */
  readonly clusterScoped?: boolean | readonly string[]
}

/** Throws `TENANT_DENIED` when the policy does not permit the object. */
export function assertAllowed(ref: ResourceRef, place: string, policy: NamespacePolicy): void {
  const reason = ref.namespace === undefined ? whyNotClusterWide(ref, policy) : whyNotThere(ref.namespace, policy)
  if (reason !== undefined)
    throw new GitOpsError('TENANT_DENIED', `${place}: ${label(ref)} may not be declared here: ${reason}.`, {
      details: { ref },
    })
}

function whyNotThere(namespace: string, { allowed }: NamespacePolicy): string | undefined {
  return allowed === undefined || allowed.includes(namespace) ? undefined : `only ${listed(allowed)} may be used`
}

function whyNotClusterWide({ group, kind }: ResourceRef, policy: NamespacePolicy): string | undefined {
  const permitted = policy.clusterScoped ?? policy.allowed === undefined
  if (permitted === true) return undefined
  const names = permitted === false ? [] : permitted
  if (names.includes(kind) || names.includes(`${group ?? ''}/${kind}`)) return undefined
  return 'it is not inside a namespace'
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'no namespace' : `the namespaces ${names.join(', ')}`
}
