import type { Hold } from '../ledger/ledger.ts'
import { type Call, sleep, withDeadline } from '../runtime/call.ts'
import { GitOpsError, toGitOpsError } from '../runtime/errors.ts'
import type { Timer } from '../runtime/clock.ts'
import type { Revision, Source } from '../source/source.ts'
import { type Engine, commit, ownCall, recordOf, tell } from './engine.ts'
import type { Member } from './member.ts'
import { pollDelayMs } from './policy/timing.ts'
import type { Polling } from './polling-contract.ts'
import { tellProgress } from './progress.ts'
import { lastInForce } from './record.ts'
import { commitOwedRevert } from './rollback.ts'

interface Followed {
  readonly members: Set<Member>
  readonly controller: AbortController
  timer?: Timer | undefined
  asking?: Promise<Revision> | undefined
}

/** How long a broken push channel rests before it is opened again. */
const REST_MS = 5_000

export function createPolling(engine: Engine, call: () => Call): Polling {
  const sources = new Map<Source, Followed>()

  const poll = (source: Source): Promise<Revision> => {
    const followed = sources.get(source)
    if (followed?.asking !== undefined) return followed.asking
    const asking = ask(engine, source, call(), engine.members.readersOf(source)).finally(() => {
      if (followed !== undefined) followed.asking = undefined
    })
    if (followed !== undefined) followed.asking = asking
    return asking
  }

  const schedule = (source: Source, followed: Followed): void => {
    followed.timer?.cancel()
    const delays = [...followed.members].map(({ policy }) => pollDelayMs(policy, engine.call.random) ?? Infinity)
    const delayMs = Math.min(...delays)
    if (!Number.isFinite(delayMs)) return
    followed.timer = engine.call.clock.setTimer(delayMs, () => {
      // A failure was told to every application of the source already.
      poll(source)
        .catch(() => {})
        .finally(() => {
          if (sources.get(source) === followed) schedule(source, followed)
        })
    })
  }

  const listen = (source: Source, { controller }: Followed): Promise<void> =>
    listenTo(source, { ...call(), signal: controller.signal }, () => poll(source))

  const end = (source: Source, followed: Followed): void => {
    followed.timer?.cancel()
    followed.controller.abort()
    sources.delete(source)
  }

  return {
    poll,
    follow: (member) => {
      const known = sources.get(member.source)
      const followed = known ?? { members: new Set(), controller: new AbortController() }
      followed.members.add(member)
      sources.set(member.source, followed)
      schedule(member.source, followed)
      if (known === undefined && member.source.watch !== undefined) void listen(member.source, followed)
    },
    unfollow: (member) => {
      const followed = sources.get(member.source)
      if (followed === undefined) return
      followed.members.delete(member)
      if (followed.members.size === 0) end(member.source, followed)
    },
    stop: () => {
      for (const [source, followed] of sources) end(source, followed)
    },
  }
}

/** Calls `push` whenever the source says that something changed, until `call` is aborted. */
export async function listenTo(source: Source, call: Call, push: () => Promise<unknown>): Promise<void> {
  while (!call.signal.aborted) {
    try {
      for await (const _ of source.watch?.(call) ?? []) await push().catch(() => {})
    } catch (error) {
      if (!call.signal.aborted) call.log.warn(`The push channel of ${source.id} broke and is opened again.`, error)
    }
    await sleep(REST_MS, call).catch(() => {})
  }
}

/** The newest revision of a source, asked for on behalf of `members`. */
export function resolveNewest(
  engine: Engine,
  source: Source,
  call: Call,
  members: readonly Member[],
): Promise<Revision> {
  const names = members.map(({ name }) => name)
  const progress = tellProgress(engine, names)
  return withDeadline({ ...call, progress }, engine.sourceTimeoutMs, `Asking ${source.id}`, (timed) =>
    source.resolve(timed),
  )
}

async function ask(engine: Engine, source: Source, call: Call, members: readonly Member[]): Promise<Revision> {
  try {
    const revision = await resolveNewest(engine, source, call, members)
    for (const member of members) engine.queue.add(member.name, { trigger: await learn(engine, member, revision) })
    return revision
  } catch (thrown) {
    const error = toGitOpsError(thrown, `Asking ${source.id} for its newest revision`)
    for (const member of members) if (tellUnreachable(engine, member, error)) await goOnWithout(engine, member, error)
    throw error
  }
}

/** A process that has just begun knows no revision. What is pinned or was in force before can be healed all the same. */
async function goOnWithout(engine: Engine, member: Member, error: GitOpsError): Promise<void> {
  if (member.revision !== undefined) return
  try {
    const { hold, state } = await recordOf(engine, member)
    if (hold === undefined && lastInForce(state) === undefined) return
    member.unanswered = error
    engine.queue.add(member.name, { trigger: 'poll' })
  } catch (failure) {
    engine.call.log.warn(`The ledger of ${member.name} cannot be read yet. Nothing is healed before it can.`, failure)
  }
}

/** The last good revision stays in force; that the source cannot be read is told, not acted on. Returns whether it was news. */
export function tellUnreachable(engine: Engine, member: Member, error: GitOpsError): boolean {
  const before = engine.feedback.state(member.name)?.sourceError
  if (before?.code === error.code && before.message === error.message) return false
  tellRewrite(engine, member, error)
  tell(engine, { type: 'failed', application: member.name, error: error.toJSON(), during: 'resolve' })
  return true
}

