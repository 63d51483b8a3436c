import { type Call, throwIfAborted } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { JsonObject } from '../runtime/json.ts'
import { sha256Hex } from '../runtime/sha256.ts'
import { createFeed, type Feed } from './feed.ts'
import type { Revision, Snapshot, Source, SourceEdit, SourceWriter } from './source.ts'
import { digestOfBytes, safeNames, snapshotOfTree, type Tree, type TreeFile, treeOf } from './tree.ts'

/** Files by path: text, bytes, an object that is written as JSON, or `null` to delete. */
export type MemoryFiles = Readonly<Record<string, string | Uint8Array | JsonObject | null>>

/** What a memory source starts with. */
export interface MemorySourceOptions {
  /** @defaultValue 'memory' */
  readonly id?: string
  /** Committed at once. @defaultValue nothing: the source is empty */
  readonly files?: MemoryFiles
  /** What `resolve` does when the head no longer descends from the one it answered last. @defaultValue 'follow' */
  readonly rewrites?: 'follow' | 'refuse'
  /** How often a commit through `writer` is tried again when it loses a race. @defaultValue 5 */
  readonly maxAttempts?: number
}

/** What is said about a commit. */
export interface MemoryCommit {
  readonly message?: string
  readonly author?: string
  /** Epoch milliseconds. */
  readonly at?: number
}

/** A state store that lives in memory: history, force-push and writing included. */
export interface MemorySource extends Source {
  readonly writer: SourceWriter
  /** From the newest to the oldest. */
  readonly history: readonly Revision[]
  /** Commits files on top of the head; what is not named stays. */
  commit(files: MemoryFiles, about?: MemoryCommit): Revision
  /**
   * Commits in place of the commits after `onto`, as a force-push does. `onto` is the parent of the
   * head where it is not given; `null` starts a new history. The replaced commits can still be read
   * unless `forget` is set.
   */
  rewrite(
    files: MemoryFiles,
    about?: MemoryCommit & { readonly onto?: Revision | null; readonly forget?: boolean },
  ): Revision
  /** The same store seen from a folder: its files are at the root of every snapshot. */
  at(path: string): MemorySource
}

interface Commit {
  readonly revision: Revision
  readonly parent: Commit | undefined
  readonly files: ReadonlyMap<string, TreeFile>
  readonly tree: Tree
}

interface Store {
  readonly commits: Map<string, Commit>
  readonly changed: Feed<void>
  head: Commit | undefined
}

/** A source for tests, demos and embedders that make declarations themselves. */
export function memorySource(options: MemorySourceOptions = {}): MemorySource {
  const store: Store = { commits: new Map(), changed: createFeed(), head: undefined }
  if (options.files !== undefined) add(store, options.files, store.head)
  return sourceAt(store, '', options)
}

function sourceAt(store: Store, path: string, options: MemorySourceOptions): MemorySource {
  const inside = (files: MemoryFiles): MemoryFiles =>
    path === '' ? files : Object.fromEntries(Object.entries(files).map(([name, file]) => [`${path}/${name}`, file]))
  let answered: Commit | undefined
  return {
    id: `${options.id ?? 'memory'}${path === '' ? '' : `/${path}`}`,
    resolve: async (call) => {
      throwIfAborted(call)
      const before = answered
      answered = headAfter(store, before, options)
      const { revision } = answered
      const isRewritten = before !== undefined && !lineage(answered).includes(before)
      return isRewritten ? { ...revision, replaces: before.revision.id } : revision
    },
    snapshot: async (revision, call) => {
      throwIfAborted(call)
      return snapshotOfTree(revision, commitOf(store, revision).tree, path)
    },
    watch: (call) => store.changed.listen(call.signal),
    writer: { commit: (edit, call) => write(store, path, edit, call, options.maxAttempts ?? 5) },
    get history() {
      return lineage(store.head).map(({ revision }) => revision)
    },
    commit: (files, about) => add(store, inside(files), store.head, about),
    rewrite: (files, { onto, forget = false, ...about } = {}) => {
      const replaced = lineage(store.head)
      const base = onto === undefined ? store.head?.parent : onto === null ? undefined : commitOf(store, onto)
      const revision = add(store, inside(files), base, about)
      if (forget) dropUnreachable(store, replaced)
      return revision
    },
    at: (folder) => sourceAt(store, [...safeNames(path), ...safeNames(folder)].join('/'), options),
  }
}

