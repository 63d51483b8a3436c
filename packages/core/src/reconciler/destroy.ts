import type { Outcome } from '../apply/outcome.ts'
import { toGitOpsError } from '../runtime/errors.ts'
import { randomId } from '../runtime/random.ts'
import type { Revision } from '../source/source.ts'
import { applyPlan } from './apply-plan.ts'
import { obstacles } from './decide.ts'
import { gatherInputs } from './dependencies.ts'
import { type Engine, commit, recordOf, tell } from './engine.ts'
import { basisOf, declare, makePlan, observe } from './look.ts'
import type { Member } from './member.ts'
import type { QueuedWork } from './queue.ts'
import { runRecord } from './record.ts'
import { recover } from './recovery.ts'
import type { RunResult } from './run-result.ts'
import { type Session, type Wanted, tellStarted } from './session.ts'

/** Removes everything an application owns, with its hooks around it. Does not reject: a failure is a result. */
export async function destroyOnce(engine: Engine, member: Member, work: QueuedWork): Promise<RunResult> {
  const session = begin(engine, member, work)
  const settled: Outcome[] = []
  const answer = { application: member.name, runId: session.run.id }
  try {
    tellStarted(session)
    await recover(session)
    const wanted = await lastDeclared(session)
    const actual = await observe(session, wanted.desired)
    const plan = await makePlan(session, wanted, actual, 'destroy')
    tell(engine, { type: 'planned', application: member.name, plan })
    const reasons = obstacles(plan)
    if (reasons.length > 0) return { ...answer, outcome: 'blocked', plan, reasons }
    if (plan.changes.length === 0) return { ...answer, outcome: 'unchanged', plan }
    await applyPlan(session, wanted, plan, settled)
    await commit(engine, member, {
      run: runRecord(session, 'destroyed', { revision: wanted.revision, outcomes: settled }),
    })
    return { ...answer, outcome: 'applied', plan }
  } catch (thrown) {
    const error = toGitOpsError(thrown, `Removing ${member.name}`)
    tell(engine, {
      type: 'failed',
      application: member.name,
      error: error.toJSON(),
      during: session.activity,
      runId: session.run.id,
    })
    return { ...answer, outcome: 'failed', error }
  } finally {
    member.run = undefined
  }
}

function begin(engine: Engine, member: Member, work: QueuedWork): Session {
  const run = { id: randomId(engine.call.random), controller: new AbortController() }
  member.run = run
  const inputs = gatherInputs(engine, member)
  const { signal } = run.controller
  const call = { ...engine.call, signal, application: member.name, inputs }
  const startedAt = engine.call.clock.now()
  return { engine, member, run, inputs, call, startedAt, options: {}, activity: 'plan', told: false, ...work }
}

/** What was applied last tells how to take it away, also when the source is gone or declares something else by now. */
async function lastDeclared(session: Session): Promise<Wanted> {
  const { engine, member, call } = session
  const { state } = await recordOf(engine, member)
  const revision: Revision | undefined = state.applied ?? member.revision
  const nothing = { revision: revision ?? { id: 'none' }, digest: '', resources: [] }
  const basis = { snapshotDigest: '', inputsDigest: '' }
  if (revision === undefined) return { revision: nothing.revision, basis, desired: nothing }
  try {
    return await declare(session, revision, await basisOf(session, revision))
  } catch (error) {
    call.log.warn(
      `${member.name}: revision ${revision.id} can no longer be read; what is owned is removed without its hooks.`,
      error,
    )
    return { revision, basis, desired: nothing }
  }
}
