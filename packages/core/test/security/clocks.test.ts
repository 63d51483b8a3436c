import { expect, test } from 'vitest'
import {
  type ApplicationEvent,
  type RunResult,
  createReconciler,
  memoryLedger,
  memoryQueue,
  memorySource,
} from '../../src/index.ts'
import { manualClock, memorySystem, memoryTarget, testCall, withFaults } from '../../src/testing.ts'

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

/** Two replicas that both run, on one ledger with leases; their wall clocks are two hours apart, the store has its own. */
function activeReplicas() {
  const clock = manualClock()
  const queue = memoryQueue({ clock })
  const ledger = memoryLedger({ queue })
  const system = memorySystem()
  const source = memorySource({ files: { 'flag/a.json': { on: true } } })
  const applied: string[] = []
  const tokens: number[] = []
  let applying = 0
  let most = 0
  const start = (offsetMs: number) => {
    let isDead = false
    const dead = (): { kind: 'hang' } | undefined => (isDead ? { kind: 'hang' } : undefined)
    const target = memoryTarget({ system })
    const apply: typeof target.apply = async function* (plan, desired, call) {
      tokens.push(call.fence?.token ?? 0)
      most = Math.max(most, ++applying)
      try {
        yield* target.apply(plan, desired, call)
      } finally {
        applying--
      }
    }
    const reconciler = createReconciler({
      ledger: withFaults(ledger, dead),
      clock: {
        ...clock,
        now: () => clock.now() + offsetMs,
        setTimer: (delayMs, run) => clock.setTimer(delayMs, () => (isDead ? undefined : run())),
      },
      applications: [
        {
          name: 'shop',
          source: withFaults(source, dead),
          target: withFaults({ ...target, apply }, dead),
          policy: { prune: true, selfHeal: true, intervalMs: 60_000, driftIntervalMs: 60_000 },
        },
      ],
    })
    reconciler.onAny((event: ApplicationEvent) => {
      if (event.type === 'applied') applied.push(event.revision.id)
    })
    reconciler.start()
    return { reconciler, die: () => void (isDead = true) }
  }
  const flags = (): object => Object.fromEntries([...system.live.values()].map(({ ref, body }) => [ref.name, body]))
  return { clock, system, source, applied, tokens, start, flags, most: () => most }
}

test('Q03: two active replicas with clocks two hours apart, and somebody who keeps writing: one writes at a time, nothing older comes back', async () => {
  const { clock, system, source, applied, tokens, start, flags, most } = activeReplicas()
  const replicas = [start(-HOUR_MS), start(HOUR_MS)]
  await clock.advance(10_000)
  for (let round = 0; round < 8; round++) {
    const revision = source.commit({ 'flag/a.json': { round }, [`flag/b-${round}.json`]: { on: true } })
    system.edit({ kind: 'flag', name: 'a' }, { edited: round })
    await clock.advance(200_000)
    expect(flags()).toMatchObject({ a: { round }, [`b-${round}`]: { on: true } })
    expect(applied.at(-1)).toBe(revision.id)
    system.edit({ kind: 'flag', name: 'a' }, { edited: `again ${round}` })
    await clock.advance(200_000)
    expect(flags()).toMatchObject({ a: { round } })
  }
  // What is applied never goes back in the history, and each right to write is newer than the one before.
  const ages = applied.map((id) => source.history.findIndex((revision) => revision.id === id))
  expect(ages).toEqual(ages.toSorted((left, right) => right - left))
  expect(tokens).toEqual(tokens.toSorted((left, right) => left - right))
  expect(most()).toBe(1)
  for (const { reconciler } of replicas) await reconciler[Symbol.asyncDispose]()
})

test('Q03: the lease of a replica that died ends by the clock of the store, however late it was by its own', async () => {
  const { clock, source, start, flags } = activeReplicas()
  const ahead = start(HOUR_MS)
  await clock.advance(10_000)
  ahead.die()
  source.commit({ 'flag/a.json': { on: false } })
  const behind = start(-HOUR_MS)
  await clock.advance(240_000)
  expect(flags()).toMatchObject({ a: { on: false } })
  await behind.reconciler[Symbol.asyncDispose]()
})
