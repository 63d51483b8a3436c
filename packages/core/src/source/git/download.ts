import type { Call } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { type CheckedTrees, assertComplete } from './completeness.ts'
import type { GitLimits } from './limits.ts'
import { type DecodeContext, type DecodedPack, decodePack } from './pack/decode.ts'
import { keptInMemory } from './pack/kept-pack.ts'
import type { FetchRequest } from './protocol/fetch.ts'
import type { Remote } from './remote.ts'
import { type SharedRuns, createSharedRuns } from './share.ts'
import type { ObjectStore } from './store/object-store.ts'

/** Brings commits and files here. Everything is checked before anything is kept. */
export interface Downloads {
  /**
   * Makes sure that `commit` and its folders are here, and its files unless those come on demand. `tag` is the
   * annotated tag that leads to it: in the old protocol a server gives only what its refs name.
   */
  commit(commit: string, call: Call, tag?: string): Promise<void>
  /** Makes sure that these files are here. */
  files(oids: readonly string[], call: Call): Promise<void>
  /** Commits only, from `commit` back by at most `depth`. */
  history(commit: string, from: string | undefined, depth: number, call: Call): Promise<void>
  /**
   * The commits that lead to `commit` and not to `known`, without their files: to find out how the two are related.
   * `false` when the server cuts its history off, or they are so many that they were not received.
   */
  historySince(commit: string, known: string, call: Call): Promise<boolean>
  /**
   * Whether the server says that `from` is among the ancestors of `commit`: it has nothing to send to somebody who has
   * `commit` and asks for `from`. That is its word and no proof. `false` where it says no, or nothing.
   */
  contains(commit: string, from: string, call: Call): Promise<boolean>
  /** Whether the commit and everything it refers to are here. */
  has(commit: string): boolean
}

/** What downloading needs. */
export interface DownloadContext {
  readonly remote: Remote
  readonly store: ObjectStore
  readonly limits: GitLimits
  /** Files are fetched when they are asked for, where the server can leave them out. */
  readonly partial: boolean
  /** Commits that are here complete, the one used last first. */
  readonly kept: KeptCommits
  /** Folders that are here with everything below them. */
  readonly checked: CheckedTrees
  /** Called before a commit is fetched: another process may have brought it. */
  readonly lookAround: (call: Call) => Promise<unknown>
  /** Called with each pack once it is checked, before anybody sees what it brought. */
  readonly onPack: (pack: DecodedPack, call: Call) => Promise<void>
}

/** Commits that are here with everything they refer to. */
export interface KeptCommits {
  readonly list: readonly string[]
  has(commit: string): boolean
  /** Notes that the commit is complete, or was used again. */
  use(commit: string): void
  /** Puts `commits` in place of all, the one used last first. */
  keepOnly(commits: readonly string[]): void
}

const MAX_HAVES = 8
/** One request for files names at most this many. */
const MAX_WANTS = 5_000
/** The most commits that are received to find out how two are related. */
const MAX_HISTORY = 50_000
/**
 * Commits to ask for when there is something to build on: the new one and its parents. A server that sees that the
 * parent is here compares the two trees; one that is asked for the new commit alone reads every folder of the old.
 */
const DEPTH_ON_TOP = 2

/** Fetches what is missing, each thing once, however many ask for it. */
export function createDownloads(context: DownloadContext): Downloads {
  const running: SharedRuns<void> = createSharedRuns()
  const searches: SharedRuns<boolean> = createSharedRuns()
  return {
    has: (commit) => context.kept.has(commit),
    commit: async (commit, call, tag) => {
      const wanted = { commit, want: tag ?? commit }
      if (!context.kept.has(commit)) await context.lookAround(call)
      if (!context.kept.has(commit)) await running.join(commit, call, (own) => fetchCommit(context, wanted, own))
      context.kept.use(commit)
    },
    files: async (oids, call) => {
      const missing = [...new Set(oids)].filter((oid) => !context.store.has(oid)).toSorted()
      for (let at = 0; at < missing.length; at += MAX_WANTS) {
        const wants = missing.slice(at, at + MAX_WANTS)
        await running.join(wants.join(), call, (own) => fetchFiles(context, wants, own))
      }
    },
    history: (commit, from, depth, call) =>
      running.join(`${commit} ${from ?? ''} ${depth}`, call, async (own) => {
        const haves = from === undefined ? [] : [from]
        const request = { wants: [commit], haves, shallow: haves, depth, filter: 'tree:0', thin: false }
        const { pack } = await receive(context, request, own)
        context.store.add(keptInMemory(pack))
      }),
    historySince: (commit, known, call) =>
      searches.join(`${commit} ${known}`, call, (own) => fetchHistory(context, commit, known, own)),
    contains: (commit, from, call) =>
      searches.join(`${commit} contains ${from}`, call, (own) => hasNothingToSend(context, commit, from, own)),
  }
}

