import { GitOpsError } from '../../runtime/errors.ts'
import type { Revision } from '../source.ts'
import type { ObjectStore } from './store/object-store.ts'
import type { EntryType, GitTree } from './tree.ts'

/** What is done with entries that are not files or folders. */
export interface EntryPolicy {
  /**
   * `refuse`: listed as a link, and reading it throws `SOURCE_SYMLINK`. `skip`: left out. `follow`:
   * stands for what it points to, inside the folder of the source only. @defaultValue `refuse`
   */
  readonly symlinks: 'refuse' | 'skip' | 'follow'
  /** `refuse`: listed as a submodule, and reading it throws `SOURCE_SUBMODULE`. @defaultValue `refuse` */
  readonly submodules: 'refuse' | 'skip'
}

/** Where in a repository a snapshot looks. */
export interface Place {
  readonly store: ObjectStore
  readonly revision: Revision
  /** The folder that is the root of the snapshot. */
  readonly rootOid: string
  /** Path of that folder in the repository, for messages. */
  readonly rootPath: string
  readonly policy: EntryPolicy
  /** The folder that was looked into last: files are read folder by folder. */
  lastFolder?: { readonly path: string; readonly tree: GitTree }
}

/** What a path leads to. */
export interface Found {
  readonly oid: string
  readonly type: EntryType
}

const MAX_LINKS = 5

/** Throws `SOURCE_PATH_UNSAFE` for a path that is absolute or climbs; gives its parts. */
export function pathParts(path: string): readonly string[] {
  if (path === '') return []
  const parts = path.replace(/\/$/, '').split('/')
  if (parts.some((part) => part === '' || part === '.' || part === '..' || part.includes('\0')))
    throw new GitOpsError('SOURCE_PATH_UNSAFE', `${JSON.stringify(path)} is not a path inside a repository.`)
  return parts
}

/** What is at `path`. Links on the way, and at its end, are followed where the policy says so. */
export async function findPath(place: Place, path: string): Promise<Found> {
  const known = findInLastFolder(place, path)
  if (known !== undefined) return known
  const parts = pathParts(path)
  const found = await findFrom(place, path, parts, 0)
  if (found.type === 'folder') place.lastFolder = { path: parts.join('/'), tree: await place.store.tree(found.oid) }
  return found
}

/** As `findPath` without waiting, for a file of the folder that was looked into last: most are found so. */
export function findInLastFolder({ lastFolder }: Place, path: string): Found | undefined {
  if (lastFolder === undefined || lastFolder.path !== path.slice(0, lastFolder.path.length)) return undefined
  const start = lastFolder.path === '' ? 0 : lastFolder.path.length + 1
  if (start > 0 && path[start - 1] !== '/') return undefined
  const entry = lastFolder.tree.get(path.slice(start))
  return entry?.type === 'file' ? entry : undefined
}

async function findFrom(place: Place, path: string, parts: readonly string[], links: number): Promise<Found> {
  const { store } = place
  let found: Found = { oid: place.rootOid, type: 'folder' }
  for (const [index, part] of parts.entries()) {
    const entry =
      found.type === 'folder' ? (store.treeAtHand(found.oid) ?? (await store.tree(found.oid))).get(part) : undefined
    if (entry === undefined) throw notFound(place, path)
    if (entry.type === 'symlink' && place.policy.symlinks === 'follow') {
      if (links >= MAX_LINKS) throw badLink(place, path, `leads over more than ${MAX_LINKS} links`)
      const target = await linkTarget(place, path, parts.slice(0, index), entry.oid)
      return findFrom(place, path, [...target, ...parts.slice(index + 1)], links + 1)
    }
    found = entry
  }
  return found
}

/** The parts of the path that a link stands for. It may not leave the root of the snapshot. */
async function linkTarget(
  place: Place,
  path: string,
  folder: readonly string[],
  oid: string,
): Promise<readonly string[]> {
  const text = (await place.store.expect(oid, 'blob')).toString('utf8')
  if (text.startsWith('/') || text.includes('\\') || text.includes('\0'))
    throw badLink(place, path, 'leads out of the tree')
  const parts = [...folder]
  for (const part of text.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) throw badLink(place, path, 'leads out of the tree')
  }
  return parts
}

function badLink(place: Place, path: string, why: string): GitOpsError {
  return new GitOpsError('SOURCE_SYMLINK', `${where(place, path)} is or passes a link that ${why}.`, {
    details: { path },
  })
}

/** The error for a path that is not in the tree. */
export function notFound(place: Place, path: string, why = 'does not exist'): GitOpsError {
  return new GitOpsError('PATH_NOT_FOUND', `${where(place, path)} ${why}.`, {
    details: { path, revision: place.revision.id },
  })
}

/** A path as a person names it: in the repository, at a revision. */
export function where(place: Place, path: string): string {
  const full = [place.rootPath, path].filter((part) => part !== '').join('/')
  return `${full === '' ? 'The root' : full} at ${place.revision.name ?? place.revision.id}`
}
