import { expect, test } from 'vitest'
import type { ApplicationEvent } from '../feedback/events.ts'
import { seededRandom } from '../runtime/random.ts'
import { memorySource } from '../source/memory.ts'
import { manualClock } from '../testing/clock.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import { memoryLedger } from '../ledger/memory.ts'
import { createReconciler } from './reconciler.ts'

/** A shop that is ready, and whose history somebody then replaces. */
async function rewritten(rewrites: 'follow' | 'refuse') {
  const clock = manualClock()
  const source = memorySource({ files: { 'flag/a.json': { on: true } }, rewrites })
  const good = source.commit({ 'flag/b.json': { on: true } })
  const target = memoryTarget()
  const events: ApplicationEvent[] = []
  const reconciler = createReconciler({
    applications: [{ name: 'shop', source, target, policy: { prune: true } }],
    ledger: memoryLedger({ installKey: new Uint8Array(32) }),
    clock,
    random: seededRandom(1),
  })
  reconciler.onAny((event) => void events.push(event))
  reconciler.start()
  await clock.advance(1_000)
  const forced = source.rewrite({ 'flag/c.json': { on: true } }, { onto: null })
  await clock.advance(3_600_000)
  const names = [...target.live.values()].map(({ ref }) => ref.name).toSorted()
  const told = events.filter(({ type }) => type === 'revisionRewritten')
  await reconciler.stop()
  return { reconciler, good, forced, names, rewrites: told }
}

test('a rewritten history is told once with both ids, and the last good revision stays in force', async () => {
  const { reconciler, good, forced, names, rewrites } = await rewritten('refuse')
  expect(rewrites).toMatchObject([{ revision: { id: forced.id }, previous: { id: good.id }, followed: false }])
  expect(names).toEqual(['a', 'b'])
  expect(reconciler.status('shop')).toMatchObject({ ready: { id: good.id }, error: { code: 'REVISION_REWRITTEN' } })
  expect(reconciler.explain('shop').next).toContain('restore the ref')
})

test('a source that follows is followed, and that is told as well', async () => {
  const { reconciler, good, forced, names, rewrites } = await rewritten('follow')
  expect(rewrites).toMatchObject([{ revision: { id: forced.id }, previous: { id: good.id }, followed: true }])
  expect(names).toEqual(['c'])
  expect(reconciler.status('shop')).toMatchObject({ ready: { id: forced.id } })
})
