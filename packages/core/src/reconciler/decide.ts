import type { ActualState } from '../actual/actual.ts'
import type { Reason } from '../feedback/events.ts'
import type { Plan } from '../plan/plan.ts'
import { recordOf, tell } from './engine.ts'
import { diffPlans } from './policy/diff-plans.ts'
import { type Decision, judge } from './policy/judge.ts'
import { restrictPlan } from './policy/restrict.ts'
import type { Policy } from './policy/policy.ts'
import type { Session, Wanted } from './session.ts'

/**
 * Rules that leave something alone on purpose: what is declared is there all the same. Anything else in `blocked` is in
 * the way of being ready.
 */
const deliberate: ReadonlySet<string> = new Set([
  'prune-disabled',
  'prune-unconfirmed',
  'never-confirmed',
  'identity-changed',
  'self-heal-off',
  'self-heal-disabled',
  'drift-adopted',
  'oscillating',
  'protected',
])

/** The plan without what the policy leaves out. */
export async function restrict(
  { engine, member, options }: Session,
  plan: Plan,
  oscillating: ReadonlySet<string>,
): Promise<Plan> {
  const { granularity } = member.target.supports
  const policy: Policy = options.heal === true ? { ...member.policy, selfHeal: true } : member.policy
  const confirmed = options.confirm && { confirmed: options.confirm }
  const context = { granularity, seal: await engine.seal(), oscillating, ...confirmed }
  return restrictPlan(plan, policy, options.heal === true ? { ...context, oscillating: new Set() } : context)
}

/** What may be done with the plan now. Tells why, where it is not applied. */
export async function decide(session: Session, { desired }: Wanted, plan: Plan): Promise<Decision> {
  const { engine, member, call } = session
  const record = await recordOf(engine, member)
  const declared = desired.resources.filter(({ order }) => order?.hook === undefined).length
  const { granularity } = member.target.supports
  const decision = await judge(
    plan,
    member.policy,
    {
      application: member.name,
      labels: member.application.labels ?? {},
      trigger: session.triggers.join(', '),
      now: engine.call.clock.now(),
      manual: session.triggers.includes('manual'),
      granularity,
      owned: record.inventory.size,
      approvals: record.approvals,
      ...(granularity === 'resource' && { declared }),
      ...(record.suspension && { suspension: record.suspension }),
      ...(record.hold && { hold: record.hold }),
    },
    call,
  )
  tellDecision(session, plan, decision)
  return decision
}

function tellDecision({ engine, member }: Session, plan: Plan, { verdict, reasons, until }: Decision): void {
  const application = member.name
  if (verdict === 'ask') {
    const before = member.pending
    member.pending = plan
    if (before?.fingerprint === plan.fingerprint) return
    const since = before === undefined ? undefined : diffPlans(before, plan)
    tell(engine, { type: 'approvalRequested', application, plan, reasons, ...(since && { since }) })
    return
  }
  member.pending = undefined
  if (verdict === 'nothing' || verdict === 'apply') return
  const { fingerprint } = plan
  tell(engine, { type: 'blocked', application, fingerprint, reasons, ...(until !== undefined && { until }) })
}

/** What keeps the application from being as declared although nothing is left to do. */
export function obstacles(plan: Plan): readonly Reason[] {
  return plan.blocked
    .filter(({ rule }) => !deliberate.has(rule))
    .map(({ rule, message }) => ({ rule, verdict: 'deny' as const, message }))
}

/** Whether everything that was declared or owned could be read. */
export function sawEverything(actual: ActualState): boolean {
  return actual.complete && actual.unknown.size === 0
}
