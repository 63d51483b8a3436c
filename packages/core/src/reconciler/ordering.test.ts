import { describe, expect, test } from 'vitest'
import type { ApplicationEvent } from '../feedback/events.ts'
import type { HealthStatus } from '../feedback/health.ts'
import { memoryLedger } from '../ledger/memory.ts'
import type { JsonObject } from '../runtime/json.ts'
import { seededRandom } from '../runtime/random.ts'
import { memorySource } from '../source/memory.ts'
import { manualClock } from '../testing/clock.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import type { PolicyOptions } from './policy/policy.ts'
import { createReconciler } from './reconciler.ts'

const ref = (name: string) => ({ kind: 'job', name })
const hook = (phase: string, ...deletePolicy: string[]): JsonObject => ({
  $order: { phase, hook: deletePolicy.length === 0 ? {} : { deletePolicy } },
})
const wave = (number: number): JsonObject => ({ $order: { wave: number } })

/** An application whose writes are written down in the order they happen, and whose health a test decides. */
function setUp(jobs: Readonly<Record<string, JsonObject>>, policy: PolicyOptions = {}) {
  const clock = manualClock()
  const files = (all: Readonly<Record<string, JsonObject | null>>) =>
    Object.fromEntries(Object.entries(all).map(([name, body]) => [`job/${name}.json`, body]))
  const source = memorySource({ files: files(jobs) })
  const writes: string[] = []
  const health = new Map<string, HealthStatus>()
  const target = memoryTarget({
    health: (each) => health.get(each.ref.name) ?? 'healthy',
    after: (operation, each) => {
      if (operation === 'write') writes.push(each!.name)
      if (operation === 'remove') writes.push(`-${each!.name}`)
    },
  })
  const events: ApplicationEvent[] = []
  const reconciler = createReconciler({
    applications: [{ name: 'shop', source, target, policy: { prune: true, ...policy } }],
    ledger: memoryLedger({ installKey: new Uint8Array(32) }),
    clock,
    random: seededRandom(1),
  })
  reconciler.onAny((event) => void events.push(event))
  const run = async (options = {}) => {
    writes.length = 0
    const running = reconciler.reconcile('shop', options)
    await clock.advance(600_000)
    return running
  }
  const commit = (all: Readonly<Record<string, JsonObject | null>>) => source.commit(files(all))
  const there = () => [...target.live.values()].map((each) => each.ref.name).toSorted()
  return { clock, source, target, reconciler, events, writes, health, run, commit, there }
}

describe('phases and waves', () => {
  test('hooks before, waves in order, hooks after; a hook of a failure or a deletion does not run', async () => {
    const { run, writes } = setUp({
      after: hook('PostSync'),
      late: wave(5),
      first: wave(-1),
      middle: {},
      before: hook('PreSync'),
      rescue: hook('SyncFail'),
      farewell: hook('PreDelete'),
    })
    expect((await run()).outcome).toBe('applied')
    expect(writes).toEqual(['before', 'first', 'middle', 'late', 'after'])
  })

  test('a wave waits for the health of the one before; at the deadline the blocker is named and nothing later is begun', async () => {
    const { run, writes, health } = setUp({ first: wave(0), second: wave(1) }, { healthTimeoutMs: 60_000 })
    health.set('first', 'progressing')
    const { outcome, error } = await run()
    expect(outcome).toBe('failed')
    expect(error).toMatchObject({ code: 'HEALTH_DEADLINE', message: expect.stringContaining('job first') })
    expect(writes).toEqual(['first'])
  })

  test('the next wave begins as soon as the one before is healthy', async () => {
    const { reconciler, clock, writes, health, target } = setUp({ first: wave(0), second: wave(1) })
    health.set('first', 'progressing')
    const running = reconciler.reconcile('shop')
    await clock.advance(10_000)
    expect(writes).toEqual(['first'])
    health.set('first', 'healthy')
    target.system.changed.emit({ ref: ref('first') })
    await clock.advance(10_000)
    expect(writes).toEqual(['first', 'second'])
    expect((await running).outcome).toBe('applied')
  })

  test('what depends on something comes after it, in whatever order it is declared', async () => {
    const { run, writes } = setUp({
      app: { $order: { dependsOn: [ref('database')] } },
      database: { $order: { dependsOn: [ref('network')] } },
      network: {},
    })
    await run()
    expect(writes).toEqual(['network', 'database', 'app'])
  })

  test('what was made first is pruned last, and what says so comes after everything else', async () => {
    const { run, writes, commit } = setUp({
      first: wave(-1),
      second: wave(0),
      third: wave(1),
      volume: { $order: { pruneLast: true, wave: 1 } },
      stays: {},
    })
    await run()
    commit({ first: null, second: null, third: null, volume: null })
    expect((await run()).outcome).toBe('applied')
    expect(writes).toEqual(['-third', '-second', '-first', '-volume'])
  })
})

