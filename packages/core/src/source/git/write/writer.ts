import type { Call } from '../../../runtime/call.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import type { Revision, Snapshot, SourceEdit, SourceWriter } from '../../source.ts'
import { parseCommit } from '../commit.ts'
import { hashObject } from '../objects.ts'
import { encodePack, wholeEntry } from '../pack/encode.ts'
import type { RefUpdate } from '../protocol/push.ts'
import type { Remote } from '../remote.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { type CommitSigner, type Person, commitObject } from './commit-object.ts'
import { type FileEdits, editTree } from './edit-tree.ts'

/** How commits are made. */
export interface GitWriterOptions {
  /** Who commits, and who is the author where an edit names none. */
  readonly committer: Person
  readonly sign?: CommitSigner
  /** Tries when others push at the same time. @defaultValue 5 */
  readonly maxAttempts?: number
}

/** What writing needs. */
export interface WriterContext {
  readonly remote: Remote
  readonly store: ObjectStore
  /** Full name of the branch. */
  readonly ref: string
  /** The folder of the source: paths of an edit start there. */
  readonly path: string
  readonly options: GitWriterOptions
  /** Whether `head`, which others pushed, builds on the update. */
  readonly builtOn: (update: RefUpdate, head: string, call: Call) => Promise<boolean>
  readonly snapshot: (revision: Revision, call: Call) => Promise<Snapshot>
}

/**
 * Commits on a branch of the server: the edit is made on its newest commit and pushed on condition
 * that it still is the newest. Who lost the race makes the edit again on top of the winner.
 */
export function gitWriter(context: WriterContext): SourceWriter {
  return {
    commit: async (edit, call) => {
      const attempts = context.options.maxAttempts ?? 5
      for (let attempt = 1; attempt <= attempts; attempt++) {
        const head = await headOf(context, call)
        const snapshot = await context.snapshot({ id: head, name: context.ref }, call)
        const made = await makeCommit(context, head, await edit(snapshot), call)
        if (made === undefined) return describe(context, head)
        if (await push(context, made, call)) return made.revision
        call.log.info('Somebody pushed first. The edit is made again on their commit.', { ref: context.ref, attempt })
      }
      throw new GitOpsError('WRITE_CONFLICT', `Others pushed to ${context.ref} first, ${attempts} times in a row.`)
    },
  }
}

/** Asked of the side that is written to, so that a lagging copy for readers does not matter. */
async function headOf({ remote, ref }: WriterContext, call: Call): Promise<string> {
  const refs = await remote.refsForWriting(call)
  const oid = refs.find(({ name }) => name === ref)?.oid
  if (oid !== undefined) return oid
  if (refs.length === 0) throw new GitOpsError('SOURCE_EMPTY', 'The repository has no commits yet.')
  throw new GitOpsError('REVISION_NOT_FOUND', `There is no ${ref} to commit on.`)
}

interface MadeCommit {
  readonly update: RefUpdate
  readonly pack: Buffer
  readonly revision: Revision
}

/** `undefined` when the edit changes nothing. */
async function makeCommit(
  context: WriterContext,
  head: string,
  edit: SourceEdit,
  call: Call,
): Promise<MadeCommit | undefined> {
  const { store, options, ref } = context
  const { tree } = parseCommit(await store.expect(head, 'commit'))
  const edited = await editTree(store, tree, fromRoot(context.path, edit.files))
  if (edited.oid === tree) return undefined
  const at = call.clock.now()
  const author = edit.author ?? options.committer
  const fields = { tree: edited.oid, parent: head, author, committer: options.committer, at, message: edit.message }
  const data = await commitObject(fields, options.sign)
  const id = hashObject('commit', data)
  const entries = [...edited.added, wholeEntry(id, { type: 'commit', data })]
  const pack = await encodePack(entries, entries.length, call)
  const revision = revisionOf(id, ref, data)
  return { update: { ref, from: head, to: id }, pack: pack.bytes, revision }
}

function fromRoot(path: string, files: FileEdits): FileEdits {
  return path === '' ? files : new Map([...files].map(([name, content]) => [`${path}/${name}`, content]))
}

async function describe({ store, ref }: WriterContext, id: string): Promise<Revision> {
  return revisionOf(id, ref, await store.expect(id, 'commit'))
}

function revisionOf(id: string, ref: string, data: Buffer): Revision {
  const commit = parseCommit(data)
  const name = ref.replace(/^refs\/(heads|tags)\//, '')
  return { id, name, at: commit.committedAt, author: commit.author, message: commit.message.split('\n', 1)[0] ?? '' }
}

/**
 * `true` when the commit is on the branch, also when the answer to the push was lost. `false` when somebody was
 * first. The word of the server is not enough: there are servers that say `ok` to a push that lost the race.
 */
async function push(context: WriterContext, { update, pack }: MadeCommit, call: Call): Promise<boolean> {
  const refusal = await context.remote.push(update, pack, call).catch(async (error: unknown) => {
    if (await isOnBranch(context, update, call).catch(() => false)) return undefined
    throw error
  })
  const head = await headOf(context, call)
  if (refusal === undefined && (await contains(context, head, update, call))) return true
  if (head === update.to) return true
  if (head !== update.from) return false
  const said = refusal ?? 'it said ok and left the branch where it was'
  throw new GitOpsError('WRITE_REFUSED', `The server refused the commit on ${update.ref}: ${said}.`, {
    details: { ref: update.ref, server: said },
  })
}

async function isOnBranch(context: WriterContext, update: RefUpdate, call: Call): Promise<boolean> {
  return contains(context, await headOf(context, call), update, call)
}

/** Whether the commit is `head`, or below it because others went on from there. */
async function contains(context: WriterContext, head: string, update: RefUpdate, call: Call): Promise<boolean> {
  if (head === update.to) return true
  return head !== update.from && context.builtOn(update, head, call)
}
