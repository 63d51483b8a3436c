import type { Call } from '../../runtime/call.ts'
import type { Revision } from '../source.ts'
import type { RevisionCandidate, RevisionVerifier } from '../verify/signatures.ts'
import type { Downloads } from './download.ts'
import type { Poller } from './poll.ts'
import { type ChosenRef, type RefQuery, refsTo } from './refs.ts'
import type { ObjectStore } from './store/object-store.ts'

/** Asks the verifier about revisions, once about each. Rejects with `REVISION_UNVERIFIED`. */
export interface Proof {
  /** Before a revision comes into force. */
  ofChosen(chosen: ChosenRef, call: Call): Promise<void>
  /** Before one that was recorded earlier is read: what is trusted may have changed, or nobody ever asked about it. */
  ofRecorded(revision: Revision, call: Call): Promise<void>
}

/** What proving needs. */
export interface ProofContext {
  readonly poller: Poller
  readonly store: ObjectStore
  readonly downloads: Downloads
}

/** How many proved commits are remembered; one that was forgotten is proved again. */
const MAX_PROVED = 1_000

/** Proof of what `query` leads to. */
export function createProof(context: ProofContext, query: RefQuery, verify: RevisionVerifier): Proof {
  const proved = new Set<string>()
  let current: ChosenRef | undefined
  const prove = async (chosen: ChosenRef, call: Call): Promise<void> => {
    await verify(await candidateOf(context, chosen, call), call)
    proved.add(chosen.oid)
    for (const oid of proved) if (proved.size > MAX_PROVED) proved.delete(oid)
  }
  return {
    ofChosen: async (chosen, call) => {
      if (chosen.oid === current?.oid && chosen.tag === current.tag) return
      await prove(chosen, call)
      current = chosen
    },
    ofRecorded: async ({ id }, call) => {
      if (proved.has(id)) return
      await context.downloads.commit(id, call)
      try {
        await prove({ ref: id, name: id, oid: id }, call)
      } catch (error) {
        const tagged = await tagsOf(context, query, id, call)
        if (tagged.length === 0) throw error
        await proveOne(tagged, error, (chosen) => prove(chosen, call))
      }
    },
  }
}

/** One of them is enough. Rejects with why the last is none, or with `before` where none is. */
async function proveOne(
  tagged: readonly ChosenRef[],
  before: unknown,
  prove: (chosen: ChosenRef) => Promise<void>,
): Promise<void> {
  let failure = before
  for (const chosen of tagged) {
    try {
      return await prove(chosen)
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** Annotated tags that lead to `commit` now. The server is not asked where no tag is followed. */
async function tagsOf({ poller }: ProofContext, query: RefQuery, commit: string, call: Call): Promise<ChosenRef[]> {
  if (query.kind === 'commit' || !query.prefixes.some((prefix) => prefix.startsWith('refs/tags/'))) return []
  const refs = await poller.refs(query.prefixes, call)
  return refsTo(commit, refs).filter(({ tag }) => tag !== undefined)
}

/** What has to be proved. The tag object alone is fetched: its commit is here. */
async function candidateOf(
  { store, downloads }: ProofContext,
  chosen: ChosenRef,
  call: Call,
): Promise<RevisionCandidate> {
  const { oid, tag, ref } = chosen
  const commit = { id: oid, raw: await store.expect(oid, 'commit') }
  if (tag === undefined) return { commit }
  if (!store.has(tag)) await downloads.history(tag, oid, 1, call)
  return { commit, tag: { id: tag, raw: await store.expect(tag, 'tag'), name: ref.replace('refs/tags/', '') } }
}
