import { label } from '../../desired/ref.ts'
import type { Reason } from '../../feedback/events.ts'
import type { Approval, Hold, Suspension } from '../../ledger/ledger.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Call } from '../../runtime/call.ts'
import { isoTime } from '../../runtime/clock.ts'
import type { TargetSupports } from '../../target/target.ts'
import { askGuards } from './guards.ts'
import type { GuardContext, Policy } from './policy.ts'
import { isDestructive, whatForbids } from './restrict.ts'
import { judgeWindows } from './windows.ts'

/** What is known about an application when its plan is judged. */
export interface JudgeContext extends Omit<GuardContext, 'signal'> {
  /** A person asked for this run. */
  readonly manual: boolean
  readonly granularity: TargetSupports['granularity']
  /** How many resources the application owns. */
  readonly owned: number
  /** How many resources are declared, hooks excepted. Absent for a target that does not list them. */
  readonly declared?: number
  readonly approvals: readonly Approval[]
  readonly suspension?: Suspension
  readonly hold?: Hold
}

/** What may be done with a plan now, and every reason for it. */
export interface Decision {
  /**
   * `nothing`: there is nothing to do. `apply`: go ahead. `ask`: an approval is missing. `wait`: not
   * now, judge again at `until`. `deny`: not this plan. `observe`: only report.
   */
  readonly verdict: 'nothing' | 'apply' | 'ask' | 'wait' | 'deny' | 'observe'
  readonly reasons: readonly Reason[]
  /** When it is worth judging again, in epoch milliseconds. */
  readonly until?: number
  /** The approval that lets it through, where one was needed. */
  readonly approval?: Approval
}

/** The verdicts from the one that decides alone to the one that decides last. */
const severity = ['observe', 'deny', 'ask', 'wait'] as const

/** Decides about a plan. Depends on nothing but its arguments and the answers of the guards. */
export async function judge(plan: Plan, policy: Policy, context: JudgeContext, call: Call): Promise<Decision> {
  if (plan.changes.length === 0 && plan.effect === 'none') return { verdict: 'nothing', reasons: [] }
  const observing = observeReason(policy)
  if (observing !== undefined) return decide([observing])
  const guarding = await askGuards(plan, policy, context, call)
  const present = rules.flatMap((rule) => rule(plan, policy, context))
  return decideWithApproval(plan, [...present, ...guarding], policy, context)
}

/** The approval that covers exactly this plan and is still valid. */
function validApproval(
  plan: Plan,
  policy: Pick<Policy, 'approvalLifetimeMs'>,
  { approvals, now }: Pick<JudgeContext, 'approvals' | 'now'>,
): Approval | undefined {
  return approvals.find((approval) => approval.fingerprint === plan.fingerprint && now < expiryOf(approval, policy))
}

/** When an approval ends, in epoch milliseconds. */
function expiryOf(approval: Approval, policy: Pick<Policy, 'approvalLifetimeMs'>): number {
  return approval.expiresAt ?? approval.at + policy.approvalLifetimeMs
}

type Rule = (plan: Plan, policy: Policy, context: JudgeContext) => readonly Reason[]

const rules: readonly Rule[] = [
  suspended,
  held,
  emptied,
  approveMode,
  tooManyChanges,
  tooManyDeletions,
  wholeOnly,
  outsideWindows,
]

function decideWithApproval(plan: Plan, reasons: readonly Reason[], policy: Policy, context: JudgeContext): Decision {
  const asking = reasons.some(({ verdict }) => verdict === 'ask')
  if (!asking) return decide(reasons)
  const approval = validApproval(plan, policy, context)
  if (approval !== undefined) return { ...decide(reasons.map((reason) => settled(reason, approval))), approval }
  return decide([...reasons, ...unfitApproval(plan, policy, context)])
}

function decide(reasons: readonly Reason[]): Decision {
  const verdict = severity.find((each) => reasons.some((reason) => reason.verdict === each)) ?? 'apply'
  const until = Math.min(...reasons.flatMap((reason) => (reason.verdict === verdict ? (reason.until ?? []) : [])))
  return { verdict, reasons, ...(Number.isFinite(until) && { until }) }
}

function settled(reason: Reason, { by }: Approval): Reason {
  if (reason.verdict !== 'ask') return reason
  return { ...reason, verdict: 'allow', message: `${reason.message} Approved by ${by}.` }
}

