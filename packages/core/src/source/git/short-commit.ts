import type { Call } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { Downloads } from './download.ts'
import type { Poller } from './poll.ts'
import type { ObjectStore } from './store/object-store.ts'

/** How far back the history of the default branch is searched. */
const HISTORY_DEPTH = 50_000

interface SearchContext {
  readonly poller: Poller
  readonly store: ObjectStore
  readonly downloads: Downloads
}

/**
 * The commit whose id starts with `digits`: among the heads of all refs, what is here, and then the
 * history of the default branch. `undefined` when there is none; throws `REVISION_AMBIGUOUS` for several.
 */
export async function findShortCommit(digits: string, context: SearchContext, call: Call): Promise<string | undefined> {
  const refs = await context.poller.refs([''], call)
  const heads = refs.flatMap(({ oid, peeled }) => peeled ?? oid ?? []).filter((oid) => oid.startsWith(digits))
  const found = onlyOne(digits, [...heads, ...(await commitsHere(digits, context.store))])
  if (found !== undefined) return found
  const head = refs.find(({ name }) => name === 'HEAD')?.oid
  if (head === undefined) return undefined
  await context.downloads.history(head, undefined, HISTORY_DEPTH, call)
  return onlyOne(digits, await commitsHere(digits, context.store))
}

async function commitsHere(digits: string, store: ObjectStore): Promise<readonly string[]> {
  const commits: string[] = []
  for (const oid of store.startingWith(digits)) if ((await store.read(oid))?.type === 'commit') commits.push(oid)
  return commits
}

function onlyOne(digits: string, oids: readonly string[]): string | undefined {
  const different = [...new Set(oids)]
  if (different.length > 1)
    throw new GitOpsError(
      'REVISION_AMBIGUOUS',
      `${digits} is the start of ${different.length} commits. Write more digits.`,
      {
        details: { candidates: different.slice(0, 10) },
      },
    )
  return different[0]
}
