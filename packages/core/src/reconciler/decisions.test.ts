import { expect, test } from 'vitest'
import type { ApplicationEvent } from '../feedback/events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { memoryLedger } from '../ledger/memory.ts'
import { seededRandom } from '../runtime/random.ts'
import { memorySource } from '../source/memory.ts'
import { manualClock } from '../testing/clock.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import type { PolicyOptions } from './policy/policy.ts'
import { createReconciler } from './reconciler.ts'

/** A ledger that takes a turn of the event loop for each operation, as one on a disk does. */
function slow(ledger: Ledger): Ledger {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    ...ledger,
    read: async (...given) => turn().then(() => ledger.read(...given)),
    commit: async (...given) => turn().then(() => ledger.commit(...given)),
  }
}

function setUp(policy: PolicyOptions = {}) {
  const clock = manualClock()
  const source = memorySource({ files: { 'flag/a.json': { on: true }, 'flag/b.json': { on: true } } })
  const target = memoryTarget()
  const ledger = memoryLedger({ installKey: new Uint8Array(32) })
  const events: ApplicationEvent[] = []
  const application = { name: 'shop', source, target, policy }
  const reconciler = createReconciler({
    applications: [application],
    ledger: slow(ledger),
    clock,
    random: seededRandom(1),
  })
  reconciler.onAny((event) => void events.push(event))
  return { clock, source, target, ledger, events, reconciler }
}

test.each(Array.from({ length: 12 }, (_, turns) => turns))(
  'a decision of a person and a run of the engine do not fence each other, %i turns into the run',
  async (turns) => {
    const { reconciler } = setUp()
    const running = reconciler.reconcile('shop')
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
    await reconciler.suspend('shop', { by: 'ada', reason: 'migration' })
    const { error } = await running
    expect(error).toBeUndefined()
    expect(reconciler.status('shop').suspension).toMatchObject({ by: 'ada' })
    await reconciler[Symbol.asyncDispose]()
  },
)

test('decisions that several people take at once are all kept', async () => {
  const { reconciler, ledger } = setUp({ mode: 'approve' })
  const { plan } = await reconciler.reconcile('shop')
  const fingerprint = plan?.fingerprint ?? ''
  await Promise.all([
    reconciler.approve('shop', { fingerprint, by: 'ada' }),
    reconciler.suspend('shop', { by: 'bob', reason: 'migration' }),
    reconciler.hold('shop', { to: { id: 'r1' }, by: 'eve', reason: 'freeze' }),
  ])
  const actors: string[] = []
  for await (const { actor } of reconciler.audit()) actors.push(actor)
  expect(actors.toSorted()).toEqual(expect.arrayContaining(['ada', 'bob', 'eve']))
  const record = await ledger.read('shop', { signal: new AbortController().signal } as Parameters<Ledger['read']>[1])
  expect(record.suspension?.by).toBe('bob')
  expect(record.hold?.by).toBe('eve')
})

test('stopping before the ledger was read leaves nothing running', async () => {
  const { reconciler, clock, target } = setUp()
  reconciler.start()
  await reconciler.stop()
  await clock.advance(3_600_000)
  expect(target.counts.read).toBe(0)
  expect(clock.pending).toBe(0)
})

test('applied is told when the changes are made, before health is judged', async () => {
  const { reconciler, events } = setUp()
  await reconciler.reconcile('shop')
  const types = events.map(({ type }) => type)
  expect(types.indexOf('applied')).toBeGreaterThan(types.lastIndexOf('changed'))
  expect(types.indexOf('applied')).toBeLessThan(types.indexOf('ready'))
})

test('a caller of reconcile gets one run, and it works on what is in the source at that moment', async () => {
  const { reconciler, source, events } = setUp()
  await reconciler.reconcile('shop')
  for (let round = 0; round < 20; round++) {
    const { id } = source.commit({ 'flag/a.json': { on: round } })
    for (let turn = 0; turn < round % 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(await reconciler.reconcile('shop')).toMatchObject({ outcome: 'applied', revision: { id } })
  }
  expect(events.filter(({ type }) => type === 'started')).toHaveLength(21)
})

test('callers that meet get an answer each', async () => {
  const { reconciler } = setUp()
  const results = await Promise.all([1, 2, 3].map(() => reconciler.reconcile('shop')))
  expect(results.map(({ outcome }) => outcome)).toEqual(['applied', 'applied', 'applied'])
})