/** Says why an approval that is there does not help. */
function unfitApproval(plan: Plan, policy: Policy, { approvals }: JudgeContext): readonly Reason[] {
  const expired = approvals.find(({ fingerprint }) => fingerprint === plan.fingerprint)
  if (expired !== undefined) {
    const message = `The approval of ${expired.by} ended at ${isoTime(expiryOf(expired, policy))}. Approve the plan again.`
    return [{ rule: 'approval-expired', verdict: 'ask', message }]
  }
  const [other] = approvals
  if (other === undefined) return []
  const message = `${other.by} approved another plan than this one. Look at what changed since, and approve this one.`
  return [{ rule: 'approval-mismatch', verdict: 'ask', message }]
}

function observeReason({ mode }: Policy): Reason | undefined {
  if (mode !== 'observe') return undefined
  return {
    rule: 'mode',
    verdict: 'observe',
    message: 'The mode is `observe`: differences are reported, nothing is applied.',
  }
}

function suspended(_plan: Plan, _policy: Policy, { suspension, now }: JudgeContext): readonly Reason[] {
  if (suspension === undefined || (suspension.until !== undefined && suspension.until <= now)) return []
  const end = suspension.until === undefined ? 'until it is resumed' : `until ${isoTime(suspension.until)}`
  const message = `${suspension.by} suspended it ${end}: ${suspension.reason}`
  return [
    { rule: 'suspended', verdict: 'wait', message, ...(suspension.until !== undefined && { until: suspension.until }) },
  ]
}

function held(plan: Plan, _policy: Policy, { hold }: JudgeContext): readonly Reason[] {
  if (hold === undefined || hold.revision.id === plan.revision.id) return []
  if (!hold.rejected.includes(plan.revision.id)) return []
  const message = `${hold.by} rejected this revision (${hold.reason}). Commit another one, or release the hold.`
  return [{ rule: 'held', verdict: 'deny', message }]
}

function emptied(plan: Plan, policy: Policy, { owned, declared }: JudgeContext): readonly Reason[] {
  if (policy.allowEmpty || plan.mode !== 'converge') return []
  const real = plan.changes.filter(({ hook }) => hook === undefined)
  if (!real.some(({ action }) => action === 'delete')) return []
  const leaves = real.some(({ action }) => action !== 'delete' && action !== 'forget')
  const nothingLeft = declared === undefined ? !leaves && real.length >= owned : declared === 0
  if (!nothingLeft) return []
  const message = `Nothing is declared any more, so all ${owned} resources would be deleted. Set \`allowEmpty\` if that is meant.`
  return [{ rule: 'allow-empty', verdict: 'deny', message }]
}

function approveMode(_plan: Plan, { mode }: Policy): readonly Reason[] {
  if (mode !== 'approve') return []
  return [
    {
      rule: 'mode',
      verdict: 'ask',
      message: 'The mode is `approve`: every plan needs an approval of its fingerprint.',
    },
  ]
}

function tooManyChanges({ changes }: Plan, { maxChanges = Infinity }: Policy): readonly Reason[] {
  const count = changes.filter(({ hook }) => hook === undefined).length
  if (count <= maxChanges) return []
  return [
    { rule: 'max-changes', verdict: 'ask', message: `${count} changes are more than \`maxChanges\` (${maxChanges}).` },
  ]
}

function tooManyDeletions({ changes }: Plan, { maxDeletions = Infinity }: Policy): readonly Reason[] {
  const count = changes.filter((change) => change.hook === undefined && isDestructive(change)).length
  if (count <= maxDeletions) return []
  const message = `${count} deletions and replacements are more than \`maxDeletions\` (${maxDeletions}).`
  return [{ rule: 'max-deletions', verdict: 'ask', message }]
}

/** A plan that cannot be taken apart is asked about when the policy would take something out of it. */
function wholeOnly(plan: Plan, policy: Policy, { granularity }: JudgeContext): readonly Reason[] {
  if (granularity !== 'whole') return []
  return plan.changes.flatMap((change) => {
    const blocked = whatForbids(change, policy, {})
    if (blocked === undefined) return []
    const message = `${blocked.message} The target applies a plan only as a whole, so ${label(change.ref)} cannot be left out.`
    return [{ rule: blocked.rule, verdict: 'ask' as const, message }]
  })
}

function outsideWindows(_plan: Plan, { windows }: Policy, { now, manual }: JudgeContext): readonly Reason[] {
  const { open, deciding, opensAt } = judgeWindows(windows, now, manual)
  if (open) return []
  const names = deciding.map(({ name, kind, cron }) => `${kind} ${name ?? cron}`).join(', ')
  const next = opensAt === undefined ? 'No opening is in sight.' : `The next opening is at ${isoTime(opensAt)}.`
  const message = `Windows forbid changes now (${names}). ${next}`
  return [{ rule: 'window', verdict: 'wait', message, ...(opensAt !== undefined && { until: opensAt }) }]
}