interface WantedCommit {
  readonly commit: string
  /** What the server is asked for: the commit, or an annotated tag that leads to it. */
  readonly want: string
}

async function fetchCommit(context: DownloadContext, wanted: WantedCommit, call: Call): Promise<void> {
  const haves = context.kept.list.slice(0, MAX_HAVES)
  try {
    await fetchOnTop(context, wanted, haves, call)
  } catch (error) {
    if (haves.length === 0 || !(error instanceof GitOpsError) || error.code !== 'SOURCE_CORRUPT') throw error
    call.log.warn('A difference could not be put together and is fetched whole.', {
      commit: wanted.commit,
      reason: error.message,
    })
    await fetchOnTop(context, wanted, [], call)
  }
}

/** Fetches the difference to what is here; everything when `haves` is empty. */
async function fetchOnTop(
  context: DownloadContext,
  { commit, want }: WantedCommit,
  haves: readonly string[],
  call: Call,
): Promise<void> {
  const withoutFiles = context.partial && (await context.remote.canFilter(call))
  const filter = withoutFiles ? { filter: 'blob:none' } : {}
  const depth = haves.length === 0 ? 1 : DEPTH_ON_TOP
  const request = { wants: [want], haves, shallow: haves, depth, thin: true, ...filter }
  const { pack } = await receive(context, request, call)
  await keepIfGood(context, pack, call, async () => {
    await assertComplete(commit, { ...context, withoutFiles }, call, haves[0])
    context.kept.use(commit)
  })
}

async function fetchHistory(context: DownloadContext, commit: string, known: string, call: Call): Promise<boolean> {
  const limits = { ...context.limits, maxObjects: Math.min(context.limits.maxObjects, MAX_HISTORY) }
  const request = { wants: [commit], haves: [known], shallow: [], filter: 'tree:0', thin: false }
  try {
    const { pack, shallow } = await receive({ ...context, limits }, request, call)
    if (pack.index.count > 0) context.store.add(keptInMemory(pack))
    return shallow.length === 0
  } catch (error) {
    if (error instanceof GitOpsError && error.code === 'SOURCE_LIMIT') return false
    throw error
  }
}

/** The head of a pack tells how many objects follow: no more is read of one that is not empty. */
async function hasNothingToSend(context: DownloadContext, commit: string, from: string, call: Call): Promise<boolean> {
  if (!(await context.remote.givesAnyCommit(call))) return false
  const request = { wants: [from], haves: [commit], shallow: [], filter: 'tree:0', thin: false }
  try {
    await receive({ ...context, limits: { ...context.limits, maxObjects: 0 } }, request, call)
    return true
  } catch (error) {
    if (error instanceof GitOpsError && saysNo.has(error.code)) return false
    throw error
  }
}

/** There is something to send, or the server no longer has what was asked for. */
const saysNo: ReadonlySet<string> = new Set(['SOURCE_LIMIT', 'REVISION_NOT_FOUND'])

async function fetchFiles(context: DownloadContext, wants: readonly string[], call: Call): Promise<void> {
  const { pack } = await receive(context, { wants, haves: [], shallow: [], thin: false }, call)
  await keepIfGood(context, pack, call, async () => {
    const absent = wants.find((oid) => !context.store.has(oid))
    if (absent !== undefined) throw new GitOpsError('SOURCE_CORRUPT', `The server did not send the file ${absent}.`)
  })
}

interface Received {
  readonly pack: DecodedPack
  /** Commits whose parents the server left out. */
  readonly shallow: readonly string[]
}

function receive({ remote, store, limits }: DownloadContext, request: FetchRequest, call: Call): Promise<Received> {
  const decoding: DecodeContext = {
    limits,
    cache: store.cache,
    readBase: (oid) => store.read(oid),
    writtenBase: (oid) => store.written(oid),
    onTree: (oid, data) => store.treeCame(oid, data),
  }
  return remote.fetch(
    request,
    async ({ pack, shallow }) => ({ pack: await decodePack(pack, decoding, call), shallow }),
    call,
  )
}

/** Objects of the pack have true names, so that seeing them early is harmless; keeping them is not. */
async function keepIfGood(
  { store, onPack }: DownloadContext,
  pack: DecodedPack,
  call: Call,
  check: () => Promise<void>,
): Promise<void> {
  const received = keptInMemory(pack)
  store.add(received)
  try {
    await check()
  } catch (error) {
    store.replace(store.packs.filter((one) => one !== received))
    throw error
  }
  // What is good stays in memory, also when saving it is given up.
  await onPack(pack, call)
}
