import { type Call, throwIfAborted } from '../../runtime/call.ts'
import type { Revision, Snapshot } from '../source.ts'
import { parseCommit } from './commit.ts'
import type { Downloads } from './download.ts'
import { type EntryPolicy, type Place, findPath, notFound, pathParts } from './find-path.ts'
import type { KeptObjects } from './kept-objects.ts'
import { OBJECT_COST, type Slicer, createSlicer } from './slice.ts'
import { treeSnapshot } from './snapshot.ts'
import type { ObjectStore } from './store/object-store.ts'

/** What a snapshot shows. */
export interface SnapshotView extends EntryPolicy {
  /** The folder that is its root. */
  readonly path: string
}

/** What opening a snapshot needs. */
export interface SnapshotContext {
  readonly store: ObjectStore
  readonly objects: KeptObjects
  readonly downloads: Downloads
  /** Files are fetched when a snapshot above them is opened. */
  readonly partial: boolean
}

/** The tree of `revision` below `view.path`; fetched when it is not kept. Throws `PATH_NOT_FOUND`. */
export async function openSnapshot(
  context: SnapshotContext,
  revision: Revision,
  view: SnapshotView,
  call: Call,
): Promise<Snapshot> {
  throwIfAborted(call)
  const fetch = (own: Call): Promise<Place> =>
    context.objects.whole(own, () => fetchPlace(context, revision, view, own))
  return treeSnapshot(await fetch(call), fetch)
}

async function fetchPlace(
  { store, downloads, partial }: SnapshotContext,
  revision: Revision,
  view: SnapshotView,
  call: Call,
): Promise<Place> {
  await downloads.commit(revision.id, call)
  const place = await placeOf(store, revision, view)
  if (partial) await fetchFilesBelow(place, downloads, call)
  return place
}

async function placeOf(store: ObjectStore, revision: Revision, view: SnapshotView): Promise<Place> {
  const rootOid = parseCommit(await store.expect(revision.id, 'commit')).tree
  const root: Place = { store, revision, rootOid, rootPath: '', policy: view }
  const found = await findPath({ ...root, policy: { ...view, symlinks: 'refuse' } }, view.path)
  if (found.type !== 'folder') throw notFound(root, view.path, 'is not a folder')
  return { ...root, rootOid: found.oid, rootPath: pathParts(view.path).join('/') }
}

async function fetchFilesBelow(place: Place, downloads: Downloads, call: Call): Promise<void> {
  const oids: string[] = []
  await collectFiles(place.rootOid, place.store, oids, createSlicer(call))
  await downloads.files(oids, call)
}

async function collectFiles(tree: string, store: ObjectStore, oids: string[], slicer: Slicer): Promise<void> {
  const entries = await store.tree(tree)
  if (slicer.isFull(entries.size * 100 + OBJECT_COST)) await slicer.pause()
  for (const { type, oid } of entries.values()) {
    if (type === 'folder') await collectFiles(oid, store, oids, slicer)
    else if (type !== 'submodule') oids.push(oid)
  }
}
