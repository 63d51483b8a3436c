import { expect, test } from 'vitest'
import { type RunResult, createReconciler, memoryLedger, memorySource } from '../../src/index.ts'
import { manualClock, memorySystem, memoryTarget, testCall } from '../../src/testing.ts'

const HOUR_MS = 3_600_000

/** One ledger, one system, one source, and replicas on machines whose clocks disagree: one takes over from the other. */
function replicas() {
  const source = memorySource({ files: { 'flag/a.json': { on: true }, 'flag/b.json': { on: true } } })
  const shared = { source, system: memorySystem(), ledger: memoryLedger() }
  /** What a replica does whose clock is off by so much, from its start to its end. */
  const runAt = async (offsetMs: number): Promise<{ result: RunResult; writes: number }> => {
    const target = memoryTarget({ system: shared.system })
    const clock = manualClock(Date.UTC(2027, 0, 1) + offsetMs)
    const application = { name: 'shop', source, target, policy: { prune: true, selfHeal: true } }
    await using reconciler = createReconciler({ applications: [application], ledger: shared.ledger, clock })
    return { result: await reconciler.reconcile('shop'), writes: target.counts.write }
  }
  const names = (): readonly string[] => [...shared.system.live.values()].map(({ ref }) => ref.name).toSorted()
  return { ...shared, runAt, names }
}

test('Q03: replicas whose clocks differ by two hours reach the same, whoever goes first', async () => {
  const { source, runAt, names, ledger } = replicas()
  for (let round = 0; round < 6; round++) {
    source.commit({
      [`flag/new-${round}.json`]: { on: true },
      'flag/a.json': { on: round % 2 === 0 },
      ...(round > 2 && { [`flag/new-${round - 3}.json`]: null }),
    })
    const [first, second] = round % 2 === 0 ? [-HOUR_MS, HOUR_MS] : [HOUR_MS, -HOUR_MS]
    expect(await runAt(first)).toMatchObject({ result: { outcome: 'applied' } })
    // The other one finds the work done: nothing is applied twice, and nothing is taken back.
    expect(await runAt(second)).toMatchObject({ result: { outcome: 'unchanged' }, writes: 0 })
  }
  expect(names()).toEqual(['a', 'b', 'new-3', 'new-4', 'new-5'])
  const { inventory } = await ledger.read('shop', testCall())
  expect([...inventory.values()].map(({ ref }) => ref.name).toSorted()).toEqual(names())
})

test('Q03: a clock that jumps forwards and back neither applies again nor deletes', async () => {
  const { runAt, names } = replicas()
  await runAt(0)
  for (const offsetMs of [HOUR_MS, -HOUR_MS, 400 * 24 * HOUR_MS, 0])
    expect(await runAt(offsetMs)).toMatchObject({ result: { outcome: 'unchanged' }, writes: 0 })
  expect(names()).toEqual(['a', 'b'])
})