function headAfter({ head }: Store, answered: Commit | undefined, { rewrites }: MemorySourceOptions): Commit {
  if (head === undefined)
    throw new GitOpsError('SOURCE_EMPTY', 'The memory source has no commit yet. Commit files first.')
  if (rewrites === 'refuse' && answered !== undefined && !lineage(head).includes(answered)) {
    const message = `History was rewritten: ${head.revision.id} does not descend from ${answered.revision.id}.`
    const details = { from: answered.revision.id, to: head.revision.id }
    throw new GitOpsError('REVISION_REWRITTEN', message, { details })
  }
  return head
}

function commitOf(store: Store, { id }: Revision): Commit {
  const commit = store.commits.get(id)
  if (commit === undefined) throw new GitOpsError('REVISION_NOT_FOUND', `The memory source has no revision ${id}.`)
  return commit
}

function lineage(head: Commit | undefined): Commit[] {
  const commits: Commit[] = []
  for (let commit = head; commit !== undefined; commit = commit.parent) commits.push(commit)
  return commits
}

function dropUnreachable(store: Store, candidates: readonly Commit[]): void {
  const reachable = new Set(lineage(store.head))
  for (const commit of candidates) if (!reachable.has(commit)) store.commits.delete(commit.revision.id)
}

function add(store: Store, files: MemoryFiles, parent: Commit | undefined, about: MemoryCommit = {}): Revision {
  const all = new Map(parent?.files)
  for (const [path, file] of Object.entries(files)) {
    if (file === null) all.delete(path)
    else all.set(path, treeFile(bytesOf(file)))
  }
  const tree = treeOf(all)
  const revision = { id: commitId(parent, tree, about, store.commits.size), name: 'main', ...about }
  const commit: Commit = { revision, parent, files: all, tree }
  store.commits.set(revision.id, commit)
  store.head = commit
  store.changed.emit()
  return revision
}

/** Forty digits, as a Git commit has. `sequence` keeps equal commits apart. */
function commitId(parent: Commit | undefined, tree: Tree, about: MemoryCommit, sequence: number): string {
  const text = JSON.stringify([parent?.revision.id ?? '', tree.digest, about.message ?? '', sequence])
  return sha256Hex(text).slice(0, 40)
}

function bytesOf(file: string | Uint8Array | JsonObject): Uint8Array {
  if (file instanceof Uint8Array) return file.slice()
  return new TextEncoder().encode(typeof file === 'string' ? file : `${JSON.stringify(file, null, 2)}\n`)
}

function treeFile(bytes: Uint8Array): TreeFile {
  return { digest: digestOfBytes(bytes), sizeBytes: bytes.length, read: async () => bytes.slice() }
}

async function write(
  store: Store,
  path: string,
  edit: (head: Snapshot) => Promise<SourceEdit> | SourceEdit,
  call: Call,
  maxAttempts: number,
): Promise<Revision> {
  for (let attempt = 1; attempt <= maxAttempts; attempt++) {
    throwIfAborted(call)
    const head = headAfter(store, undefined, {})
    const { message, author, files } = await edit(snapshotOfTree(head.revision, head.tree, path))
    if (store.head !== head) continue
    const inside = [...files].map(([name, bytes]) => [path === '' ? name : `${path}/${name}`, bytes] as const)
    const about = { message, at: call.clock.now(), ...(author && { author: `${author.name} <${author.email}>` }) }
    return add(store, Object.fromEntries(inside), head, about)
  }
  throw new GitOpsError('WRITE_CONFLICT', `Somebody else committed first, ${maxAttempts} times in a row.`)
}