describe('hooks', () => {
  test('a hook that fails keeps everything after it from being made, and the hooks for a failure run', async () => {
    const jobs = { before: hook('PreSync'), app: {}, rescue: hook('SyncFail'), after: hook('PostSync') }
    const { run, writes, health } = setUp(jobs)
    health.set('before', 'degraded')
    const { outcome, error } = await run()
    expect(outcome).toBe('failed')
    expect(error).toMatchObject({ code: 'HOOK_FAILED', message: expect.stringContaining('job before') })
    expect(writes.filter((name) => name !== 'before' && name !== '-before')).toEqual(['rescue'])
  })

  test('a hook after the changes that failed is run again, and until it succeeded the application is not ready', async () => {
    const { reconciler, run, writes, health } = setUp({ app: {}, migrate: hook('PostSync', 'HookFailed') })
    health.set('migrate', 'degraded')
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(await run()).toMatchObject({ outcome: 'failed', error: { code: 'HOOK_FAILED' } })
      expect(reconciler.status('shop').ready).toBeUndefined()
    }
    health.set('migrate', 'healthy')
    expect((await run()).outcome).toBe('applied')
    expect(writes).toEqual(['migrate'])
    expect(reconciler.status('shop').ready).toBeDefined()
    await run()
    expect(writes).toEqual([])
  })

  test('HookSucceeded removes a hook that succeeded, HookFailed one that failed, and BeforeHookCreation the one of last time', async () => {
    const jobs = {
      keep: hook('PreSync', 'HookFailed'),
      gone: hook('PreSync', 'HookSucceeded'),
      app: { size: 1 },
      anew: hook('PostSync'),
    }
    const { run, writes, commit, there, health, target } = setUp(jobs)
    await run()
    expect(there()).toEqual(['anew', 'app', 'keep'])
    const before = target.system.live.get('job//anew')
    commit({ app: { size: 2 } })
    await run()
    expect(writes).toContain('-anew')
    expect(target.system.live.get('job//anew')).toBe(before)
    health.set('keep', 'degraded')
    commit({ app: { size: 3 } })
    expect((await run()).outcome).toBe('failed')
    expect(there()).not.toContain('keep')
  })

  test('before and after a removal the hooks for it run', async () => {
    const { run, reconciler, clock, writes, there } = setUp({
      app: {},
      backup: hook('PreDelete', 'HookSucceeded'),
      goodbye: hook('PostDelete', 'HookSucceeded'),
    })
    await run()
    expect(writes).toEqual(['app'])
    writes.length = 0
    const removing = reconciler.remove('shop', { cascade: true })
    await clock.advance(60_000)
    await removing
    expect(writes).toEqual(['backup', '-backup', '-app', 'goodbye', '-goodbye'])
    expect(there()).toEqual([])
  })

  test('healing drift runs no hooks, unless somebody asks for them', async () => {
    const { run, writes, target } = setUp({ before: hook('PreSync'), app: { size: 1 } }, { selfHeal: false })
    await run()
    target.system.edit(ref('app'), { size: 9 })
    await run({ heal: true })
    expect(writes).toEqual(['app'])
    target.system.edit(ref('app'), { size: 9 })
    await run({ heal: true, hooks: true })
    expect(writes).toEqual(['-before', 'before', 'app'])
  })

  test('a selective reconcile changes only what was selected, without hooks, and is not taken as ready', async () => {
    const onlyByHand = { kind: 'deny', cron: '* * * * *', durationMs: 60_000, allowManual: true } as const
    const jobs = { before: hook('PreSync'), app: { size: 1 }, other: { size: 1 } }
    const { run, writes, commit, reconciler } = setUp(jobs, { windows: [onlyByHand] })
    await run()
    const ready = reconciler.status('shop').ready
    commit({ app: { size: 2 }, other: { size: 2 } })
    await run({ only: [ref('app')] })
    expect(writes).toEqual(['app'])
    expect(reconciler.status('shop').ready).toEqual(ready)
    await run()
    expect(writes).toContain('other')
  })
})

describe('deletions that ask first', () => {
  test('a resource that is pruned only after confirmation stays until somebody confirms exactly that', async () => {
    const { run, commit, there, reconciler } = setUp({ app: {}, data: { $options: { prune: 'confirm' } } })
    await run()
    commit({ data: null })
    const { plan } = await run()
    expect(there()).toEqual(['app', 'data'])
    expect(plan?.blocked).toMatchObject([{ ref: ref('data'), rule: 'prune-unconfirmed' }])
    await run({ confirm: [ref('app')] })
    expect(there()).toEqual(['app', 'data'])
    expect((await run({ confirm: [ref('data')] })).outcome).toBe('applied')
    expect(there()).toEqual(['app'])
    expect(reconciler.status('shop')).toMatchObject({ alignment: 'aligned' })
  })

  test('what is protected is deleted when somebody confirms it', async () => {
    const { run, commit, there } = setUp({ app: {}, data: {} }, { protect: { resources: [ref('data')] } })
    await run()
    commit({ data: null })
    await run()
    expect(there()).toEqual(['app', 'data'])
    await run({ confirm: [ref('data')] })
    expect(there()).toEqual(['app'])
  })
})
