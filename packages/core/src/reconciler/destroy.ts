import type { Outcome } from '../apply/outcome.ts'
import { toGitOpsError } from '../runtime/errors.ts'
import { randomId } from '../runtime/random.ts'
import type { Revision } from '../source/source.ts'
import { applyPlan } from './apply-plan.ts'
import { obstacles } from './decide.ts'
import { gatherInputs } from './dependencies.ts'
import { type Engine, commitLast, recordOf, tell } from './engine.ts'
import { basisOf, declare, makePlan, observe } from './look.ts'
import type { Member } from './member.ts'
import { tellProgress } from './progress.ts'
import type { QueuedWork } from './queue.ts'
import { runRecord } from './record.ts'
import { recover } from './recovery.ts'
import type { RunResult } from './run-result.ts'
import { type Session, type Wanted, fenceOf, tellFinished, tellStarted, timed } from './session.ts'

/** Removes everything an application owns, with its hooks around it. Does not reject: a failure is a result. */
export async function destroyOnce(engine: Engine, member: Member, work: QueuedWork): Promise<RunResult> {
  const session = begin(engine, member, work)
  const settled: Outcome[] = []
  const answer = { application: member.name, runId: session.run.id }
  try {
    tellStarted(session)
    const ending = await removeEverything(session, settled)
    tellFinished(session, ending.outcome)
    return { ...answer, ...ending }
  } catch (thrown) {
    const error = toGitOpsError(thrown, `Removing ${member.name}`)
    tell(engine, {
      type: 'failed',
      application: member.name,
      error: error.toJSON(),
      during: session.activity,
      runId: session.run.id,
    })
    tellFinished(session, 'failed')
    return { ...answer, outcome: 'failed', error }
  } finally {
    member.run = undefined
  }
}

async function removeEverything(
  session: Session,
  settled: Outcome[],
): Promise<Omit<RunResult, 'application' | 'runId'>> {
  const { engine, member } = session
  await recover(session)
  const wanted = await timed(session, 'declare', () => lastDeclared(session))
  const actual = await timed(session, 'observe', () => observe(session, wanted.desired))
  const plan = await timed(session, 'plan', () => makePlan(session, wanted, actual, 'destroy'))
  tell(engine, { type: 'planned', application: member.name, plan })
  const reasons = obstacles(plan)
  if (reasons.length > 0) return { outcome: 'blocked', plan, reasons }
  if (plan.changes.length === 0) return { outcome: 'unchanged', plan }
  await timed(session, 'apply', () => applyPlan(session, wanted, plan, settled))
  await commitLast(engine, member, {
    run: runRecord(session, 'destroyed', { revision: wanted.revision, outcomes: settled }),
  })
  return { outcome: 'applied', plan }
}

function begin(engine: Engine, member: Member, work: QueuedWork): Session {
  const run = { id: randomId(engine.call.random), controller: new AbortController() }
  member.run = run
  const inputs = gatherInputs(engine, member)
  const { signal } = run.controller
  const progress = tellProgress(engine, [member.name])
  const call = { ...engine.call, signal, application: member.name, inputs, progress, ...fenceOf(engine, member) }
  const startedAt = engine.call.clock.now()
  return {
    engine,
    member,
    run,
    inputs,
    call,
    startedAt,
    options: {},
    activity: 'plan',
    told: false,
    timings: [],
    ...work,
  }
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
