import type { Plan } from '../plan/plan.ts'
import { abortError } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { gatherInputs } from './dependencies.ts'
import { restrict } from './decide.ts'
import { type Engine, recordOf } from './engine.ts'
import { makePlan } from './look.ts'
import type { Member } from './member.ts'
import { tellProgress } from './progress.ts'
import type { Session } from './session.ts'

/** The plan that a run would make now. Reads afresh, writes nothing, and tells nobody of anything but its progress. */
export async function preview(engine: Engine, member: Member): Promise<Plan> {
  const session = onlooker(engine, member)
  const { call } = session
  if (call.signal.aborted) throw abortError(call.signal)
  const { hold, inventory } = await recordOf(engine, member)
  const revision = hold?.revision ?? (await member.source.resolve(call))
  const snapshot = await member.source.snapshot(revision, call)
  const desired = await member.target.declare(snapshot, call)
  const actual = await member.target.observe(desired, inventory, call)
  const basis = { snapshotDigest: await snapshot.digest('', call), inputsDigest: '' }
  const plan = await makePlan(session, { revision, basis, desired }, actual)
  return restrict(session, plan, new Set())
}

function onlooker(engine: Engine, member: Member): Session {
  const controller = new AbortController()
  const inputs = gatherInputs(engine, member)
  const missing = (member.application.dependsOn ?? []).filter((name) => engine.members.get(name)?.outputs === undefined)
  if (missing.length > 0) {
    const message = `${member.name} cannot be planned before ${missing.join(', ')} published its outputs. Reconcile that first.`
    throw new GitOpsError('INPUT_MISSING', message)
  }
  const { name: application, lifetime } = member
  const progress = tellProgress(engine, [application])
  return {
    engine,
    member,
    inputs,
    run: { id: 'preview', controller },
    options: {},
    triggers: ['preview'],
    priority: 0,
    startedAt: engine.call.clock.now(),
    call: { ...engine.call, signal: controller.signal, application, lifetime, inputs, progress },
    activity: 'plan',
    told: true,
    timings: [],
  }
}
