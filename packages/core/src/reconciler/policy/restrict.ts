import type { ResourceRef } from '../../desired/desired.ts'
import { label, refKey } from '../../desired/ref.ts'
import { fingerprintOf } from '../../plan/fingerprint.ts'
import type { Blocked, Change, Drift, Ignored, Plan, Seal } from '../../plan/plan.ts'
import type { TargetSupports } from '../../target/target.ts'
import type { Policy, Protection } from './policy.ts'

/** What `restrictPlan` needs to know besides the policy. */
export interface RestrictContext {
  readonly granularity: TargetSupports['granularity']
  readonly seal: Seal
  /** `refKey`s of resources that somebody keeps setting back; see `trackDrift`. */
  readonly oscillating?: ReadonlySet<string>
  /** Deletions of protected resources that a person confirmed. */
  readonly confirmed?: readonly ResourceRef[]
}

/**
 * The plan without the changes that the policy takes out of it: drift that is not healed, and
 * deletions of what is protected. Each is in `blocked` or, when it is adopted, in `ignored`, with the
 * rule. A plan that can only be applied as a whole is returned unless every change is taken out;
 * `judge` asks about the rest.
 */
export function restrictPlan(plan: Plan, policy: Policy, context: RestrictContext): Plan {
  const withheld = new Map<Change, Blocked>()
  for (const change of plan.changes) {
    const blocked = whatForbids(change, policy, context)
    if (blocked !== undefined) withheld.set(change, blocked)
  }
  if (withheld.size === 0 && policy.selfHeal !== 'adopt') return plan
  const left = withoutIdleHooks(
    plan.changes.filter((change) => !withheld.has(change)),
    plan,
  )
  if (context.granularity === 'whole' && left.length > 0) return plan
  return rebuilt(plan, left, withheld, policy, context)
}

/** Why the policy does not want this one change, if so. */
export function whatForbids(
  change: Change,
  policy: Policy,
  context: Pick<RestrictContext, 'oscillating' | 'confirmed'>,
): Blocked | undefined {
  const key = refKey(change.ref)
  const confirmed = context.confirmed?.some((ref) => refKey(ref) === key) ?? false
  if (isDestructive(change) && !confirmed && isProtected(change.ref, policy.protect)) return protectedOne(change)
  if (change.cause !== 'drift') return undefined
  if (context.oscillating?.has(key) === true) return oscillatingOne(change)
  return policy.selfHeal === true ? undefined : unhealed(change, policy.selfHeal)
}

/** Whether the change takes a resource away, if only to make another one in its place. */
export function isDestructive({ action }: Pick<Change, 'action'>): boolean {
  return action === 'delete' || action === 'replace'
}

function isProtected(ref: ResourceRef, { kinds = [], resources = [] }: Protection): boolean {
  const qualified = ref.group === undefined ? ref.kind : `${ref.group}/${ref.kind}`
  return kinds.includes(ref.kind) || kinds.includes(qualified) || resources.some((one) => matches(one, ref))
}

function matches(pattern: ResourceRef, ref: ResourceRef): boolean {
  if (pattern.kind !== ref.kind || pattern.name !== ref.name) return false
  const sameGroup = pattern.group === undefined || pattern.group === ref.group
  return sameGroup && (pattern.namespace === undefined || pattern.namespace === ref.namespace)
}

/** Hooks run around changes: where all of those are withheld there is nothing to run around. */
function withoutIdleHooks(left: readonly Change[], plan: Plan): readonly Change[] {
  const isOrdinary = ({ hook }: Change): boolean => hook === undefined
  return left.some(isOrdinary) || !plan.changes.some(isOrdinary) ? left : []
}

function rebuilt(
  plan: Plan,
  changes: readonly Change[],
  withheld: ReadonlyMap<Change, Blocked>,
  policy: Policy,
  { seal }: RestrictContext,
): Plan {
  const adopted = new Set<Change>()
  const byKey = new Map<string, Blocked>()
  for (const [change, blocked] of withheld) {
    byKey.set(refKey(change.ref), blocked)
    if (blocked.rule === 'drift-adopted') adopted.add(change)
  }
  const effect = changes.length > 0 || plan.effect !== 'changes' ? plan.effect : 'none'
  const next: Omit<Plan, 'fingerprint'> = {
    ...plan,
    changes,
    effect,
    drift: plan.drift.map((drift) => driftAfter(drift, byKey.get(refKey(drift.ref)), policy)),
    blocked: [
      ...plan.blocked,
      ...[...withheld].filter(([change]) => !adopted.has(change)).map(([, blocked]) => blocked),
    ],
    ignored: [...plan.ignored, ...[...adopted].flatMap(adoptedFields)],
  }
  return { ...next, fingerprint: fingerprintOf(next, seal) }
}

function driftAfter(drift: Drift, blocked: Blocked | undefined, policy: Policy): Drift {
  const adopted =
    blocked?.rule === 'drift-adopted' || (blocked === undefined && !drift.healed && policy.selfHeal === 'adopt')
  if (blocked === undefined && !adopted) return drift
  return { ...drift, healed: false, ...(adopted && { adopted: true }) }
}

function adoptedFields(change: Change): readonly Ignored[] {
  const paths = change.fields.length === 0 ? [''] : change.fields.map(({ path }) => path)
  return paths.map((path) => ({ ref: change.ref, path, rule: "selfHeal is 'adopt'" }))
}

function protectedOne({ ref, action }: Change): Blocked {
  const message = `${label(ref)} is protected: to ${action} it, confirm it, do it by hand, or take it out of \`protect\`.`
  return { ref, action, rule: 'protected', message }
}

function oscillatingOne({ ref, action }: Change): Blocked {
  const message = `${label(ref)} was healed again and again while somebody sets it back. Find out who, or declare what they want.`
  return { ref, action, rule: 'oscillating', message }
}

function unhealed({ ref, action }: Change, selfHeal: false | 'adopt'): Blocked {
  if (selfHeal === 'adopt') {
    return { ref, action, rule: 'drift-adopted', message: `${label(ref)} drifted and is accepted as it is.` }
  }
  const message = `${label(ref)} drifted and is not healed, because \`selfHeal\` is off. Heal it by hand, or declare it as it is now.`
  return { ref, action, rule: 'self-heal-off', message }
}
