import {
  type Clock,
  type Guard,
  type Ledger,
  type Reconciler,
  type Source,
  type Target,
  createReconciler,
  describe,
} from '@gitops-sdk/core'

/** What the platform is made of. A test passes parts that live in memory. */
export interface Parts {
  readonly source: Source
  readonly target: Target
  readonly ledger: Ledger
  readonly notify: (message: string) => void
  readonly clock?: Clock
}

/** A reconciler with the policy of this platform: start it, or call `reconcile('app')`. */
export function createPlatform({ source, target, ledger, notify, clock }: Parts): Reconciler {
  const reconciler = createReconciler({
    ledger,
    ...(clock && { clock }),
    applications: [
      {
        name: 'app',
        source,
        target,
        policy: {
          mode: 'automatic',
          prune: true,
          selfHeal: true,
          intervalMs: 60_000,
          guards: [deletionsWaitForAPerson],
        },
      },
    ],
  })
  reconciler.on('drifted', ({ application, drift }) => notify(`${application}: ${describe(drift)}`))
  reconciler.on('approvalRequested', ({ application, plan }) =>
    notify(`${application} waits for an approval of ${plan.fingerprint}`),
  )
  reconciler.on('failed', ({ application, error }) => notify(`${application}: ${error.message}`))
  return reconciler
}

/** A rule of this platform: a function that is asked about every plan. */
const deletionsWaitForAPerson: Guard = ({ changes }) =>
  changes.some(({ action }) => action === 'delete')
    ? { ask: 'Something is deleted: a person has to look at it.' }
    : 'allow'
