import { describe, expect, test } from 'vitest'
import type { ApplicationEvent } from '../feedback/events.ts'
import { explain } from '../feedback/explain.ts'
import { memoryLedger } from '../ledger/memory.ts'
import { refKey } from '../desired/ref.ts'
import { seededRandom } from '../runtime/random.ts'
import { memorySource } from '../source/memory.ts'
import { testCall } from '../testing/call.ts'
import { manualClock } from '../testing/clock.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import type { PolicyOptions } from './policy/policy.ts'
import { createReconciler } from './reconciler.ts'

const HOUR = 3_600_000
const ref = (name: string) => ({ kind: 'flag', name })
const ann = { name: 'ann', confidence: 'certain' } as const

function setUp(policy: PolicyOptions, names = ['a', 'b', 'c']) {
  const clock = manualClock()
  const source = memorySource({ files: Object.fromEntries(names.map((name) => [`flag/${name}.json`, { on: true }])) })
  const target = memoryTarget()
  const ledger = memoryLedger({ installKey: new Uint8Array(32) })
  const events: ApplicationEvent[] = []
  const options = { ledger, clock, random: seededRandom(1) }
  const application = { name: 'shop', source, target, policy: { prune: true, ...policy } }
  const reconciler = createReconciler({ ...options, applications: [application] })
  reconciler.onAny((event) => void events.push(event))
  const of = <T extends ApplicationEvent['type']>(type: T) => events.filter((event) => event.type === type)
  const live = (name: string) => target.live.get(refKey(ref(name)))?.body
  const now = () => explain(reconciler.status('shop'), clock.now())
  const restart = () => createReconciler({ ...options, applications: [application] })
  return { clock, source, target, ledger, events, of, live, now, reconciler, restart }
}

describe('oscillation', () => {
  test('what somebody keeps setting back is healed as often as the limit, told, and then left alone', async () => {
    const { reconciler, target, clock, of, live, now } = setUp({ oscillationLimit: 3 })
    reconciler.start()
    await clock.advance(1_000)
    for (let round = 0; round < 10; round++) {
      target.system.edit(ref('a'), { on: false }, ann)
      await clock.advance(60_000)
    }
    expect(of('driftResolved')).toHaveLength(3)
    expect(of('oscillated')).toMatchObject([{ ref: ref('a'), path: '/on', count: 3, actor: ann }])
    expect(live('a')).toEqual({ on: false })
    expect(now()).toMatchObject({ situation: 'oscillating', sentence: expect.stringContaining('flag a /on') })
    await reconciler.stop()
  })

  test('a new declaration of the field ends it', async () => {
    const { reconciler, target, source, clock, live } = setUp({ oscillationLimit: 1 })
    reconciler.start()
    await clock.advance(1_000)
    for (let round = 0; round < 3; round++) {
      target.system.edit(ref('a'), { on: false }, ann)
      await clock.advance(60_000)
    }
    source.commit({ 'flag/a.json': { on: 'always' } })
    await clock.advance(HOUR)
    expect(live('a')).toEqual({ on: 'always' })
    await reconciler.stop()
  })
})

describe('drift that is not healed', () => {
  test('with selfHeal off it is reported once, stays, and does not hold up a commit', async () => {
    const { reconciler, target, source, clock, of, live, now } = setUp({ selfHeal: false })
    reconciler.start()
    await clock.advance(1_000)
    target.system.edit(ref('a'), { on: false }, ann)
    await clock.advance(HOUR)
    expect(of('drifted')).toHaveLength(1)
    expect(live('a')).toEqual({ on: false })
    expect(now().situation).toBe('drifted')
    source.commit({ 'flag/b.json': { on: false } })
    await clock.advance(HOUR)
    expect(live('b')).toEqual({ on: false })
    expect(live('a')).toEqual({ on: false })
    await reconciler.stop()
  })

  test('with adopt it is accepted, told as adopted, and survives commits elsewhere and a restart', async () => {
    const { reconciler, target, source, clock, of, live, now, restart } = setUp({ selfHeal: 'adopt' })
    reconciler.start()
    await clock.advance(1_000)
    target.system.edit(ref('a'), { on: false }, ann)
    await clock.advance(HOUR)
    expect(of('driftAdopted')).toHaveLength(1)
    expect(of('drifted')).toHaveLength(0)
    expect(now().situation).toBe('aligned and healthy')
    source.commit({ 'flag/b.json': { on: false } })
    await clock.advance(HOUR)
    await reconciler.stop()
    const again = restart()
    again.start()
    await clock.advance(HOUR)
    expect([live('a'), live('b')]).toEqual([{ on: false }, { on: false }])
    await again.stop()
  })
})

