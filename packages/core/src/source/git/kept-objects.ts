import { type Call, throwIfAborted } from '../../runtime/call.ts'
import { GitOpsError, toGitOpsError } from '../../runtime/errors.ts'
import { type CheckedTrees, assertComplete } from './completeness.ts'
import type { KeptCommits } from './download.ts'
import type { GitLimits } from './limits.ts'
import type { DecodedPack } from './pack/decode.ts'
import { keptInMemory } from './pack/kept-pack.ts'
import { isChangedOnDisk } from './pack/read.ts'
import type { ChosenRef } from './refs.ts'
import { bytesOf, consolidate, packBytes, shouldConsolidate } from './store/consolidate.ts'
import type { ObjectStore } from './store/object-store.ts'
import type { FolderState, RepositoryFolder } from './store/repository-folder.ts'

/** Times that a pack is added to a folder which others change meanwhile. */
const MAX_ATTEMPTS = 5

/** Keeps what was fetched: in memory, and in a folder where there is one; and keeps it small. */
export interface KeptObjects {
  /**
   * Runs `work` on what is kept; the folder is read before, the first time. When a pack was changed on disk meanwhile,
   * the folder is read anew and `work` runs once more.
   */
  whole<T>(call: Call, work: () => Promise<T>): Promise<T>
  /** Saves a pack that was checked, and puts packs together when there are too many. */
  added(pack: DecodedPack, call: Call): Promise<void>
  /** Saves what is in force. */
  saveState(call: Call): Promise<void>
}

/** What is kept, and where. */
export interface KeptObjectsContext {
  readonly store: ObjectStore
  readonly kept: KeptCommits
  readonly checked: CheckedTrees
  readonly inForce: Map<string, ChosenRef>
  readonly limits: GitLimits
  readonly partial: boolean
  readonly folder?: RepositoryFolder
}

/** A folder that cannot be written is reported to the log; reading goes on from memory. */
export function createKeptObjects(context: KeptObjectsContext): KeptObjects {
  const { store, kept, checked, folder } = context
  let opening: Promise<void> | undefined
  let loading = false
  let lastBytes = 0
  /** A pack could not be written: the folder is behind, until all that is kept is written as one. */
  let unsaved = false
  const state = (): FolderState => ({ kept: kept.list, inForce: Object.fromEntries(context.inForce) })
  const open = (call: Call): Promise<void> => {
    if (opening !== undefined) return opening
    loading = true
    opening = load(context, call)
      .catch((error: unknown) => {
        opening = undefined
        throw error
      })
      .finally(() => (loading = false))
    return opening
  }
  const openAgain = (call: Call): Promise<void> => {
    if (!loading) opening = undefined
    return open(call)
  }
  const putTogether = async (call: Call): Promise<void> => {
    const before = store.packs
    const known = new Set(checked)
    const { pack, trees } = await consolidate(store, kept.list, call)
    const obsolete = before.map(({ checksum }) => checksum)
    const written = (await folder?.replace(pack, obsolete, state(), call)) ?? keptInMemory(pack)
    store.replace([written, ...store.packs.filter((one) => !before.includes(one))])
    for (const tree of known) if (!trees.has(tree)) checked.delete(tree)
    lastBytes = packBytes(store)
    unsaved = false
  }
  /** Other processes may put packs together and remove those that this one builds on: then it builds on theirs. */
  const addToFolder = async (folder: RepositoryFolder, pack: DecodedPack, call: Call): Promise<void> => {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const known = store.packs.filter(({ onDisk }) => onDisk).map(({ checksum }) => checksum)
      const written = await folder.add(pack, known, state(), call)
      if (written === undefined) await openAgain(call)
      else return store.replace(store.packs.map((one) => (one.checksum === pack.checksum ? written : one)))
    }
    throw new GitOpsError('WRITE_CONFLICT', 'Other processes put the packs of a folder together all the time.')
  }
  const save = async (pack: DecodedPack, call: Call): Promise<void> => {
    const unsavedBefore = unsaved
    unsaved = true
    if (folder !== undefined) await addToFolder(folder, pack, call)
    unsaved = unsavedBefore
    lastBytes ||= Math.max(...store.packs.map(bytesOf))
    if (unsaved || shouldConsolidate(store, lastBytes)) await putTogether(call)
  }
  return {
    whole: async (call, work) => {
      await open(call)
      try {
        return await work()
      } catch (error) {
        if (!isChangedOnDisk(error)) throw error
        await openAgain(call)
        return work()
      }
    },
    added: (pack, call) => reportFailure(call, () => save(pack, call)),
    saveState: (call) => reportFailure(call, async () => folder?.saveState(state(), call)),
  }
}

/**
 * Takes over what the folder holds; what could not be saved stays in memory. Commits that it no longer holds completely
 * are forgotten, and fetched again when wanted.
 */
async function load(context: KeptObjectsContext, call: Call): Promise<void> {
  const { store, kept, checked, inForce, folder } = context
  if (folder === undefined) return
  const { packs, state } = await folder.load(call)
  store.replace([...store.packs.filter(({ onDisk }) => !onDisk), ...packs])
  for (const [key, chosen] of Object.entries(state.inForce)) if (!inForce.has(key)) inForce.set(key, chosen)
  checked.clear()
  const complete: string[] = []
  for (const commit of new Set([...kept.list, ...state.kept]))
    if (await isComplete(commit, context, call)) complete.push(commit)
  kept.keepOnly(complete)
}

async function isComplete(commit: string, context: KeptObjectsContext, call: Call): Promise<boolean> {
  try {
    await assertComplete(commit, { ...context, withoutFiles: context.partial }, call)
    return true
  } catch (error) {
    throwIfAborted(call)
    call.log.warn('A kept commit is not complete and will be fetched again.', {
      commit,
      reason: toGitOpsError(error, 'Reading it').message,
    })
    return false
  }
}

async function reportFailure(call: Call, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (call.signal.aborted) throw error
    const { code, message } = toGitOpsError(error, 'Writing the storage folder')
    call.log.error('What was fetched could not be stored. It is kept in memory only.', { code, message })
  }
}
