import { type Application, type Ledger, type Reconciler, createReconciler, restrict } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'
import { flagTarget } from '@gitops-sdk/example-feature-flag-target'

/** A customer of the platform. */
export interface Tenant {
  readonly id: string
  /** Chosen by the tenant: not trusted. */
  readonly repository: string
}

/** One reconciler for all tenants, who come and go while it runs. */
export interface TenantPlatform extends AsyncDisposable {
  readonly reconciler: Reconciler
  admit(tenant: Tenant): Promise<void>
  /** Everything the tenant owns is removed first. */
  dismiss(id: string): Promise<void>
}

/** What the operator decides. */
export interface PlatformOptions {
  readonly ledger: Ledger
  /** The only Git host that tenants may name: `http://127.0.0.1:8080`. */
  readonly host: string
  readonly folderOf: (tenant: string) => string
  readonly intervalMs: number
}

export function createTenantPlatform(options: PlatformOptions): TenantPlatform {
  const reconciler = createReconciler({ ledger: options.ledger, concurrency: 16, targetConcurrency: 4 })
  reconciler.start()
  return {
    reconciler,
    admit: async (tenant) => reconciler.add(applicationOf(tenant, options)),
    dismiss: (id) => reconciler.remove(id, { cascade: true }),
    [Symbol.asyncDispose]: () => reconciler[Symbol.asyncDispose](),
  }
}

// #region restrict
/** A tenant may read repositories below its own name on our host, and write flags into its own folder: nothing else. */
function applicationOf({ id, repository }: Tenant, { host, folderOf, intervalMs }: PlatformOptions): Application {
  const application: Application = {
    name: id,
    labels: { tenant: id },
    source: gitSource({ url: repository, ref: 'main' }),
    target: flagTarget(folderOf(id)),
    policy: { prune: true, maxDeletions: 10, intervalMs },
  }
  return restrict(application, {
    sources: [`${host}/${id}/*`],
    targets: [folderOf(id)],
    namespaces: [],
    kinds: ['flag'],
    clusterScoped: ['flag'],
  })
}
// #endregion restrict
