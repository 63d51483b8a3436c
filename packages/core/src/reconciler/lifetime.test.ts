import { expect, test } from 'vitest'
import { memoryLedger } from '../ledger/memory.ts'
import { type MemorySource, memorySource } from '../source/memory.ts'
import type { Source } from '../source/source.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import { createReconciler } from './reconciler.ts'

const thousand = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`flag/f${index}.json`, { on: index }]))

/** The same source, and the paths that were read from it. */
function watched(source: MemorySource): { readonly source: Source; readonly takeRead: () => string[] } {
  const paths: string[] = []
  const snapshot: Source['snapshot'] = async (revision, call) => {
    const opened = await source.snapshot(revision, call)
    return { ...opened, read: (path, own) => (paths.push(path), opened.read(path, own)) }
  }
  return { source: { ...source, snapshot }, takeRead: () => paths.splice(0) }
}

function place() {
  const store = memorySource({ files: thousand })
  const { source, takeRead } = watched(store)
  const target = memoryTarget()
  const shop = { name: 'shop', source, target, policy: { prune: true } }
  const reconciler = createReconciler({ applications: [shop], ledger: memoryLedger() })
  return { store, takeRead, target, shop, reconciler }
}

test('a commit that changes one file of a thousand reads one file and writes one resource', async () => {
  const { store, takeRead, target, reconciler } = place()
  await reconciler.reconcile('shop')
  expect(takeRead()).toHaveLength(1_000)
  const { write } = target.counts
  store.commit({ 'flag/f7.json': { on: 'changed' } })
  expect(await reconciler.reconcile('shop')).toMatchObject({ outcome: 'applied', plan: { changes: [{}] } })
  expect(takeRead()).toEqual(['flag/f7.json'])
  expect(target.counts.write - write).toBe(1)
  store.commit({ 'flag/f7.json': null })
  await reconciler.plan('shop')
  await reconciler.reconcile('shop')
  expect(takeRead()).toEqual([])
  expect(target.live.size).toBe(999)
})

test('an application that receives the outputs of another reads no more than any other', async () => {
  const { shop, takeRead, reconciler, store } = place()
  const network = memoryTarget({ id: 'network', outputs: () => ({ id: { value: 'n1' } }) })
  await reconciler.add({ name: 'network', source: memorySource({ files: { 'net/a.json': {} } }), target: network })
  await reconciler.add({ ...shop, name: 'till', target: memoryTarget(), dependsOn: ['network'] })
  await reconciler.reconcile('network')
  await reconciler.reconcile('till')
  takeRead()
  store.commit({ 'flag/f7.json': { on: 'changed' } })
  await reconciler.reconcile('till')
  expect(takeRead()).toEqual(['flag/f7.json'])
})

test('what an application declared is forgotten when it is removed, also by a target that stays', async () => {
  const { shop, takeRead, reconciler } = place()
  await reconciler.reconcile('shop')
  await reconciler.remove('shop')
  takeRead()
  await reconciler.add(shop)
  await reconciler.reconcile('shop')
  expect(takeRead()).toHaveLength(1_000)
})
