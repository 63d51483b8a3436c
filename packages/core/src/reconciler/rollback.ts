import type { Hold, LedgerChange } from '../ledger/ledger.ts'
import type { Call } from '../runtime/call.ts'
import { GitOpsError, toGitOpsError } from '../runtime/errors.ts'
import type { Revision, Snapshot, SourceEdit } from '../source/source.ts'
import { walk } from '../source/walk.ts'
import { type Engine, commit, ownCall, recordOf, tell } from './engine.ts'
import type { Member } from './member.ts'

/** What a rollback needs to know. */
export interface RollbackRequest {
  /** The id of a revision in the history, or a revision that the source can read. */
  readonly to: string | Revision
  readonly by: string
  readonly reason: string
}

/** What a rollback did. */
export interface RollbackResult {
  readonly to: Revision
  /** The commit that brings the earlier declarations back. Absent when the source could not be written yet. */
  readonly commit?: Revision
  /** Why there is no commit yet. */
  readonly pending?: GitOpsError
}

/**
 * Brings an earlier revision back: pins the application to it at once, so that nothing applies the bad
 * revision again, and commits its declarations to the source. Where the source cannot be written now, the pin
 * stays and the commit is left for later.
 */
export async function rollBack(engine: Engine, member: Member, request: RollbackRequest): Promise<RollbackResult> {
  const record = await recordOf(engine, member)
  const to = await findRevision(engine, member, request.to)
  const from = record.state.applied
  const at = engine.call.clock.now()
  const { by, reason } = request
  const headUnseen = member.revision === undefined || member.headUnseen === true ? { headUnseen: true } : {}
  const hold: Hold = { revision: to, by, at, reason, rejected: rejectedBy(member, from, to), ...headUnseen }
  const details = { to: to.id, reason, ...(from && { from: from.id }) }
  const audit = [{ at, actor: by, action: 'rolled-back', application: member.name, details }]
  await pin(engine, member, hold, { audit })
  tell(engine, { type: 'held', application: member.name, hold })
  endRun(member, to)
  engine.queue.add(member.name, { trigger: 'rollback', priority: 10 })
  const written = await commitRevert(engine, member, to, request)
  const commitMade = 'commit' in written ? { commit: written.commit } : {}
  tell(engine, { type: 'rolledBack', application: member.name, to, by, reason, ...(from && { from }), ...commitMade })
  return { to, ...written }
}

/** The answer may be lost although the pin was written: then it is in force, and nothing may go on as if it were not. */
async function pin(engine: Engine, member: Member, hold: Hold, change: Pick<LedgerChange, 'audit'>): Promise<void> {
  try {
    await commit(engine, member, { hold, ...change })
  } catch (error) {
    const found = await recordOf(engine, member).then(
      (record) => record.hold,
      () => undefined,
    )
    const isOurs = found?.revision.id === hold.revision.id && found.at === hold.at && found.by === hold.by
    if (!isOurs) throw error
  }
}

function rejectedBy({ revision, reverted }: Member, from: Revision | undefined, to: Revision): readonly string[] {
  // The commit of an earlier rollback may be at the head without the source having said so yet.
  const ours = reverted?.to === to.id ? undefined : reverted?.commit
  const ids = [revision?.id, from?.id, ours].filter((id) => id !== undefined && id !== to.id)
  return [...new Set(ids)] as string[]
}

/**
 * Makes the commit of a rollback that could not be made at the time: the source was down, or the process died. It is
 * owed as long as the head of the source is a revision that the hold rejects.
 */
export async function commitOwedRevert(engine: Engine, member: Member, head: Revision): Promise<void> {
  const { hold } = await recordOf(engine, member)
  if (hold?.rejected.includes(head.id) !== true || member.source.writer === undefined) return
  const { revision: to, by, reason } = hold
  const written = await commitRevert(engine, member, to, { to, by, reason })
  if (!('commit' in written)) return
  const { commit: made } = written
  tell(engine, { type: 'rolledBack', application: member.name, from: head, to, by, reason, commit: made })
}

