import type { Call } from '../../runtime/call.ts'
import { toGitOpsError } from '../../runtime/errors.ts'
import { type CheckedTrees, assertComplete } from './completeness.ts'
import type { KeptCommits } from './download.ts'
import type { GitLimits } from './limits.ts'
import type { DecodedPack } from './pack/decode.ts'
import type { ChosenRef } from './refs.ts'
import { consolidate, packBytes, shouldConsolidate } from './store/consolidate.ts'
import type { ObjectStore } from './store/object-store.ts'
import type { FolderState, RepositoryFolder } from './store/repository-folder.ts'

/** Keeps what was fetched: in memory, and in a folder where there is one; and keeps it small. */
export interface KeptObjects {
  /** Reads the folder, the first time. */
  open(call: Call): Promise<void>
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
  let lastBytes = 0
  const state = (): FolderState => ({ kept: kept.list, inForce: Object.fromEntries(context.inForce) })
  const putTogether = async (call: Call): Promise<void> => {
    const obsolete = store.packs.map(({ checksum }) => checksum)
    const pack = await consolidate(store, kept.list, checked, call)
    store.replace([pack, ...store.packs.filter(({ checksum }) => !obsolete.includes(checksum))])
    lastBytes = packBytes(store)
    await folder?.replace(pack, obsolete, state(), call)
  }
  const save = async (pack: DecodedPack, call: Call): Promise<void> => {
    const known = store.packs.map(({ checksum }) => checksum).filter((checksum) => checksum !== pack.checksum)
    const saved = folder === undefined || (await folder.add(pack, known, state(), call))
    if (lastBytes === 0) lastBytes = packBytes(store)
    if (!saved || shouldConsolidate(store, lastBytes)) await putTogether(call)
  }
  return {
    open: (call) =>
      (opening ??= load(context, call).catch((error: unknown) => {
        opening = undefined
        throw error
      })),
    added: (pack, call) => reportFailure(call, () => save(pack, call)),
    saveState: (call) => reportFailure(call, async () => folder?.saveState(state(), call)),
  }
}

/** Commits that a damaged folder no longer holds completely are forgotten, and fetched again when wanted. */
async function load(context: KeptObjectsContext, call: Call): Promise<void> {
  const { store, kept, inForce, folder } = context
  if (folder === undefined) return
  const { packs, state } = await folder.load(call)
  for (const pack of packs) store.add(pack)
  for (const [key, chosen] of Object.entries(state.inForce)) inForce.set(key, chosen)
  for (const commit of state.kept.toReversed()) {
    try {
      await assertComplete(commit, { ...context, withoutFiles: context.partial }, call)
      kept.use(commit)
    } catch (error) {
      call.log.warn('A kept commit is not complete and will be fetched again.', {
        commit,
        reason: toGitOpsError(error, 'Reading it').message,
      })
    }
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
