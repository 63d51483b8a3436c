import { type Change, type PlanRequest, refKey } from '@gitops-sdk/core'
import type { Observation } from '../observe/observation.ts'
import { refAt } from '../workspace/address.ts'
import type { Rules } from './blocked.ts'

/** Resources that the state holds and this application does not own yet: they are taken over where that is allowed. */
export function takenOver(
  { plan }: Observation,
  { owned, mode }: PlanRequest,
  { adoptState }: Rules,
): readonly Change[] {
  if (!adoptState || mode !== 'converge') return []
  const idle = (plan.resource_changes ?? []).filter(
    ({ mode: kind, change, previous_address: from }) =>
      kind === 'managed' && change.actions.join() === 'no-op' && change.importing === undefined && from === undefined,
  )
  return idle
    .map(({ address }) => refAt(address))
    .filter((ref) => !owned.has(refKey(ref)))
    .map((ref) => ({
      ref,
      action: 'adopt' as const,
      cause: 'revision' as const,
      fields: [],
      step: { phase: 'Sync', wave: 0 },
      reason: 'the state holds it already',
    }))
}
