import {
  type Blocked,
  type Change,
  type DesiredState,
  type Drift,
  type Json,
  type Plan,
  type PlanRequest,
  fingerprintOf,
} from '@gitops-sdk/core'
import type { Observation } from '../observe/observation.ts'
import type { Site } from '../workspace/site.ts'
import { type Rules, blockedBy } from './blocked.ts'
import { sift } from './sift.ts'
import { takenOver } from './take-over.ts'
import { verdictOf } from './verdict.ts'

/** What the binary would do, as plain data: causes from what moved, secrets out, and what a rule forbids in `blocked`. */
export function assemblePlan(
  site: Site,
  desired: DesiredState,
  observation: Observation,
  version: string,
  request: PlanRequest,
  rules: Rules,
): Plan {
  const verdict = verdictOf(observation.plan, request.seal)
  const sifted = sift(verdict, request.mode === 'converge' ? request.ignore : [])
  const wanted = request.mode === 'accept-drift' ? accepted(verdict.drift) : sifted.changes
  const blocked = [...sifted.blocked, ...blockedBy(wanted, observation, request, rules)]
  const changes = blocked.length > 0 ? [] : [...wanted, ...takenOver(observation, request, rules)]
  const effect =
    changes.length > 0 ? 'changes' : blocked.length > 0 || verdict.effect === 'changes' ? 'none' : verdict.effect
  const plan: Omit<Plan, 'fingerprint'> = {
    application: request.application,
    revision: desired.revision,
    mode: request.mode,
    effect,
    complete: verdict.complete,
    changes: shown(site, changes),
    drift: shown(site, unhealed(sifted.drift, blocked, request)),
    ignored: sifted.ignored,
    blocked: blocked.map((each) => ({ ...each, message: site.redactor.text(each.message) })),
    warnings: observation.warnings,
    basis: { digest: desired.digest, version },
    // Of what is taken over on paper alone, or ignored, there is nothing to apply.
    ...(effect !== 'none' &&
      (wanted.length > 0 || verdict.effect !== 'changes') &&
      observation.artifact !== undefined && {
        handle: { id: observation.artifact, digest: effectOf(observation, changes, request) },
      }),
  }
  return { ...plan, fingerprint: fingerprintOf(plan, request.seal) }
}

/** By place and by value: a provider may copy a secret to where no mask is. */
function shown<T extends Pick<Change | Drift, 'fields'>>({ redactor }: Site, items: readonly T[]): readonly T[] {
  return items.map((item) => ({ ...item, fields: redactor.value(item.fields) }))
}

/** What is blocked heals nothing, and what is accepted is not healed either. */
function unhealed(drift: readonly Drift[], blocked: readonly Blocked[], { mode }: PlanRequest): readonly Drift[] {
  return blocked.length > 0 || mode === 'accept-drift' ? drift.map((each) => ({ ...each, healed: false })) : drift
}

/** The state takes over what is there: changed resources as they are, missing ones no longer at all. */
function accepted(drift: readonly Drift[]): readonly Change[] {
  return drift.map(({ ref, kind, fields }) => ({
    ref,
    action: kind === 'missing' ? ('forget' as const) : ('adopt' as const),
    cause: 'requested' as const,
    fields,
    step: { phase: 'Sync', wave: 0 },
    reason: 'the state accepts what is there',
  }))
}

/**
 * Identifies what applying the artifact would do. The bytes of an artifact differ with every plan, so an approval is
 * for this, and a fresh artifact with the same effect may be applied under it.
 */
function effectOf({ plan }: Observation, changes: readonly Change[], { mode, seal }: PlanRequest): string {
  const outputs = Object.entries(plan.output_changes ?? {})
    .filter(([, { actions }]) => actions.some((verb) => verb !== 'no-op'))
    .map(([name, change]): Json => [
      name,
      change.actions,
      seal.fingerprint([change.before ?? null, change.after ?? null]),
    ])
  const moves = changes.map(({ ref, action, reason }): Json => [
    ref.namespace ?? '',
    ref.kind,
    ref.name,
    action,
    reason ?? '',
  ])
  return seal.fingerprint({ mode, outputs, moves })
}
