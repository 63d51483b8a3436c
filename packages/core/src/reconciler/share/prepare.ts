import type { Claim, QueueItem } from '../../queue/queue.ts'
import type { Json } from '../../runtime/json.ts'
import { withDeadline } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { gatherInputs } from '../dependencies.ts'
import { type Engine, ownCall, recordOf } from '../engine.ts'
import type { Member } from '../member.ts'
import { learn } from '../polling.ts'
import { applicationKey, nameOf } from './keys.ts'
import type { Sharing } from './sharing.ts'
import { fromNote } from './sources.ts'

/** What an application keeps with its key, for those that depend on it. */
interface ApplicationNote {
  readonly ready: boolean
  readonly revision?: Json
}

/** Reasons that leave what this process knows as it is, when it was also the last to work on the application. */
const ordinary: ReadonlySet<string> = new Set([
  'poll',
  'revision',
  'drift',
  'retry',
  'read-back',
  'dependency',
  'again',
])

/**
 * Before claimed applications are worked on: what other processes found out since is learned, and what this one
 * remembers of an application that others worked on is forgotten.
 */
export async function prepare(sharing: Sharing, claims: readonly Claim[], ready: Map<string, boolean>): Promise<void> {
  const { engine } = sharing
  const members = claims.flatMap((claim) => engine.members.get(nameOf(claim)) ?? [])
  const notes = await notesOf(sharing, members)
  for (const claim of claims) {
    const member = engine.members.get(nameOf(claim))
    if (member !== undefined) refresh(member, claim)
  }
  for (const member of members) {
    await learnNewest(engine, member, notes)
    for (const name of member.application.dependsOn ?? []) await learnDependency(engine, name, notes, ready)
  }
}

type Notes = ReadonlyMap<string, QueueItem>

async function notesOf({ queue, engine }: Sharing, members: readonly Member[]): Promise<Notes> {
  const keys = members.flatMap(({ source, application }) => [
    `source/${source.id}`,
    ...(application.dependsOn ?? []).map(applicationKey),
  ])
  const items = await queue.items({ keys: [...new Set(keys)], limit: keys.length + 1 }, ownCall(engine))
  return new Map(items.map((item) => [item.key, item]))
}

function refresh(member: Member, { token, previous, triggers, attempt }: Claim): void {
  const isMine = member.lastToken === previous && attempt === 1
  member.lastToken = token
  member.record = undefined
  if (triggers.includes('watch')) member.hinted = true
  if (isMine && triggers.every((trigger) => ordinary.has(trigger))) return
  member.settled = undefined
  member.stuck = undefined
  member.pending = undefined
  if (!isMine) member.applied = undefined
}

async function learnNewest(engine: Engine, member: Member, notes: Notes): Promise<void> {
  const note = notes.get(`source/${member.source.id}`)?.note
  if (note !== undefined) await learn(engine, member, fromNote(note))
}

/** Something newer is wanted of an application that is being worked on here: a revision, or a decision of a person. */
export async function hear(sharing: Sharing, member: Member): Promise<void> {
  const { engine } = sharing
  member.record = undefined
  await learnNewest(engine, member, await notesOf(sharing, [member]))
  const { hold } = await recordOf(engine, member)
  const { run } = member
  if (hold === undefined || run?.revision === undefined || run.revision.id === hold.revision.id) return
  const message = `${hold.by} pinned ${member.name} to ${hold.revision.id}.`
  run.controller.abort(new GitOpsError('CANCELLED', message, { details: { ended: 'superseded' } }))
}

/** Whether it is ready is known to whoever worked on it last; its outputs are read from its target. */
async function learnDependency(engine: Engine, name: string, notes: Notes, ready: Map<string, boolean>): Promise<void> {
  const note = notes.get(applicationKey(name))?.note as unknown as ApplicationNote | undefined
  ready.set(name, note?.ready === true)
  const member = engine.members.get(name)
  if (note?.ready !== true || note.revision === undefined || member?.target.outputs === undefined) return
  const revision = fromNote(note.revision)
  if (member.outputsOf === revision.id) return
  try {
    const call = { ...ownCall(engine), application: name, inputs: gatherInputs(engine, member) }
    member.outputs = await withDeadline(
      call,
      engine.sourceTimeoutMs,
      `Reading the outputs of ${name}`,
      async (timed) => {
        const desired = await member.target.declare(await member.source.snapshot(revision, timed), timed)
        return (await member.target.outputs?.(desired, timed)) ?? {}
      },
    )
    member.outputsOf = revision.id
  } catch (error) {
    // Without them nothing that depends on it is run: it counts as not ready until they can be read.
    ready.set(name, false)
    engine.call.log.warn(`The outputs of ${name} cannot be read here yet.`, error)
  }
}