/** A source that holds names both revisions; one without the newer (a deleted branch) is only a failure. */
function tellRewrite(engine: Engine, { name }: Member, { code, details }: GitOpsError): void {
  const { from, to } = details
  if (code !== 'REVISION_REWRITTEN' || typeof from !== 'string' || typeof to !== 'string') return
  const previous = { id: from }
  tell(engine, { type: 'revisionRewritten', application: name, revision: { id: to }, previous, followed: false })
}

/** A new revision ends what an older one still waits for. Resolves to why the application is to be looked at. */
export async function learn(engine: Engine, member: Member, revision: Revision): Promise<'poll' | 'revision'> {
  const previous = member.revision
  member.revision = revision
  member.headUnseen = false
  if (previous?.id !== revision.id) {
    tell(engine, { type: 'resolved', application: member.name, revision, ...(previous && { previous }) })
    tellFollowed(engine, member, revision)
    await releaseHold(engine, member, revision)
    await supersede(engine, member, revision)
  } else await learnAgain(engine, member, revision)
  void commitOwedRevert(engine, member, revision).catch((error: unknown) => {
    engine.call.log.warn(`${member.name}: the commit of its rollback could not be made yet.`, error)
  })
  for (const each of member.asked) each.isReady = true
  return previous?.id === revision.id ? 'poll' : 'revision'
}

/** The source answers, with what was known. A hold may have been written down while that was learned. */
async function learnAgain(engine: Engine, member: Member, revision: Revision): Promise<void> {
  if (engine.feedback.state(member.name)?.sourceError !== undefined)
    tell(engine, { type: 'resolved', application: member.name, revision, previous: revision })
  if (member.record?.hold !== undefined) await releaseHold(engine, member, revision)
}

function tellFollowed(engine: Engine, { name }: Member, revision: Revision): void {
  if (revision.replaces === undefined) return
  const previous = { id: revision.replaces }
  tell(engine, { type: 'revisionRewritten', application: name, revision, previous, followed: true })
}

/** The hold of a rollback is about certain revisions; it ends by itself on any other. */
async function releaseHold(engine: Engine, member: Member, revision: Revision): Promise<void> {
  const { hold } = await recordOf(engine, member)
  if (hold === undefined || (hold.rejected.length === 0 && hold.headUnseen !== true)) return
  if (await rejectUnseen(engine, member, hold, revision)) return
  if (hold.rejected.includes(revision.id) || hold.revision.id === revision.id) return
  // What was rolled back from is not to come back after a restart either, when the source says nothing.
  await commit(engine, member, ({ state }) => ({ hold: null, state: { ...state, begun: { revision } } }))
  tell(engine, {
    type: 'released',
    application: member.name,
    by: 'gitops-sdk',
    reason: `The source moved on to ${revision.id}.`,
  })
}

/** What was at the head already when somebody rolled back without being able to see it is what they meant to leave. */
async function rejectUnseen(engine: Engine, member: Member, hold: Hold, { id, at }: Revision): Promise<boolean> {
  if (hold.headUnseen !== true) return false
  const { headUnseen: _, ...seen } = hold
  // A source that counts in seconds dates our own commit before the rollback that made it.
  const isOurs = member.reverted?.commit === id && member.reverted.to === hold.revision.id
  const isOlder = (at === undefined || at < hold.at) && id !== hold.revision.id && !isOurs
  await commit(engine, member, { hold: isOlder ? { ...seen, rejected: [...seen.rejected, id] } : seen })
  return isOlder
}

/** Only a commit that changes what the application reads is worth ending a run for. */
async function supersede(engine: Engine, member: Member, revision: Revision): Promise<void> {
  const { run, source, target, record } = member
  if (run?.revision === undefined || run.revision.id === revision.id || record?.hold !== undefined) return
  const digest = await digestOf(engine, source, revision)
  if (member.run !== run || digest === undefined || digest === run.basis?.snapshotDigest) return
  // A plan that is applied as a whole is not broken off half-way; its waits are.
  const isApplying = engine.feedback.state(member.name)?.phase === 'applying'
  if (target.supports.granularity === 'whole' && isApplying) return
  tell(engine, { type: 'superseded', application: member.name, revision: run.revision, by: revision, runId: run.id })
  const message = `Revision ${revision.id} took the place of ${run.revision.id}.`
  run.controller.abort(new GitOpsError('CANCELLED', message, { details: { ended: 'superseded' } }))
}

/** Absent when it cannot be read now: the run that follows reads it again, and says so. */
async function digestOf(engine: Engine, source: Source, revision: Revision): Promise<string | undefined> {
  try {
    return await withDeadline(ownCall(engine), engine.sourceTimeoutMs, `Reading ${source.id}`, async (timed) => {
      const snapshot = await source.snapshot(revision, timed)
      return snapshot.digest('', timed)
    })
  } catch (error) {
    engine.call.log.debug(`${source.id}: revision ${revision.id} cannot be read yet.`, error)
    return undefined
  }
}