describe('budgets', () => {
  test('too many deletions ask, and an approval of that very plan lets it through', async () => {
    const { reconciler, source, clock, of, live, now, target } = setUp({ maxDeletions: 1 })
    await reconciler.reconcile('shop')
    source.commit({ 'flag/a.json': null, 'flag/b.json': null })
    const { plan, outcome } = await reconciler.reconcile('shop')
    expect(outcome).toBe('blocked')
    expect(now()).toMatchObject({ situation: 'approval needed' })
    expect(target.live.size).toBe(3)
    await reconciler.approve('shop', { fingerprint: plan?.fingerprint ?? '', by: 'ann' })
    await clock.settle()
    await clock.settle()
    expect([live('a'), live('b'), live('c')]).toEqual([undefined, undefined, { on: true }])
    expect(of('approvalRequested')).toHaveLength(1)
    for await (const run of reconciler.history({ limit: 1 }))
      expect(run).toMatchObject({ approvedBy: 'ann', outcome: 'applied' })
  })

  test('an approval is for one plan: when the plan moves on, it asks again and says what changed', async () => {
    const { reconciler, source, clock, of, target } = setUp({ mode: 'approve' })
    const { plan } = await reconciler.reconcile('shop')
    source.commit({ 'flag/d.json': { on: true } })
    await reconciler.reconcile('shop')
    await expect(reconciler.approve('shop', { fingerprint: plan?.fingerprint ?? '', by: 'ann' })).rejects.toMatchObject(
      {
        code: 'APPROVAL_MISMATCH',
      },
    )
    await clock.settle()
    expect(target.counts.write).toBe(0)
    expect(of('approvalRequested').at(-1)).toMatchObject({
      since: { added: [{ ref: ref('d'), action: 'create' }], removed: [], altered: [] },
    })
  })

  test('an empty declaration removes nothing unless that is meant', async () => {
    const { reconciler, source, target, now } = setUp({})
    await reconciler.reconcile('shop')
    source.commit({ 'flag/a.json': null, 'flag/b.json': null, 'flag/c.json': null, 'README.md': 'empty' })
    await reconciler.reconcile('shop')
    expect(target.live.size).toBe(3)
    expect(['denied', 'failed for good']).toContain(now().situation)
  })

  test('a protected resource stays while the rest goes', async () => {
    const { reconciler, source, target } = setUp({ protect: { resources: [ref('a')] } })
    await reconciler.reconcile('shop')
    source.commit({ 'flag/a.json': null, 'flag/b.json': null })
    const { plan } = await reconciler.reconcile('shop')
    expect([...target.live.keys()]).toEqual([refKey(ref('a')), refKey(ref('c'))])
    expect(plan?.blocked).toMatchObject([{ rule: 'protected', ref: ref('a') }])
  })
})

describe('windows and suspension', () => {
  const night = { kind: 'allow', cron: '0 2 * * *', durationMs: HOUR } as const

  test('a closed window waits and reports, and the change is made when it opens', async () => {
    const { reconciler, clock, target, now } = setUp({ windows: [night] })
    reconciler.start()
    await clock.advance(1_000)
    expect(target.live.size).toBe(0)
    expect(now()).toMatchObject({
      situation: 'window closed',
      sentence: expect.stringContaining('2030-01-01T02:00:00.000Z'),
    })
    await clock.advance(2 * HOUR - 2_000)
    expect(target.live.size).toBe(0)
    await clock.advance(2_000)
    expect(target.live.size).toBe(3)
    await reconciler.stop()
  })

  test('while suspended drift is still reported, and nothing is applied', async () => {
    const { reconciler, target, clock, of, live } = setUp({})
    reconciler.start()
    await clock.advance(1_000)
    await reconciler.suspend('shop', { by: 'ann', reason: 'migration' })
    target.system.edit(ref('a'), { on: false }, ann)
    await clock.advance(HOUR)
    expect(of('drifted')).toHaveLength(1)
    expect(live('a')).toEqual({ on: false })
    await reconciler.resume('shop', { by: 'ann' })
    await clock.advance(1_000)
    expect(live('a')).toEqual({ on: true })
    await reconciler.stop()
  })

  test('a suspension ends by itself, and its end is told', async () => {
    const { reconciler, target, clock, of, live } = setUp({})
    reconciler.start()
    await clock.advance(1_000)
    await reconciler.suspend('shop', { by: 'ann', reason: 'migration', until: clock.now() + HOUR })
    target.system.edit(ref('a'), { on: false }, ann)
    await clock.advance(HOUR + 1_000)
    expect(live('a')).toEqual({ on: true })
    expect(of('resumed')).toMatchObject([{ by: 'expiry' }])
    expect(reconciler.status('shop')).not.toHaveProperty('suspension')
    await reconciler.stop()
  })
})

describe('guards', () => {
  test('a guard that throws denies, and is asked again after the next commit', async () => {
    let broken = true
    const guard = () => {
      if (broken) throw new Error('no connection')
      return 'allow' as const
    }
    const { reconciler, source, target, now } = setUp({ guards: [guard] })
    await reconciler.reconcile('shop')
    expect(target.live.size).toBe(0)
    expect(now().situation).toBe('denied')
    broken = false
    source.commit({ 'flag/a.json': { on: false } })
    await reconciler.reconcile('shop')
    expect(target.live.size).toBe(3)
  })
})

describe('somebody else writes the ledger', () => {
  test('a run that was fenced is tried again from what is there now', async () => {
    const { reconciler, ledger, source, clock, live } = setUp({})
    reconciler.start()
    await clock.advance(1_000)
    const call = testCall()
    const { version } = await ledger.read('shop', call)
    await ledger.commit(
      'shop',
      { expect: version, audit: [{ at: 1, actor: 'cli', action: 'looked', details: {} }] },
      call,
    )
    source.commit({ 'flag/a.json': { on: false } })
    await clock.advance(HOUR)
    expect(live('a')).toEqual({ on: false })
    await reconciler.stop()
  })
})
