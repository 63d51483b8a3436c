import { type ActualState, type DesiredState, type Plan, type PlanRequest, fingerprintOf } from '@gitops-sdk/core'

/** Lets everything go as it is: the resources and their state stay, this application no longer owns them. */
export function orphaned(desired: DesiredState, { version }: ActualState, request: PlanRequest): Plan {
  const changes = [...request.owned.values()].map(({ ref }) => ({
    ref,
    action: 'forget' as const,
    cause: 'requested' as const,
    fields: [],
    step: { phase: 'Sync' as const, wave: 0 },
    reason: 'onDelete is orphan',
  }))
  const plan: Omit<Plan, 'fingerprint'> = {
    application: request.application,
    revision: desired.revision,
    mode: request.mode,
    effect: changes.length === 0 ? 'none' : 'changes',
    complete: true,
    changes,
    drift: [],
    ignored: [],
    blocked: [],
    warnings: [],
    basis: { digest: desired.digest, version },
  }
  return { ...plan, fingerprint: fingerprintOf(plan, request.seal) }
}
