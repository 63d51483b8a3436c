import { setImmediate } from 'node:timers/promises'
import { type Call, throwIfAborted } from '../../runtime/call.ts'
import { GitOpsError, toGitOpsError } from '../../runtime/errors.ts'
import { type CheckedTrees, assertComplete } from './completeness.ts'
import type { KeptCommits } from './download.ts'
import type { GitLimits } from './limits.ts'
import { mending } from './mending.ts'
import type { DecodedPack } from './pack/decode.ts'
import { type KeptPack, keptInMemory } from './pack/kept-pack.ts'
import { idsOf } from './pack/pack-index.ts'
import { changedPack } from './pack/read.ts'
import type { ChosenRef } from './refs.ts'
import { bytesOf, consolidate, packBytes, shouldConsolidate } from './store/consolidate.ts'
import { type ObjectStore, isMissing } from './store/object-store.ts'
import type { FolderState, RepositoryFolder } from './store/repository-folder.ts'

/** Times that a pack is added to a folder which others change meanwhile. */
const MAX_ATTEMPTS = 6

/** Keeps what was fetched: in memory, and in a folder where there is one; and keeps it small. */
export interface KeptObjects {
  /**
   * Runs `work` on what is kept; the folder is read before, the first time. When a pack was changed on disk meanwhile,
   * the folder is read anew and `work` runs again.
   */
  whole<T>(call: Call, work: () => Promise<T>): Promise<T>
  /** Takes over what other processes put into the folder or took out of it. */
  lookAround(call: Call): Promise<void>
  /** Saves a pack that was checked. Packs are put together beside, when there are too many. */
  added(pack: DecodedPack, call: Call): Promise<void>
  /** Saves what is in force. */
  saveState(call: Call): Promise<void>
  /** Gives up what goes on beside. */
  [Symbol.asyncDispose](): Promise<void>
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
  let isLoading = false
  let tidying: Promise<void> = Promise.resolve()
  const closing = new AbortController()
  let lastBytes = 0
  /** A pack could not be written: the folder is behind, until all that is kept is written as one. */
  let isBehind = false
  const state = (): FolderState => ({ kept: kept.list, inForce: Object.fromEntries(context.inForce) })
  const start = (call: Call, suspect?: string): Promise<void> => {
    isLoading = true
    opening = load(context, call, suspect)
      .catch((error: unknown) => {
        opening = undefined
        throw error
      })
      .finally(() => (isLoading = false))
    return opening
  }
  const open = (call: Call): Promise<void> => opening ?? start(call)
  const openAgain = async (call: Call, suspect?: string): Promise<void> => {
    await (isLoading ? open(call) : start(call, suspect))
    lastBytes = largestOf(store)
  }
  /** Takes over what other processes put into the folder or took out of it. */
  const followOthers = async (call: Call): Promise<boolean> => {
    if (folder === undefined || (await folder.holds(namesOnDisk(store.packs)))) return false
    await openAgain(call)
    return true
  }
  const whole = <T>(call: Call, work: () => Promise<T>): Promise<T> => {
    let missed = 0
    return mending(work, async (error) => {
      // What is missing may have been taken by others, or never have been sent: looking again helps once, or not at all.
      const suspect = changedPack(error) ?? (isMissing(error) && missed++ === 0 ? 'none' : undefined)
      if (folder === undefined || suspect === undefined) return false
      await openAgain(call, suspect)
      return true
    })
  }
  const putTogether = async (call: Call): Promise<void> => {
    const before = store.packs
    const known = new Set(checked)
    const { pack, trees } = await consolidate(store, kept.list, call)
    const written =
      folder === undefined ? keptInMemory(pack) : await folder.replace(pack, namesOnDisk(before), state(), call)
    // Somebody else was faster: theirs is taken over with the next commit.
    if (written === undefined) return
    store.replace([written, ...store.packs.filter((one) => !before.includes(one))])
    for (const tree of known) if (!trees.has(tree)) checked.delete(tree)
    lastBytes = packBytes(store)
    isBehind = false
  }
  const tidy = async (call: Call): Promise<void> => {
    await followOthers(call)
    lastBytes ||= largestOf(store)
    if (isBehind || shouldConsolidate(store, lastBytes)) await putTogether(call)
  }
  /**
   * Begins when whoever waits for a commit has it and what they read of it. One at a time: the next pack waits, so that
   * packs cannot come faster than they are put together.
   */
  const tidyBeside = (call: Call): void => {
    const own = { ...call, signal: closing.signal }
    tidying = setImmediate()
      .then(() => reportFailure(own, () => whole(own, () => tidy(own))))
      .catch((error: unknown) => call.log.debug('Putting packs together was given up.', { error: String(error) }))
  }
  const save = async (folder: RepositoryFolder, pack: DecodedPack, call: Call): Promise<void> => {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      if ((await followOthers(call)) && isOnDisk(store, pack)) {
        // They fetched the same at the same time.
        store.replace(store.packs.filter(({ onDisk, checksum }) => onDisk || checksum !== pack.checksum))
        return folder.saveState(state(), call)
      }
      const written = await folder.add(pack, namesOnDisk(store.packs), state(), call)
      if (written !== undefined)
        return store.replace(store.packs.map((one) => (one.checksum === pack.checksum ? written : one)))
    }
    throw new GitOpsError('WRITE_CONFLICT', 'Other processes put the packs of a folder together all the time.')
  }
  return {
    lookAround: (call) => reportFailure(call, async () => void (await followOthers(call))),
    whole: async (call, work) => {
      await open(call)
      return whole(call, work)
    },
    added: (pack, call) =>
      reportFailure(call, async () => {
        await tidying
        const wasBehind = isBehind
        isBehind = true
        if (folder !== undefined) await whole(call, () => save(folder, pack, call))
        isBehind = wasBehind
        tidyBeside(call)
      }),
    saveState: (call) => reportFailure(call, async () => folder?.saveState(state(), call)),
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      await tidying
    },
  }
}

