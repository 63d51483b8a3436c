import { type Call, throwIfAborted } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { sha256Hex } from '../runtime/sha256.ts'
import type { Revision, Snapshot, TreeEntry } from './source.ts'

/** One file of a tree: its digest is known, its bytes are read when they are wanted. */
export interface TreeFile {
  /** @defaultValue 'file' */
  readonly type?: 'symlink'
  readonly digest: string
  readonly sizeBytes: number
  readonly read: (call: Call) => Promise<Uint8Array>
}

/** A tree of files by name, digests of folders included. */
export interface Tree {
  readonly digest: string
  /** Sorted by name in code-unit order. */
  readonly children: ReadonlyMap<string, Tree | TreeFile>
}

/** The digest of a file's bytes. */
export function digestOfBytes(bytes: Uint8Array): string {
  return sha256Hex(bytes)
}

/** Arranges files by path into a tree. Throws `SOURCE_PATH_UNSAFE` for a path that is not a plain relative one. */
export function treeOf(files: ReadonlyMap<string, TreeFile>): Tree {
  const root: Folder = new Map()
  for (const [path, file] of files) insert(root, path, file)
  return finish(root)
}

type Folder = Map<string, Folder | TreeFile>

function insert(root: Folder, path: string, file: TreeFile): void {
  const names = safeNames(path)
  const name = names.pop()
  if (name === undefined) throw unsafe(path)
  let folder = root
  for (const each of names) {
    const next = folder.get(each) ?? new Map()
    if (!(next instanceof Map)) throw unsafe(path)
    folder.set(each, next)
    folder = next
  }
  if (folder.has(name)) throw unsafe(path)
  folder.set(name, file)
}

/** The names a path is made of; `''` has none. Throws `SOURCE_PATH_UNSAFE` for one that could leave the tree. */
export function safeNames(path: string): string[] {
  if (path === '') return []
  const names = path.split('/')
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (names.some((name) => name === '' || name === '.' || name === '..' || /[\u0000-\u001f\\]/.test(name)))
    throw unsafe(path)
  return names
}

function unsafe(path: string): GitOpsError {
  const shown = JSON.stringify(path.slice(0, 200))
  return new GitOpsError('SOURCE_PATH_UNSAFE', `The path ${shown} is not a plain path inside the tree.`)
}

function finish(folder: Folder): Tree {
  const children = new Map<string, Tree | TreeFile>()
  for (const [name, child] of [...folder].sort(([left], [right]) => (left < right ? -1 : 1))) {
    children.set(name, child instanceof Map ? finish(child) : child)
  }
  const lines = [...children].map(
    ([name, child]) => `${'children' in child ? 'folder' : (child.type ?? 'file')} ${child.digest} ${name}\n`,
  )
  return { digest: sha256Hex(lines.join('')), children }
}

/** A snapshot of a tree, with `path` as its root. Throws `PATH_NOT_FOUND` when that is not a folder. */
export function snapshotOfTree(revision: Revision, tree: Tree, path: string): Snapshot {
  const root = entryAt(tree, path, revision)
  if (!('children' in root)) throw notFound(path, revision)
  return {
    revision,
    digest: async (at) => entryAt(root, at, revision).digest,
    list: (at, call) => listFolder(root, at, revision, call),
    read: async (at, call) => {
      throwIfAborted(call)
      const file = entryAt(root, at, revision)
      if ('children' in file) throw notFound(at, revision)
      return file.read(call)
    },
  }
}

async function* listFolder(root: Tree, path: string, revision: Revision, call: Call): AsyncIterable<TreeEntry> {
  const folder = entryAt(root, path, revision)
  if (!('children' in folder)) throw notFound(path, revision)
  for (const [name, child] of folder.children) {
    throwIfAborted(call)
    const full = path === '' ? name : `${path}/${name}`
    if ('children' in child) yield { path: full, type: 'folder', digest: child.digest }
    else yield { path: full, type: child.type ?? 'file', digest: child.digest, sizeBytes: child.sizeBytes }
  }
}

function entryAt(tree: Tree, path: string, revision: Revision): Tree | TreeFile {
  let found: Tree | TreeFile | undefined = tree
  for (const name of safeNames(path)) found = found && 'children' in found ? found.children.get(name) : undefined
  if (found === undefined) throw notFound(path, revision)
  return found
}

function notFound(path: string, revision: Revision): GitOpsError {
  const message = `There is no "${path}" at revision ${revision.name ?? revision.id}.`
  return new GitOpsError('PATH_NOT_FOUND', message, { details: { path, revision: revision.id } })
}
