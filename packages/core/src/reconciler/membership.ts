import { GitOpsError } from '../runtime/errors.ts'
import { createRedactor } from '../runtime/redactor.ts'
import type { Application } from './application.ts'
import { type Engine, commit, recordOf, tell } from './engine.ts'
import type { Member } from './member.ts'
import { resolvePolicy } from './policy/policy.ts'
import { redactApplication } from './redaction/redact-application.ts'

/** Takes an application on, with what the ledger remembers of it. */
export async function addMember(engine: Engine, application: Application): Promise<Member> {
  const { name } = application
  if (engine.members.has(name)) {
    throw new GitOpsError(
      'APPLICATION_DUPLICATE',
      `There is an application ${JSON.stringify(name)} already. Give each a name of its own.`,
    )
  }
  const member = newMember(application)
  engine.members.add(member)
  try {
    await remember(engine, member)
  } catch (error) {
    // The application is ours all the same; its first run reads the ledger again, and fails loudly if it cannot.
    tell(engine, { type: 'added', application: name, remembered: {} })
    engine.call.log.warn(`The ledger of ${name} cannot be read yet. It is read again before anything is done.`, error)
  }
  return member
}

/** Tells what the ledger knows of an application, once it could be read. */
export async function remember(engine: Engine, member: Member): Promise<void> {
  if (member.remembered) return
  const { state, suspension, hold, journal } = await recordOf(engine, member)
  member.remembered = true
  tell(engine, {
    type: 'added',
    application: member.name,
    remembered: {
      interrupted: journal !== undefined,
      ...(state.applied && { applied: state.applied }),
      ...(state.appliedDigest !== undefined && { appliedDigest: state.appliedDigest }),
      ...(suspension && { suspension }),
      ...(hold && { hold }),
    },
  })
}

function newMember(application: Application): Member {
  const { name, policy, dependsOn = [] } = application
  const redactor = createRedactor()
  // Whoever receives outputs may receive secrets, and another system may quote them in its answers.
  const { source, target } = dependsOn.length === 0 ? application : redactApplication(application, redactor)
  return {
    name,
    lifetime: {},
    application,
    source,
    target,
    policy: resolvePolicy(policy),
    redactor,
    remembered: false,
    hinted: false,
    driftDueMs: 0,
    failures: 0,
    asked: [],
    wakeUps: new Set(),
  }
}

/** Lets an application go: what runs is ended, and everything it owns is removed first where that is asked for. */
export async function removeMember(engine: Engine, member: Member, cascade: boolean): Promise<void> {
  const dependents = engine.members.dependentsOf(member.name)
  if (dependents.length > 0) {
    const names = dependents.map(({ name }) => name).join(', ')
    throw new GitOpsError(
      'CONFIG_INVALID',
      `${member.name} cannot be removed: ${names} depends on it. Remove that first.`,
    )
  }
  member.stopWatch?.()
  const reason = new GitOpsError('CANCELLED', `${member.name} is being removed.`, { details: { ended: 'cancelled' } })
  member.run?.controller.abort(reason)
  if (cascade) await destroyFirst(engine, member)
  engine.queue.forget(member.name)
  engine.members.remove(member)
  for (const { fail } of member.asked.splice(0)) fail(reason)
  tell(engine, { type: 'removed', application: member.name, destroyed: cascade })
}

async function destroyFirst(engine: Engine, member: Member): Promise<void> {
  member.leaving = 'destroy'
  const result = await new Promise<Parameters<Member['asked'][number]['settle']>[0]>((settle, fail) => {
    member.asked.push({ options: {}, isReady: true, settle, fail })
    engine.queue.add(member.name, { trigger: 'remove', priority: 10 })
  })
  member.leaving = undefined
  if (result.outcome !== 'applied' && result.outcome !== 'unchanged') {
    throw (
      result.error ??
      new GitOpsError(
        'PLAN_BLOCKED',
        `${member.name} could not be removed: ${result.reasons?.[0]?.message ?? result.outcome}`,
      )
    )
  }
  await commit(engine, member, {
    forget: true,
    audit: [
      { at: engine.call.clock.now(), actor: 'gitops-sdk', action: 'removed', application: member.name, details: {} },
    ],
  })
}
