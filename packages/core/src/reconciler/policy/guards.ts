import type { Reason } from '../../feedback/events.ts'
import type { Plan } from '../../plan/plan.ts'
import { type Call, withDeadline } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { Guard, GuardAnswer, GuardContext, Policy } from './policy.ts'

/** Asks every guard, one after the other. One that throws, rejects, answers nonsense or is too slow denies. */
export async function askGuards(
  plan: Plan,
  policy: Pick<Policy, 'guards' | 'guardTimeoutMs'>,
  context: Omit<GuardContext, 'signal'>,
  call: Call,
): Promise<readonly Reason[]> {
  const reasons: Reason[] = []
  for (const guard of policy.guards) {
    const reason = await askGuard(guard, plan, policy.guardTimeoutMs, context, call)
    if (reason !== undefined) reasons.push(reason)
  }
  return reasons
}

async function askGuard(
  guard: Guard,
  plan: Plan,
  timeoutMs: number,
  context: Omit<GuardContext, 'signal'>,
  call: Call,
): Promise<Reason | undefined> {
  const name = guard.name === '' ? 'without a name' : guard.name
  try {
    const answer = await withDeadline(call, timeoutMs, `The guard ${name}`, async ({ signal }) =>
      guard(plan, { ...context, signal }),
    )
    return reasonOf(name, answer)
  } catch (error) {
    if (call.signal.aborted) throw error
    call.log.warn(`The guard ${name} failed, so it denies.`, error)
    const late = error instanceof GitOpsError && error.code === 'DEADLINE_EXCEEDED'
    const message = late
      ? `The guard ${name} did not answer within ${timeoutMs} ms, so it denies.`
      : `The guard ${name} failed, so it denies. See the log for its error.`
    return { rule: 'guard', verdict: 'deny', message }
  }
}

function reasonOf(name: string, answer: GuardAnswer): Reason | undefined {
  if (answer === 'allow') return undefined
  if ('deny' in answer) return { rule: 'guard', verdict: 'deny', message: `The guard ${name} denies: ${answer.deny}` }
  if ('ask' in answer)
    return { rule: 'guard', verdict: 'ask', message: `The guard ${name} asks for an approval: ${answer.ask}` }
  throw new GitOpsError('CONFIG_INVALID', `The guard ${name} answered neither 'allow' nor ask nor deny.`)
}
