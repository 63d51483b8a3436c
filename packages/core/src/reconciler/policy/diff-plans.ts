import { canonicalJson } from '../../desired/digest.ts'
import { refKey } from '../../desired/ref.ts'
import type { PlanDifference, PlannedChange } from '../../feedback/events.ts'
import type { Change, Plan } from '../../plan/plan.ts'
import type { Json } from '../../runtime/json.ts'

/**
 * What `fresh` would do differently from `pending`, the plan that somebody approved or was asked
 * about. Nothing differs exactly when their changes are the same.
 */
export function diffPlans(pending: Plan, fresh: Plan): PlanDifference {
  const before = byIdentity(pending)
  const after = byIdentity(fresh)
  const moved = pending.revision.id !== fresh.revision.id
  return {
    ...(moved && { revision: { before: pending.revision, after: fresh.revision } }),
    added: [...after].filter(([key]) => !before.has(key)).map(([, change]) => planned(change)),
    removed: [...before].filter(([key]) => !after.has(key)).map(([, change]) => planned(change)),
    altered: [...after]
      .filter(([key, change]) => isAltered(before.get(key), change))
      .map(([, change]) => planned(change)),
  }
}

function byIdentity(plan: Plan): ReadonlyMap<string, Change> {
  return new Map(
    plan.changes.map((change) => [
      `${change.action} ${change.hook === undefined ? '' : change.step.phase} ${refKey(change.ref)}`,
      change,
    ]),
  )
}

function isAltered(before: Change | undefined, after: Change): boolean {
  return before !== undefined && essence(before) !== essence(after)
}

function essence({ fields, step, uid, from }: Change): string {
  const values = fields.map(({ path, op, before, after, unknown }) => ({ path, op, before, after, unknown }))
  return canonicalJson(JSON.parse(JSON.stringify({ values, step, uid, from })) as Json)
}

function planned({ ref, action }: Change): PlannedChange {
  return { ref, action }
}
