import type { Call } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { parseCommit } from './commit.ts'
import { type GitLimits, limitError } from './limits.ts'
import { OBJECT_COST, type Slicer, createSlicer } from './slice.ts'
import type { ObjectStore } from './store/object-store.ts'
import type { GitTreeEntry } from './tree.ts'

/** Trees of which everything below them is known to be here. */
export type CheckedTrees = Set<string>

/** What a check of completeness needs. */
export interface CompletenessContext {
  readonly store: ObjectStore
  readonly limits: GitLimits
  readonly checked: CheckedTrees
  /** Contents of files are fetched later, so that only folders are checked. */
  readonly withoutFiles: boolean
}

interface Walk extends CompletenessContext {
  readonly slicer: Slicer
  readonly done: string[]
  entries: number
}

/**
 * Checks that everything a commit refers to is here, can be read and has safe names. Folders that
 * were checked before are skipped, and so is what a folder has in common with the one at the same
 * place of `like`, a commit that was checked: a small commit costs little. Throws `SOURCE_CORRUPT`,
 * `SOURCE_PATH_UNSAFE` or `SOURCE_LIMIT`.
 */
export async function assertComplete(
  oid: string,
  context: CompletenessContext,
  call: Call,
  like?: string,
): Promise<void> {
  const walk: Walk = { ...context, slicer: createSlicer(call), done: [], entries: 0 }
  await checkTree(await treeOf(oid, context), like === undefined ? undefined : await treeOf(like, context), 0, walk)
  for (const tree of walk.done) context.checked.add(tree)
}

async function treeOf(commit: string, { store }: CompletenessContext): Promise<string> {
  return parseCommit(await store.expect(commit, 'commit')).tree
}

async function checkTree(oid: string, like: string | undefined, depth: number, walk: Walk): Promise<void> {
  const { store, limits, checked } = walk
  if (checked.has(oid)) return
  if (depth > limits.maxPathDepth) throw limitError('maxPathDepth', limits, 'The depth of folders')
  const tree = await store.tree(oid)
  walk.entries += tree.size
  if (walk.entries > limits.maxEntries) throw limitError('maxEntries', limits, 'The number of files')
  if (walk.slicer.isFull(tree.size * 200 + OBJECT_COST)) await walk.slicer.pause()
  const known = like !== undefined && checked.has(like) ? await store.tree(like) : undefined
  for (const entry of tree.values()) {
    const before = known?.get(entry.name)
    if (before?.oid === entry.oid && before.type === entry.type) continue
    if (entry.type === 'folder') await checkTree(entry.oid, folderOf(before), depth + 1, walk)
    else if (entry.type !== 'submodule' && !walk.withoutFiles && !store.has(entry.oid))
      throw absent(entry.oid, entry.name)
  }
  walk.done.push(oid)
}

function folderOf(entry: GitTreeEntry | undefined): string | undefined {
  return entry?.type === 'folder' ? entry.oid : undefined
}

function absent(oid: string, name: string): GitOpsError {
  return new GitOpsError('SOURCE_CORRUPT', `The server did not send ${JSON.stringify(name)} (${oid}).`, {
    details: { oid },
  })
}
