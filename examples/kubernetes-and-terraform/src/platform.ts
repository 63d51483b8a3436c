import { type Ledger, type Reconciler, type Source, createReconciler, outputOf } from '@gitops-sdk/core'
import { type HttpClientOptions, kubernetesTarget } from '@gitops-sdk/k8s-adapter'
import { type TerraformTargetOptions, terraformTarget } from '@gitops-sdk/terraform-adapter'

/** What the platform is made of. */
export interface Parts {
  readonly ledger: Ledger
  /** The root module. */
  readonly modules: Source
  /** The manifests that use its outputs. */
  readonly manifests: Source
  readonly terraform: Pick<TerraformTargetOptions, 'binary' | 'folder'>
  readonly cluster: HttpClientOptions
}

// #region outputs
/** A database made by Terraform, and what runs in Kubernetes with its address and password. */
export function createPlatform({ ledger, modules, manifests, terraform, cluster }: Parts): Reconciler {
  return createReconciler({
    ledger,
    applications: [
      { name: 'database', source: modules, target: terraformTarget(terraform) },
      {
        name: 'shop',
        // Waits until the database is ready, and is reconciled again whenever it publishes something else.
        dependsOn: ['database'],
        source: manifests,
        target: kubernetesTarget({
          connection: cluster,
          owner: 'platform',
          variables: {
            host: outputOf('database', 'host'),
            replicas: outputOf('database', 'replicas'),
            password: outputOf('database', 'password'),
          },
        }),
        policy: { prune: true },
      },
    ],
  })
}
// #endregion outputs