/** What is still being applied or waited for is what is rolled back from. */
function endRun({ run }: Member, to: Revision): void {
  if (run?.revision === undefined || run.revision.id === to.id) return
  const message = `A rollback to ${to.id} took the place of ${run.revision.id}.`
  run.controller.abort(new GitOpsError('CANCELLED', message, { details: { ended: 'superseded' } }))
}

export async function findRevision(engine: Engine, member: Member, to: string | Revision): Promise<Revision> {
  if (typeof to !== 'string') return to
  const known = new Map<string, Revision>()
  for await (const { revision } of engine.ledger.history({ application: member.name }, ownCall(engine))) {
    if (revision !== undefined) known.set(revision.id, revision)
  }
  const matches = [...known.values()].filter(({ id }) => id.startsWith(to))
  const [found] = matches
  if (found !== undefined && matches.length === 1) return found
  const ids = [...known.keys()].slice(0, 10).join(', ')
  if (found !== undefined) {
    throw new GitOpsError(
      'REVISION_AMBIGUOUS',
      `${to} matches several revisions of ${member.name}: ${ids}. Write more of it.`,
    )
  }
  const there = ids === '' ? 'It has no history yet.' : `The history has: ${ids}.`
  throw new GitOpsError('REVISION_NOT_FOUND', `${member.name} was never at revision ${to}. ${there}`)
}

type Written = { readonly commit: Revision } | { readonly pending: GitOpsError }

/** One commit for everybody who wants it at the same time. */
function commitRevert(engine: Engine, member: Member, to: Revision, request: RollbackRequest): Promise<Written> {
  const { reverting } = member
  if (reverting?.to.id === to.id) return reverting.written
  const written = writeRevert(engine, member, to, request).finally(() => {
    if (member.reverting?.written === written) member.reverting = undefined
  })
  member.reverting = { to, written }
  return written
}

async function writeRevert(
  engine: Engine,
  member: Member,
  to: Revision,
  { by, reason }: RollbackRequest,
): Promise<Written> {
  const { source, name } = member
  const { writer } = source
  if (writer === undefined) {
    const message = `${source.id} cannot be written, so the rollback of ${name} is a hold only. Revert the commit there as well.`
    return { pending: new GitOpsError('UNSUPPORTED', message) }
  }
  const message = `Roll ${name} back to ${to.id}\n\n${reason}\n\nAsked for by ${by}.`
  try {
    const call = ownCall(engine)
    const wanted = await source.snapshot(to, call)
    member.headUnseen = true
    const made = await writer.commit(async (head) => {
      await refuseToUndoOthers(engine, member, to, head.revision)
      return revertEdit(head, wanted, message, call)
    }, call)
    member.reverted = { to: to.id, commit: made.id }
    return { commit: made }
  } catch (thrown) {
    const pending = toGitOpsError(thrown, `Committing the rollback of ${name}`)
    engine.call.log.warn(`${name}: the rollback is in force, but its commit could not be made: ${pending.message}`)
    return { pending }
  }
}

/** Only what the rollback rejects is undone: what others committed since is theirs, and is followed. */
async function refuseToUndoOthers(engine: Engine, member: Member, to: Revision, { id }: Revision): Promise<void> {
  const { hold } = await recordOf(engine, member)
  if (hold?.revision.id === to.id && (hold.rejected.includes(id) || id === to.id)) return
  const message = `${member.source.id} is at ${id} by now, which the rollback of ${member.name} is not about. It is looked at by the next poll.`
  throw new GitOpsError('WRITE_CONFLICT', message)
}

/** The edit that makes the files of `head` equal to those of `wanted`. */
async function revertEdit(head: Snapshot, wanted: Snapshot, message: string, call: Call): Promise<SourceEdit> {
  const before = await digestsOf(head, call)
  const after = await digestsOf(wanted, call)
  const files = new Map<string, Uint8Array | null>()
  for (const path of before.keys()) if (!after.has(path)) files.set(path, null)
  for (const [path, digest] of after) {
    if (before.get(path) !== digest) files.set(path, await wanted.read(path, call))
  }
  return { message, files }
}

async function digestsOf(snapshot: Snapshot, call: Call): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>()
  for await (const { path, digest } of walk(snapshot, '', call)) digests.set(path, digest)
  return digests
}
