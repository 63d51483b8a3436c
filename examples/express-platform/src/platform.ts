import { type Guard, type Ledger, type Reconciler, createReconciler } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'
import { flagTarget } from '@gitops-sdk/example-feature-flag-target'

/** The feature flags of one team. */
export interface Team {
  readonly name: string
  readonly repository: string
  /** Where the flags of the team are. */
  readonly folder: string
}

/** The reconciler of this platform: what drifted is shown and healed by a person, a big step waits for one. */
export function createPlatform(teams: readonly Team[], ledger: Ledger): Reconciler {
  return createReconciler({
    ledger,
    applications: teams.map(({ name, repository, folder }) => ({
      name,
      source: gitSource({ url: repository, ref: 'main', write: { committer: platform } }),
      target: flagTarget(folder),
      policy: { prune: true, selfHeal: false, guards: [bigStepsWaitForAPerson], intervalMs: 60_000 },
    })),
  })
}

const platform = { name: 'Platform', email: 'platform@example.com' }

/** A flag for more than half of all users is looked at by a person first. */
const bigStepsWaitForAPerson: Guard = ({ changes }) => {
  const big = changes.filter(({ fields }) =>
    fields.some(({ path, after }) => path === '/rollout' && Number(after) > 50),
  )
  if (big.length === 0) return 'allow'
  return { ask: `${big.map(({ ref }) => ref.name).join(', ')} would be on for more than half of all users.` }
}
