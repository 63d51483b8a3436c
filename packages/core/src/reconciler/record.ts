import type { Inventory, Owned } from '../actual/inventory.ts'
import type { Outcome } from '../apply/outcome.ts'
import type { DesiredState, Resource } from '../desired/desired.ts'
import { resourcesByKey } from '../desired/by-key.ts'
import { refKey } from '../desired/ref.ts'
import type { LedgerRecord, RunRecord, StoredState } from '../ledger/ledger.ts'
import type { Action, Change, Plan } from '../plan/plan.ts'
import type { Json } from '../runtime/json.ts'
import type { Revision } from '../source/source.ts'
import { commit, recordOf } from './engine.ts'
import type { Session, Wanted } from './session.ts'

/**
 * Written before the first change: everything the plan may create is owned from here on, what it may delete of what was
 * confirmed is marked, and the journal holds the plan. A crash at any later point leaves no orphan.
 */
export async function recordIntent(session: Session, wanted: Wanted, plan: Plan): Promise<void> {
  const { engine, member, run, startedAt } = session
  const { revision, desired } = wanted
  const { inventory } = await recordOf(engine, member)
  const declared = resourcesByKey(desired.resources)
  const put = plan.changes.flatMap((change) =>
    intended(change, inventory.get(refKey(change.ref)), declared, revision.id),
  )
  const journal = { runId: run.id, startedAt, revision, plan, step: 0 }
  await commit(engine, member, ({ state }) => ({
    inventory: { put },
    journal,
    state: begun(plan.changes.some(isOwedHook) ? withMemory(state, { hooks: desired.digest }) : state, wanted, plan),
  }))
}

/** From here on an earlier revision would be a way back. Healing what is in force already is not one. */
function begun(state: StoredState, { revision, desired: { digest } }: Wanted, { mode }: Plan): StoredState {
  const isInForce = state.begun === undefined && state.applied?.id === revision.id && state.appliedDigest === digest
  return mode !== 'converge' || isInForce ? state : { ...state, begun: { revision, digest } }
}

/** A hook for a failure runs in one only; all others have to run before the revision is in force. */
function isOwedHook({ hook, step }: Change): boolean {
  return hook !== undefined && step.phase !== 'SyncFail'
}

/** Whether a run at the same declarations began and did not get through its hooks: it failed, or its process died. */
export function owesHooks({ state }: LedgerRecord, { digest }: DesiredState): boolean {
  return state.memory?.['hooks'] === digest
}

function withMemory(state: StoredState, more: Readonly<Record<string, Json>>): StoredState {
  return { ...state, memory: { ...state.memory, ...more } }
}

function intended(
  { ref, action }: Change,
  owned: Owned | undefined,
  declared: ReadonlyMap<string, Resource>,
  revision: string,
): Owned[] {
  if (action === 'forget') return []
  if (action === 'delete') {
    // What was never confirmed stays so: by the time of another look, somebody else's may be there in its place.
    return owned === undefined || owned.state === 'intended' ? [] : [{ ...owned, state: 'deleting' }]
  }
  if (owned?.state === 'applied' && action === 'update') return []
  const wanted = declared.get(refKey(ref))
  const known = wanted && declaredParts(wanted)
  // Without an identity: what is made gets a new one, and an adoption that never happened must not delete
  // somebody's resource later.
  return [{ ref, state: 'intended', revision, ...known }]
}

/** What the inventory keeps of a declaration. */
function declaredParts({ digest, origin, options }: Resource): Pick<Owned, 'digest' | 'origin' | 'prune'> {
  const prune = options?.prune
  return { digest, ...(origin && { origin }), ...((prune === false || prune === 'confirm') && { prune }) }
}

