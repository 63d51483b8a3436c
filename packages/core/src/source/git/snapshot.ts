import { createHash } from 'node:crypto'
import { type Call, throwIfAborted } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { Snapshot, TreeEntry } from '../source.ts'
import { type Found, type Place, findPath, notFound, pathParts, where } from './find-path.ts'
import type { GitTreeEntry } from './tree.ts'

/** The tree of one revision below one folder, read from the object store as it is asked for. */
export function treeSnapshot(place: Place): Snapshot {
  return {
    revision: place.revision,
    digest: async (path, call) => {
      throwIfAborted(call)
      return digest(place, path)
    },
    list: (path, call) => list(place, path, call),
    read: async (path, call) => {
      throwIfAborted(call)
      return readFile(place, path)
    },
  }
}

/** The id of the object. Where links are followed, a folder also depends on what lies outside of it. */
function digest(place: Place, path: string): string {
  const found = findPath(place, path)
  if (place.policy.symlinks !== 'follow' || found.type !== 'folder' || path === '') return found.oid
  return createHash('sha1').update(`${place.rootOid} ${path}`).digest('hex')
}

async function* list(place: Place, path: string, call: Call): AsyncGenerator<TreeEntry, void> {
  const found = findPath(place, path)
  if (found.type !== 'folder') throw notFound(place, path, 'is not a folder')
  const prefix = path === '' ? '' : `${pathParts(path).join('/')}/`
  const entries = [...place.store.tree(found.oid).values()].toSorted(byName)
  for (const entry of entries) {
    throwIfAborted(call)
    if (isSkipped(place, entry)) continue
    yield toTreeEntry(place, prefix + entry.name, entry)
  }
}

/** Git sorts folders as if their name ended with a slash; a snapshot sorts by name alone. */
function byName(left: GitTreeEntry, right: GitTreeEntry): number {
  return left.name < right.name ? -1 : 1
}

function isSkipped({ policy }: Place, { type }: GitTreeEntry): boolean {
  return (type === 'symlink' && policy.symlinks === 'skip') || (type === 'submodule' && policy.submodules === 'skip')
}

function toTreeEntry(place: Place, path: string, entry: GitTreeEntry): TreeEntry {
  const followed = entry.type === 'symlink' && place.policy.symlinks === 'follow'
  const type = followed ? findPath(place, path).type : entry.type
  return { path, type, digest: followed ? digest(place, path) : entry.oid }
}

async function readFile(place: Place, path: string): Promise<Uint8Array> {
  const found = findPath(place, path)
  if (found.type === 'folder') throw notFound(place, path, 'is a folder')
  if (found.type !== 'file') throw refused(place, path, found)
  const data = await place.store.blob(found.oid)
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
