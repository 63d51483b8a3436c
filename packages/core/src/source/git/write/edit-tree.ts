import { GitOpsError } from '../../../runtime/errors.ts'
import { pathParts } from '../find-path.ts'
import { type ObjectType, hashObject } from '../objects.ts'
import type { WrittenEntry } from '../pack/encode.ts'
import { wholeEntry } from '../pack/encode.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { type GitTree, type GitTreeEntry, isUnsafeName } from '../tree.ts'

/** Objects that a commit adds, and the folder they make up. */
export interface EditedTree {
  readonly oid: string
  readonly added: readonly WrittenEntry[]
}

/** New content by path from the root of the repository; `null` deletes. */
export type FileEdits = ReadonlyMap<string, Uint8Array | null>

/**
 * The tree `root` with `edits` in it. Entries that are not edited keep their bytes, modes included;
 * a folder that becomes empty goes away. Throws `SOURCE_PATH_UNSAFE` for a name that is not safe and
 * `WRITE_REFUSED` for a file in place of a folder, a link or a submodule, or below one.
 */
export async function editTree(store: ObjectStore, root: string, edits: FileEdits): Promise<EditedTree> {
  const added: WrittenEntry[] = []
  const oid = (await editFolder(store, root, nest(edits), '', added)) ?? write(added, 'tree', Buffer.alloc(0))
  return { oid, added }
}

type Nested = Map<string, Nested | Uint8Array | null>

function nest(edits: FileEdits): Nested {
  const root: Nested = new Map()
  for (const [path, content] of edits) {
    const parts = pathParts(path)
    const name = parts.at(-1)
    if (name === undefined || parts.some(isUnsafeName))
      throw new GitOpsError('SOURCE_PATH_UNSAFE', `${JSON.stringify(path)} cannot be the path of a file.`, {
        details: { path },
      })
    folderFor(root, parts.slice(0, -1), path).set(name, content)
  }
  return root
}

function folderFor(root: Nested, parts: readonly string[], path: string): Nested {
  let folder = root
  for (const part of parts) {
    const next = folder.get(part) ?? new Map()
    if (!(next instanceof Map)) throw inTheWay(path, 'file')
    folder.set(part, next)
    folder = next
  }
  return folder
}

/** The id of the folder, or `undefined` when nothing is left in it. */
async function editFolder(
  store: ObjectStore,
  oid: string | undefined,
  edits: Nested,
  path: string,
  added: WrittenEntry[],
): Promise<string | undefined> {
  const before: GitTree = oid === undefined ? new Map() : await store.tree(oid)
  const after = new Map(before)
  for (const [name, edit] of edits) {
    const entry =
      edit instanceof Map
        ? await editSubfolder(store, before.get(name), edit, name, path, added)
        : editFile(before.get(name), edit, name, path, added)
    if (entry === undefined) after.delete(name)
    else after.set(name, entry)
  }
  return after.size === 0 ? undefined : write(added, 'tree', treeBytes(after))
}

async function editSubfolder(
  store: ObjectStore,
  before: GitTreeEntry | undefined,
  edits: Nested,
  name: string,
  path: string,
  added: WrittenEntry[],
): Promise<GitTreeEntry | undefined> {
  if (before !== undefined && before.type !== 'folder') throw inTheWay(`${path}${name}`, before.type)
  const oid = await editFolder(store, before?.oid, edits, `${path}${name}/`, added)
  return oid === undefined ? undefined : { name, type: 'folder', mode: before?.mode ?? '40000', oid }
}

function editFile(
  before: GitTreeEntry | undefined,
  content: Uint8Array | null,
  name: string,
  path: string,
  added: WrittenEntry[],
): GitTreeEntry | undefined {
  if (before !== undefined && before.type !== 'file') throw inTheWay(`${path}${name}`, before.type)
  if (content === null) return undefined
  const oid = write(added, 'blob', Buffer.from(content))
  return { name, type: 'file', mode: before?.mode ?? '100644', oid }
}

function write(added: WrittenEntry[], type: ObjectType, data: Buffer): string {
  const oid = hashObject(type, data)
  if (!added.some((entry) => entry.oid === oid)) added.push(wholeEntry(oid, { type, data }))
  return oid
}

/** A tree object: sorted by bytes, folders as if their name ended with a slash. */
function treeBytes(tree: GitTree): Buffer {
  const sorted = [...tree.values()]
    .map((entry) => ({ entry, key: Buffer.from(entry.type === 'folder' ? `${entry.name}/` : entry.name) }))
    .toSorted((left, right) => Buffer.compare(left.key, right.key))
  return Buffer.concat(
    sorted.flatMap(({ entry }) => [Buffer.from(`${entry.mode} ${entry.name}\0`), Buffer.from(entry.oid, 'hex')]),
  )
}

function inTheWay(path: string, type: string): GitOpsError {
  return new GitOpsError(
    'WRITE_REFUSED',
    `${path} is a ${type} in the repository, so that no file can be written there.`,
    {
      details: { path, type },
    },
  )
}