/** Written after each step: what succeeded is owned under its identity, what is gone is forgotten. */
export async function recordStep(
  session: Session,
  { revision, desired }: Wanted,
  plan: Plan,
  outcomes: readonly Outcome[],
  nextStep: number,
): Promise<void> {
  const { engine, member, run, startedAt } = session
  const { inventory } = await recordOf(engine, member)
  const declared = resourcesByKey(desired.resources)
  const at = engine.call.clock.now()
  const succeeded = outcomes.filter(({ status }) => status === 'succeeded')
  const gone = succeeded.filter(({ action }) => action === 'delete' || action === 'forget')
  const made = succeeded.filter(({ action }) => action !== 'delete' && action !== 'forget')
  const put = made.map((outcome) =>
    applied(outcome, inventory.get(refKey(outcome.ref)), declared.get(refKey(outcome.ref)), revision.id, at),
  )
  await commit(engine, member, {
    inventory: { put, remove: gone.map(({ ref }) => refKey(ref)) },
    journal: { runId: run.id, startedAt, revision, plan, step: nextStep },
  })
}

function applied(
  { ref, uid, note }: Outcome,
  owned: Owned | undefined,
  declared: Resource | undefined,
  revision: string,
  at: number,
): Owned {
  const identity = uid ?? owned?.uid
  const kept = note ?? owned?.note
  return {
    ref,
    state: 'applied',
    revision,
    appliedAt: at,
    ...(identity !== undefined && { uid: identity }),
    ...(kept !== undefined && { note: kept }),
    ...(declared && declaredParts(declared)),
  }
}

/** Written when every change was made: this revision is the one that is in force. */
export async function recordApplied(session: Session, { revision, desired }: Wanted): Promise<void> {
  const { engine, member } = session
  await commit(engine, member, ({ state, inventory }) => ({
    journal: null,
    approvals: [],
    inventory: { put: reworded(inventory, desired) },
    state: { ...withoutWhatIsOwed(state), applied: revision, appliedDigest: desired.digest, failures: 0 },
  }))
}

function withoutWhatIsOwed(owed: StoredState): StoredState {
  const { begun: _, ...state } = owed
  const { hooks, ...memory } = state.memory ?? {}
  return hooks === undefined ? state : { ...state, memory }
}

/** A revision, and what it declared. */
export interface LastInForce {
  readonly revision: Revision
  readonly digest: string
}

/** What was in force last, also where it was only begun. Nothing, where what takes its place has not been declared yet. */
export function lastInForce({ begun, applied, appliedDigest }: StoredState): LastInForce | undefined {
  const { revision, digest } = begun ?? { revision: applied, digest: appliedDigest }
  return revision === undefined || digest === undefined ? undefined : { revision, digest }
}

/** What is owned and now declared with another word on pruning, without another body. */
function reworded(inventory: Inventory, { resources }: DesiredState): Owned[] {
  const other: Owned[] = []
  for (const [key, each] of resourcesByKey(resources)) {
    const owned = inventory.get(key)
    const { prune } = declaredParts(each)
    if (owned === undefined || owned.prune === prune) continue
    const { prune: _, ...rest } = owned
    other.push({ ...rest, ...(prune !== undefined && { prune }) })
  }
  return other
}

/** Whether the record already says that `wanted` is in force. */
export function isRecorded({ state, journal }: LedgerRecord, { revision, desired }: Wanted): boolean {
  const isWhole = state.begun === undefined && journal === undefined
  return isWhole && state.applied?.id === revision.id && state.appliedDigest === desired.digest
}

/** The line of a run in the history. Values of fields are not part of it. */
export function runRecord(
  session: Session,
  outcome: RunRecord['outcome'],
  more: Partial<Pick<RunRecord, 'revision' | 'fingerprint' | 'approvedBy' | 'error'>> & {
    outcomes?: readonly Outcome[]
  },
): RunRecord {
  const { member, run, startedAt, triggers, engine } = session
  const { outcomes = [], ...rest } = more
  return {
    runId: run.id,
    application: member.name,
    startedAt,
    endedAt: engine.call.clock.now(),
    trigger: triggers.join(', '),
    outcome,
    counts: countActions(outcomes),
    changed: outcomes.map(({ ref, action, status }) => ({ ref, action, status })),
    ...rest,
  }
}

/** How many changes of each action succeeded. */
export function countActions(outcomes: readonly Outcome[]): Partial<Record<Action, number>> {
  const counts: Partial<Record<Action, number>> = {}
  for (const { action, status } of outcomes) {
    if (status === 'succeeded') counts[action] = (counts[action] ?? 0) + 1
  }
  return counts
}
