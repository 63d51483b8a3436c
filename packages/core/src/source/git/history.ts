import type { Call } from '../../runtime/call.ts'
import { parseCommit } from './commit.ts'
import type { Downloads } from './download.ts'
import type { ObjectStore } from './store/object-store.ts'

/** How a newer head of a ref is related to an older one. */
export type Descent = 'descends' | 'does not descend' | 'unknown'

/** How far back history is fetched, step by step, before the answer is `unknown`. */
const DEPTHS = [250, 5_000, 50_000]

/**
 * Whether `from` is among the ancestors of `to`. Fetches commits, without folders and files, as far as needed.
 * Nothing is looked for below `floor`, an ancestor of `from` that both sides have.
 */
export async function descentOf(
  to: string,
  from: string,
  store: ObjectStore,
  downloads: Downloads,
  call: Call,
  floor?: string,
): Promise<Descent> {
  let answer = searchHistory(to, from, store, floor)
  for (const depth of DEPTHS) {
    if (answer !== 'unknown') break
    await downloads.history(to, floor ?? from, depth, call)
    answer = searchHistory(to, from, store, floor)
  }
  return answer
}

/** Looks through the commits that are here. `unknown` when a parent is not. */
function searchHistory(to: string, from: string, store: ObjectStore, floor?: string): Descent {
  const seen = new Set([to])
  let missing = false
  for (const oid of seen) {
    if (oid === from) return 'descends'
    if (oid === floor) continue
    const commit = store.read(oid)
    if (commit === undefined) missing = true
    else for (const parent of parseCommit(commit.data).parents) seen.add(parent)
  }
  return missing ? 'unknown' : 'does not descend'
}
