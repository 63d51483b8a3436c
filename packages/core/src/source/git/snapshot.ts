import { createHash } from 'node:crypto'
import { type Call, throwIfAborted } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { Snapshot, TreeEntry } from '../source.ts'
import { type Found, type Place, findInLastFolder, findPath, notFound, pathParts, where } from './find-path.ts'
import { mending } from './mending.ts'
import { OBJECT_COST, type Slicer, createSlicer } from './slice.ts'
import type { GitTree, GitTreeEntry } from './tree.ts'

/** Runs `work`, and again when what it reads is no longer kept, after that was fetched again. */
type Reading = <T>(call: Call, work: () => Promise<T>) => Promise<T>

/**
 * The tree of one revision below one folder, read from the object store as it is asked for. `fetch` brings it here again
 * when it is no longer kept, or was damaged on disk.
 */
export function treeSnapshot(place: Place, fetch: (call: Call) => Promise<unknown>): Snapshot {
  const reading: Reading = async (call, work) => {
    throwIfAborted(call)
    return mending(work, async (error) => {
      if (!(error instanceof GitOpsError) || error.code !== 'SOURCE_CORRUPT') return false
      await fetch(call)
      return true
    })
  }
  // Who reads thousands of files, each at hand, would leave no turn to others: promises alone never do.
  const slicer = createSlicer()
  return {
    revision: place.revision,
    digest: (path, call) => reading(call, () => digest(place, path)),
    list: (path, call) => list(place, path, reading, slicer, call),
    read: (path, call) => reading(call, () => readFile(place, path, slicer)),
  }
}

/** The id of the object. Where links are followed, a folder also depends on what lies outside of it. */
async function digest(place: Place, path: string): Promise<string> {
  const found = await findPath(place, path)
  if (place.policy.symlinks !== 'follow' || found.type !== 'folder' || path === '') return found.oid
  return createHash('sha1').update(`${place.rootOid} ${path}`).digest('hex')
}

async function* list(
  place: Place,
  path: string,
  reading: Reading,
  slicer: Slicer,
  call: Call,
): AsyncGenerator<TreeEntry, void> {
  const tree = await reading(call, () => folderAt(place, path))
  if (slicer.isFull(tree.size * 100 + OBJECT_COST)) await slicer.pause()
  const prefix = path === '' ? '' : `${pathParts(path).join('/')}/`
  for (const entry of inOrder(tree)) {
    throwIfAborted(call)
    if (isSkipped(place, entry)) continue
    const followed = entry.type === 'symlink' && place.policy.symlinks === 'follow'
    const child = prefix + entry.name
    yield followed
      ? await reading(call, () => followedEntry(place, child))
      : { path: child, type: entry.type, digest: entry.oid }
  }
}

async function folderAt(place: Place, path: string): Promise<GitTree> {
  const found = await findPath(place, path)
  if (found.type !== 'folder') throw notFound(place, path, 'is not a folder')
  return place.store.tree(found.oid)
}

/** Git sorts folders as if their name ended with a slash, which is seldom another order than by name alone. */
function inOrder(tree: GitTree): readonly GitTreeEntry[] {
  const entries = [...tree.values()]
  return entries.every(({ name }, at) => at === 0 || (entries[at - 1]?.name ?? '') < name)
    ? entries
    : entries.toSorted(byName)
}

function byName(left: GitTreeEntry, right: GitTreeEntry): number {
  return left.name < right.name ? -1 : 1
}

function isSkipped({ policy }: Place, { type }: GitTreeEntry): boolean {
  return (type === 'symlink' && policy.symlinks === 'skip') || (type === 'submodule' && policy.submodules === 'skip')
}

/** A link as what it stands for. */
async function followedEntry(place: Place, path: string): Promise<TreeEntry> {
  const { type } = await findPath(place, path)
  return { path, type, digest: await digest(place, path) }
}

async function readFile(place: Place, path: string, slicer: Slicer): Promise<Uint8Array> {
  const found = findInLastFolder(place, path) ?? (await findPath(place, path))
  if (found.type === 'folder') throw notFound(place, path, 'is a folder')
  if (found.type !== 'file') throw refused(place, path, found)
  const data = await place.store.expect(found.oid, 'blob')
  if (slicer.isFull(data.length + OBJECT_COST)) await slicer.pause()
  if (isLfsPointer(data))
    throw new GitOpsError('SOURCE_LFS_POINTER', `${where(place, path)} is a Git LFS pointer, not the file itself.`, {
      details: { path },
    })
  return data
}

const lfsHead = Buffer.from('version https://git-lfs.github.com/spec/v1\n')
const MAX_LFS_POINTER_BYTES = 1024

function isLfsPointer(data: Buffer): boolean {
  // Nearly every file begins with another letter, which is the cheapest thing to look at.
  if (data[0] !== lfsHead[0] || data.length >= MAX_LFS_POINTER_BYTES) return false
  return data.subarray(0, lfsHead.length).equals(lfsHead)
}

function refused(place: Place, path: string, { type }: Found): GitOpsError {
  const code = type === 'symlink' ? 'SOURCE_SYMLINK' : 'SOURCE_SUBMODULE'
  return new GitOpsError(code, `${where(place, path)} is a ${type}, which is not followed.`, { details: { path } })
}