function isOnDisk({ packs }: ObjectStore, { index }: DecodedPack): boolean {
  const others = packs.filter(({ onDisk }) => onDisk)
  return idsOf(index).every((oid) => others.some((pack) => pack.index.find(oid) >= 0))
}

function namesOnDisk(packs: readonly KeptPack[]): readonly string[] {
  return packs.filter(({ onDisk }) => onDisk).map(({ checksum }) => checksum)
}

/** What one pack of all would take, more or less: the others came on top of it. */
function largestOf({ packs }: ObjectStore): number {
  return Math.max(0, ...packs.map(bytesOf))
}

/**
 * Takes over what the folder holds; what could not be saved stays in memory. The pack `suspect` is not believed to be
 * what it was. Commits that are no longer here completely are forgotten, and fetched again when wanted.
 */
async function load(context: KeptObjectsContext, call: Call, suspect?: string): Promise<void> {
  const { store, kept, checked, inForce, folder } = context
  if (folder === undefined) return
  const opened = store.packs.filter(({ onDisk, checksum }) => onDisk && checksum !== suspect)
  const before = kept.list
  const { packs, state } = await folder.load(opened, call)
  store.replace([...store.packs.filter(({ onDisk }) => !onDisk), ...packs])
  for (const [key, chosen] of Object.entries(state.inForce)) if (!inForce.has(key)) inForce.set(key, chosen)
  const isLess = suspect !== undefined || opened.some((pack) => !packs.includes(pack))
  if (isLess) checked.clear()
  const complete: string[] = []
  for (const commit of new Set([...before, ...state.kept]))
    if ((!isLess && before.includes(commit)) || (await isComplete(commit, context, call))) complete.push(commit)
  const came = kept.list.filter((commit) => !before.includes(commit))
  kept.keepOnly([...came, ...complete.filter((commit) => !came.includes(commit))])
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
