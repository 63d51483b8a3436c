import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createCall } from '../../runtime/call.ts'
import { createKeptCommits } from './kept-commits.ts'
import { createKeptObjects } from './kept-objects.ts'
import { completeLimits } from './limits.ts'
import { type GitObject, hashObject } from './objects.ts'
import type { DecodedPack } from './pack/decode.ts'
import { encodePack, wholeEntry } from './pack/encode.ts'
import { keptInMemory } from './pack/kept-pack.ts'
import { createObjectStore } from './store/object-store.ts'

const call = createCall()

/** A commit of one file, in a pack of its own. */
async function commitOf(seed: number): Promise<{ readonly id: string; readonly pack: DecodedPack }> {
  const blob: GitObject = { type: 'blob', data: Buffer.from(`content ${seed}`) }
  const idOf = ({ type, data }: GitObject): string => hashObject(type, data)
  const entry = Buffer.concat([Buffer.from('100644 file\0'), Buffer.from(idOf(blob), 'hex')])
  const tree: GitObject = { type: 'tree', data: entry }
  const who = 'T <t@example.com> 1700000000 +0000'
  const text = `tree ${idOf(tree)}\nauthor ${who}\ncommitter ${who}\n\n${seed}\n`
  const commit: GitObject = { type: 'commit', data: Buffer.from(text) }
  const entries = [commit, tree, blob].map((object) => wholeEntry(idOf(object), object))
  return { id: idOf(commit), pack: await encodePack(entries, entries.length, call) }
}

test('packs are put together after a commit is handed out, and never fall far behind', async () => {
  const limits = completeLimits()
  const store = createObjectStore(limits)
  const kept = createKeptCommits(3)
  const context = { store, kept, checked: new Set<string>(), inForce: new Map(), limits, partial: false }
  await using objects = createKeptObjects(context)
  const counts: number[] = []
  for (let seed = 0; seed < 130; seed++) {
    const { id, pack } = await commitOf(seed)
    // Receiving it takes turns of the event loop.
    await setImmediate()
    store.add(keptInMemory(pack))
    kept.use(id)
    await objects.added(pack, call)
    counts.push(store.packs.length)
  }
  const after = counts.findIndex((packs, at) => packs < (counts[at - 1] ?? 0))
  expect(counts.slice(0, after), 'not while somebody waits').toEqual(Array.from({ length: after }, (_, at) => at + 1))
  expect(counts[after], 'one, and the next, which waited for it').toBe(2)
  expect(Math.max(...counts)).toBeLessThanOrEqual(41)
  for (const id of kept.list) expect((await store.expect(id, 'commit')).length).toBeGreaterThan(0)
  const [last = ''] = kept.list
  for (let turn = 0; turn < 100; turn++) await setImmediate()
  expect(await store.tree((await store.expect(last, 'commit')).toString('latin1', 5, 45))).toHaveProperty('size', 1)
})
