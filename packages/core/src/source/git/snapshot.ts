import { type Call, throwIfAborted } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { Revision, Snapshot, TreeEntry } from '../source.ts'
import type { ObjectStore } from './store/object-store.ts'
import type { EntryType, GitTree } from './tree.ts'

/** Where in a repository a snapshot looks. */
export interface SnapshotPlace {
  readonly store: ObjectStore
  readonly revision: Revision
  /** The folder that is the root of the snapshot. */
  readonly rootOid: string
  /** Path of that folder in the repository, for messages. */
  readonly rootPath: string
}

/** The tree of one revision below one folder, read from the object store as it is asked for. */
export function treeSnapshot(place: SnapshotPlace): Snapshot {
  return {
    revision: place.revision,
    digest: async (path, call) => {
      throwIfAborted(call)
      return find(place, path).oid
    },
    list: (path, call) => list(place, path, call),
    read: async (path, call) => {
      throwIfAborted(call)
      return readFile(place, path)
    },
  }
}

interface Found {
  readonly oid: string
  readonly type: EntryType
}

/** Throws `CONFIG_INVALID` for a path that is absolute or climbs; gives its parts. */
export function pathParts(path: string): readonly string[] {
  if (path === '') return []
  const parts = path.replace(/\/$/, '').split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0')))
    throw new GitOpsError('CONFIG_INVALID', `${JSON.stringify(path)} is not a path inside a repository.`)
  return parts
}

function find(place: SnapshotPlace, path: string): Found {
  let found: Found = { oid: place.rootOid, type: 'folder' }
  for (const part of pathParts(path)) {
    const entry = found.type === 'folder' ? place.store.tree(found.oid).get(part) : undefined
    if (entry === undefined) throw notFound(place, path)
    found = entry
  }
  return found
}

async function* list(place: SnapshotPlace, path: string, call: Call): AsyncGenerator<TreeEntry, void> {
  const found = find(place, path)
  if (found.type !== 'folder') throw notFound(place, path, 'is not a folder')
  const prefix = path === '' ? '' : `${pathParts(path).join('/')}/`
  for (const entry of sortedByName(place.store.tree(found.oid))) {
    throwIfAborted(call)
    yield { path: prefix + entry.name, type: entry.type, digest: entry.oid }
  }
}

/** Git sorts folders as if their name ended with a slash; a snapshot sorts by name alone. */
function sortedByName(tree: GitTree): readonly { name: string; type: EntryType; oid: string }[] {
  return [...tree.values()].toSorted((left, right) => (left.name < right.name ? -1 : 1))
}

function readFile(place: SnapshotPlace, path: string): Uint8Array {
  const found = find(place, path)
  if (found.type === 'folder') throw notFound(place, path, 'is a folder')
  if (found.type !== 'file') throw refused(place, path, found.type)
  return place.store.expect(found.oid, 'blob')
}

function refused(place: SnapshotPlace, path: string, type: 'symlink' | 'submodule'): GitOpsError {
  const code = type === 'symlink' ? 'SOURCE_SYMLINK' : 'SOURCE_SUBMODULE'
  return new GitOpsError(code, `${where(place, path)} is a ${type}, which is not followed.`, { details: { path } })
}

/** The error for a path that is not in the tree. */
export function notFound(place: SnapshotPlace, path: string, why = 'does not exist'): GitOpsError {
  return new GitOpsError('PATH_NOT_FOUND', `${where(place, path)} ${why}.`, {
    details: { path, revision: place.revision.id },
  })
}

function where(place: SnapshotPlace, path: string): string {
  const full = [place.rootPath, path].filter((part) => part !== '').join('/')
  return `${full === '' ? 'The root' : full} at ${place.revision.name ?? place.revision.id}`
}
