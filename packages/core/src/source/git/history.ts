import type { Call } from '../../runtime/call.ts'
import { parseCommit } from './commit.ts'
import type { Downloads } from './download.ts'
import type { ObjectStore } from './store/object-store.ts'

/** How a newer head of a ref is related to an older one. */
export type Descent = 'descends' | 'does not descend' | 'unknown'

/** What finding out needs. */
export interface DescentContext {
  readonly store: ObjectStore
  readonly downloads: Downloads
  /**
   * What the server says of the two, which is believed when it says yes. Not where signatures are verified: a server that lies
   * could bring back an old commit with its old signature. Absent where the commits in between have to prove it.
   */
  readonly word?: () => Promise<boolean>
}

/**
 * Whether `from` is among the ancestors of `to`. Where the commits that are here do not tell, the server is asked, or
 * those in between are fetched, without folders and files. Nothing is looked for below `floor`, an ancestor of `from`
 * that both sides have.
 */
export async function descentOf(
  to: string,
  from: string,
  { store, downloads, word }: DescentContext,
  call: Call,
  floor?: string,
): Promise<Descent> {
  const answer = await searchHistory(to, from, store, floor)
  if (answer !== 'unknown') return answer
  if ((await word?.()) === true) return 'descends'
  const complete = await downloads.historySince(to, floor ?? from, call)
  const second = await searchHistory(to, from, store, floor)
  // Everything that leads to `to` came, except what leads to `from` as well: had `from` been a part of it, a commit
  // that came would name it.
  return second === 'unknown' && complete ? 'does not descend' : second
}

/** Whether `from` is a parent of `to`, or of one of its parents. So far back commits are fetched together with `to`. */
export async function isNear(to: string, from: string, store: ObjectStore): Promise<boolean> {
  const parents = await parentsOf([to], store)
  return parents.includes(from) || (await parentsOf(parents, store)).includes(from)
}

async function parentsOf(commits: readonly string[], store: ObjectStore): Promise<readonly string[]> {
  const found = await Promise.all(commits.map((oid) => store.read(oid)))
  return found.flatMap((commit) => (commit === undefined ? [] : parseCommit(commit.data).parents))
}

/** Looks through the commits that are here. `unknown` when a parent is not. */
async function searchHistory(to: string, from: string, store: ObjectStore, floor?: string): Promise<Descent> {
  const seen = new Set([to])
  let missing = false
  for (const oid of seen) {
    if (oid === from) return 'descends'
    if (oid === floor) continue
    const commit = await store.read(oid)
    if (commit === undefined) missing = true
    else for (const parent of parseCommit(commit.data).parents) seen.add(parent)
  }
  return missing ? 'unknown' : 'does not descend'
}
