import type { ResourceRef } from '../desired/desired.ts'
import type { Blocker, FinishedOutcome, Reason } from '../feedback/events.ts'
import type { Plan } from '../plan/plan.ts'
import type { GitOpsError } from '../runtime/errors.ts'
import type { Revision } from '../source/source.ts'

/** What one call of `reconcile` may ask for. */
export interface RunOptions {
  /** Shown in events and history. @defaultValue 'manual' */
  readonly trigger?: string
  /** Reconcile only these resources. The application is not taken as ready by it. */
  readonly only?: readonly ResourceRef[]
  /** Whether hooks run; `true` also when nothing else is changed. @defaultValue true when more than drift is changed and nothing is selected */
  readonly hooks?: boolean
  /** Heal drift although the policy only reports it. @defaultValue false */
  readonly heal?: boolean
  /**
   * Take what drifted into the state of the target as it is, and change nothing there. For targets that support
   * `acceptDrift`. @defaultValue false
   */
  readonly acceptDrift?: boolean
  /** Deletions that were asked about: of what is pruned only after confirmation (`prune: 'confirm'`), and of what is protected. */
  readonly confirm?: readonly ResourceRef[]
  /** Read everything again, also what is not known to have changed. @defaultValue false */
  readonly refresh?: boolean
}

/** How one run ended. A failure is a result, not an exception. */
export interface RunResult {
  readonly application: string
  readonly runId: string
  readonly outcome: FinishedOutcome
  readonly revision?: Revision
  /** What was planned, where it came to that. */
  readonly plan?: Plan
  /** Why it failed. */
  readonly error?: GitOpsError
  /** Why the plan was not applied. */
  readonly reasons?: readonly Reason[]
  /** What it waits for. */
  readonly blocker?: Blocker
}
