import { once } from 'node:events'
import { createReconciler, describe } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'
import { flagTarget } from '@gitops-sdk/example-feature-flag-target'

/** Keeps the flags of one tenant as its repository declares them, until `shutdown` aborts. */
// #region deliver
export async function deliver(tenant: Tenant, shutdown: AbortSignal): Promise<void> {
  await using reconciler = createReconciler({
    applications: [
      {
        name: 'flags',
        source: gitSource({ url: tenant.repository, ref: 'main', path: 'flags' }),
        target: flagTarget(tenant.folder),
        policy: { mode: 'automatic', prune: true, intervalMs: tenant.pollEveryMs },
      },
    ],
  })
  reconciler.on('drifted', ({ drift }) => tenant.notify(describe(drift)))
  reconciler.on('failed', ({ error }) => tenant.notify(error.message))
  reconciler.start()
  await once(shutdown, 'abort')
}
// #endregion deliver

/** What the surrounding service knows of a tenant. */
export interface Tenant {
  readonly repository: string
  readonly folder: string
  readonly pollEveryMs: number
  readonly notify: (message: string) => void
}
