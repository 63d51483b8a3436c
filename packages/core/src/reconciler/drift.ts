import type { Outcome } from '../apply/outcome.ts'
import {
  type DriftMemory,
  type DriftTracking,
  driftMemoryFrom,
  oscillatingRefs,
  settleDrift,
  trackDrift,
  withFirstSeen,
} from '../feedback/drift.ts'
import type { Json } from '../runtime/json.ts'
import type { Plan } from '../plan/plan.ts'
import { restrict } from './decide.ts'
import { commit, recordOf, tell } from './engine.ts'
import type { Session } from './session.ts'

/**
 * The plan without what the policy leaves out, after its drift was told: each distinct drift once, with the time it
 * was first seen. What somebody keeps setting back is no longer healed.
 */
export async function restrictAndTell(session: Session, full: Plan): Promise<Plan> {
  const { engine, member } = session
  const memory = await memoryOf(session)
  const at = engine.call.clock.now()
  const limit = member.policy.oscillationLimit
  const plan = await restrict(session, full, oscillatingRefs(memory, full.drift, at, limit))
  const tracking = trackDrift(memory, plan, at, limit)
  await remember(session, memory, tracking)
  return { ...plan, drift: withFirstSeen(plan.drift, tracking.memory) }
}

/** Tells and counts the drift that was undone. */
export async function settleHealed(session: Session, outcomes: readonly Outcome[]): Promise<void> {
  const memory = await memoryOf(session)
  const refs = outcomes.filter(({ status }) => status === 'succeeded').map(({ ref }) => ref)
  const tracking = settleDrift(memory, session.member.name, refs, session.engine.call.clock.now())
  await remember(session, memory, tracking)
}

async function memoryOf({ engine, member }: Session): Promise<DriftMemory> {
  const { state } = await recordOf(engine, member)
  return driftMemoryFrom(state.memory?.['drift'])
}

/** Written down before it is told: a restart tells nothing twice. */
async function remember(
  { engine, member }: Session,
  before: DriftMemory,
  { memory, events }: DriftTracking,
): Promise<void> {
  if (memory !== before) {
    // Plain JSON by construction.
    const drift = JSON.parse(JSON.stringify(memory)) as Json
    await commit(engine, member, ({ state }) => ({ state: { ...state, memory: { ...state.memory, drift } } }))
  }
  for (const event of events) tell(engine, event)
}
