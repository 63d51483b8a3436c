import { type Call, throwIfAborted } from '../runtime/call.ts'
import type { Snapshot, TreeEntry } from './source.ts'

/** One path at which two snapshots differ. */
export interface PathChange {
  readonly path: string
  readonly change: 'added' | 'removed' | 'modified'
}

/**
 * Where `after` differs from `before` below `path`, in sorted order. Folders of equal digest are not
 * looked into, so that the cost is that of what changed.
 */
export async function* difference(
  before: Snapshot,
  after: Snapshot,
  path: string,
  call: Call,
): AsyncGenerator<PathChange, void> {
  if ((await before.digest(path, call)) !== (await after.digest(path, call)))
    yield* differenceBelow(path, { before, after }, call)
}

async function* differenceBelow(path: string, both: Both, call: Call): AsyncGenerator<PathChange, void> {
  const left = await entriesOf(both.before, path, call)
  const right = await entriesOf(both.after, path, call)
  for (const [old, next] of changedPairs(left, right)) {
    throwIfAborted(call)
    yield* differenceOf(old, next, both, call)
  }
}

/** Pairs the entries of two sorted lists by path, where they differ. */
function* changedPairs(
  left: readonly TreeEntry[],
  right: readonly TreeEntry[],
): Generator<readonly [TreeEntry | undefined, TreeEntry | undefined], void> {
  for (let l = 0, r = 0; l < left.length || r < right.length;) {
    const [old, next] = [left[l], right[r]]
    const takeOld = old !== undefined && (next === undefined || old.path <= next.path)
    const takeNext = next !== undefined && (old === undefined || next.path <= old.path)
    if (takeOld) l++
    if (takeNext) r++
    if (takeOld && takeNext && old.digest === next.digest && old.type === next.type) continue
    yield [takeOld ? old : undefined, takeNext ? next : undefined]
  }
}

interface Both {
  readonly before: Snapshot
  readonly after: Snapshot
}

async function* differenceOf(
  left: TreeEntry | undefined,
  right: TreeEntry | undefined,
  both: Both,
  call: Call,
): AsyncGenerator<PathChange, void> {
  if (left?.type === 'folder' && right?.type === 'folder') return yield* differenceBelow(left.path, both, call)
  if (left?.type === 'folder') yield* everyFile(both.before, left, 'removed', call)
  if (right?.type === 'folder') yield* everyFile(both.after, right, 'added', call)
  const [old, next] = [asFile(left), asFile(right)]
  if (old !== undefined) yield { path: old.path, change: next === undefined ? 'removed' : 'modified' }
  else if (next !== undefined) yield { path: next.path, change: 'added' }
}

function asFile(entry: TreeEntry | undefined): TreeEntry | undefined {
  return entry?.type === 'folder' ? undefined : entry
}

async function* everyFile(
  snapshot: Snapshot,
  folder: TreeEntry,
  change: 'added' | 'removed',
  call: Call,
): AsyncGenerator<PathChange, void> {
  for await (const entry of snapshot.list(folder.path, call)) {
    if (entry.type === 'folder') yield* everyFile(snapshot, entry, change, call)
    else yield { path: entry.path, change }
  }
}

async function entriesOf(snapshot: Snapshot, path: string, call: Call): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = []
  for await (const entry of snapshot.list(path, call)) entries.push(entry)
  return entries
}
