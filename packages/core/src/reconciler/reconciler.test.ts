import { expect, test } from 'vitest'
import type { ApplicationEvent } from '../feedback/events.ts'
import type { LedgerChange } from '../ledger/ledger.ts'
import { memoryLedger } from '../ledger/memory.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { seededRandom } from '../runtime/random.ts'
import { type MemoryFiles, memorySource } from '../source/memory.ts'
import { manualClock } from '../testing/clock.ts'
import { withFaults } from '../testing/faults.ts'
import { type MemoryTargetOptions, memoryTarget } from '../testing/memory-target.ts'
import type { ResourceRef } from '../desired/desired.ts'
import { refKey } from '../desired/ref.ts'
import type { PolicyOptions } from './policy/policy.ts'
import { createReconciler } from './reconciler.ts'

const flag = (name: string): ResourceRef => ({ kind: 'flag', name })

function setUp(files: MemoryFiles, policy: PolicyOptions = {}, options: MemoryTargetOptions = {}) {
  const clock = manualClock()
  const source = memorySource({ files })
  const target = memoryTarget(options)
  const ledger = memoryLedger({ installKey: new Uint8Array(32) })
  const events: ApplicationEvent[] = []
  const reconciler = createReconciler({
    applications: [{ name: 'shop', source, target, policy: { prune: true, ...policy } }],
    ledger,
    clock,
    random: seededRandom(1),
  })
  reconciler.onAny((event) => void events.push(event))
  const types = () => events.map(({ type }) => type)
  const of = <T extends ApplicationEvent['type']>(type: T) => events.filter((event) => event.type === type)
  return { clock, source, target, ledger, events, reconciler, types, of }
}

const checkout = { 'flag/checkout.json': { on: true } }
const body = (on: boolean) => ({ on })

test('brings the target to what is declared and says that it is ready', async () => {
  const { reconciler, target, of } = setUp(checkout)
  const result = await reconciler.reconcile('shop')
  expect(result).toMatchObject({ outcome: 'applied' })
  expect([...target.live.values()].map((each) => each.body)).toEqual([body(true)])
  expect(reconciler.status('shop')).toMatchObject({ alignment: 'aligned', health: 'healthy', phase: 'idle' })
  expect(of('ready')).toHaveLength(1)
})

test('a second run of the same reads nothing, writes nothing and tells nothing', async () => {
  const { reconciler, target, events } = setUp(checkout)
  await reconciler.reconcile('shop')
  const before = { ...target.counts }
  const told = events.length
  const result = await reconciler.reconcile('shop')
  expect(result.outcome).toBe('unchanged')
  expect(target.counts).toEqual(before)
  expect(events).toHaveLength(told)
})

test('a first run declares once, and so does a process that starts again', async () => {
  const { reconciler, ledger, source, target } = setUp(checkout)
  await reconciler.reconcile('shop')
  expect(target.counts.declare).toBe(1)
  await reconciler.stop()
  const again = createReconciler({ applications: [{ name: 'shop', source, target }], ledger, clock: manualClock() })
  expect(await again.reconcile('shop')).toMatchObject({ outcome: 'unchanged' })
  expect(target.counts.declare).toBe(2)
})

test('a plan shows what would be done and writes nothing', async () => {
  const { reconciler, target } = setUp(checkout)
  const plan = await reconciler.plan('shop')
  expect(plan.changes).toMatchObject([{ action: 'create', ref: flag('checkout') }])
  expect(target.counts.write).toBe(0)
})

test('picks a commit up by polling', async () => {
  const { reconciler, source, target, clock } = setUp(checkout)
  reconciler.start()
  await clock.settle()
  source.commit({ 'flag/checkout.json': { on: false } })
  await clock.advance(200_000)
  expect(target.live.get(refKey(flag('checkout')))?.body).toEqual(body(false))
  await reconciler.stop()
})

test('reports a manual change with before and after, and heals it', async () => {
  const { reconciler, target, clock, of } = setUp(checkout)
  reconciler.start()
  await clock.settle()
  target.system.edit(flag('checkout'), { on: false }, { name: 'ann', confidence: 'certain' })
  await clock.advance(1_000)
  expect(of('drifted')).toMatchObject([
    {
      drift: {
        kind: 'modified',
        healed: true,
        fields: [{ path: '/on', before: false, after: true, actor: { name: 'ann' } }],
      },
    },
  ])
  expect(target.live.get(refKey(flag('checkout')))?.body).toEqual(body(true))
  expect(of('driftResolved')).toMatchObject([{ how: 'healed' }])
  await reconciler.stop()
})

test('removes what is no longer declared, and nothing that it does not own', async () => {
  const { reconciler, source, target } = setUp({ ...checkout, 'flag/search.json': { on: true } })
  await reconciler.reconcile('shop')
  target.system.put({ ref: flag('foreign'), body: { on: true } })
  source.commit({ 'flag/search.json': null })
  await reconciler.reconcile('shop')
  expect([...target.live.values()].map(({ ref }) => ref.name).toSorted()).toEqual(['checkout', 'foreign'])
})

test('a broken commit changes nothing and names its place', async () => {
  const { reconciler, source, target } = setUp(checkout)
  await reconciler.reconcile('shop')
  const writes = target.counts.write
  source.commit({ 'flag/checkout.json': '{ "on": ' })
  const result = await reconciler.reconcile('shop')
  expect(result).toMatchObject({ outcome: 'failed', error: { code: 'DECLARATION_INVALID' } })
  expect(result.error?.message).toContain('flag/checkout.json')
  expect(target.counts.write).toBe(writes)
  expect(reconciler.status('shop')).toMatchObject({ alignment: 'unknown', failedDuring: 'declare' })
})

test('in approve mode applies exactly the plan that was approved', async () => {
  const { reconciler, target, of, clock } = setUp(checkout, { mode: 'approve' })
  const first = await reconciler.reconcile('shop')
  expect(first).toMatchObject({ outcome: 'blocked' })
  expect(target.counts.write).toBe(0)
  await reconciler.approve('shop', { fingerprint: first.plan!.fingerprint, by: 'ann' })
  await clock.settle()
  expect(target.counts.write).toBe(1)
  expect(of('applied')).toHaveLength(1)
})

test('a plan that changed since its approval asks again and says what changed', async () => {
  const { reconciler, source, target, of, clock } = setUp(checkout, { mode: 'approve' })
  const first = await reconciler.reconcile('shop')
  source.commit({ 'flag/search.json': { on: true } })
  await reconciler.approve('shop', { fingerprint: first.plan!.fingerprint, by: 'ann' })
  await reconciler.reconcile('shop')
  await clock.settle()
  expect(target.counts.write).toBe(0)
  expect(of('approvalRequested').at(-1)).toMatchObject({ since: { added: [{ ref: flag('search') }] } })
})

test('a new revision takes the place of one that never becomes healthy in under 100 ms', async () => {
  const stuck: MemoryTargetOptions = { health: (found) => (found.body['on'] === 'bad' ? 'progressing' : 'healthy') }
  const { reconciler, source, clock, of } = setUp({ 'flag/checkout.json': { on: 'bad' } }, {}, stuck)
  reconciler.start()
  await clock.advance(5_000)
  expect(reconciler.status('shop')).toMatchObject({
    phase: 'waiting',
    blocker: { kind: 'health', name: 'flag checkout' },
  })
  source.commit({ 'flag/checkout.json': { on: 'good' } })
  await clock.advance(99)
  expect(of('superseded')).toHaveLength(1)
  expect(of('ready')).toHaveLength(1)
  await reconciler.stop()
})

test('a wait for health ends at its deadline and names the blocker', async () => {
  const { reconciler, clock } = setUp(checkout, { healthTimeoutMs: 10_000 }, { health: () => 'progressing' })
  const running = reconciler.reconcile('shop')
  await clock.advance(10_000)
  await expect(running).resolves.toMatchObject({ outcome: 'failed', error: { code: 'HEALTH_DEADLINE' } })
})

test('a failed read is unknown: nothing is written and nothing is taken as in sync', async () => {
  let broken = false
  const before = () => {
    if (broken) throw new Error('connection reset')
  }
  const { reconciler, source, target } = setUp(
    checkout,
    {},
    { before: (operation) => (operation === 'read' ? before() : undefined) },
  )
  await reconciler.reconcile('shop')
  broken = true
  source.commit({ 'flag/checkout.json': null, 'flag/search.json': { on: true } })
  const result = await reconciler.reconcile('shop', { refresh: true })
  expect(result.outcome).toBe('failed')
  expect([...target.live.values()].map(({ ref }) => ref.name)).toEqual(['checkout'])
})

test('a source that cannot be read leaves the last good revision in force', async () => {
  const { reconciler, source, target } = setUp(checkout)
  await reconciler.reconcile('shop')
  Object.assign(source, { resolve: () => Promise.reject(new Error('refused')) })
  const result = await reconciler.reconcile('shop')
  expect(result).toMatchObject({ outcome: 'failed' })
  expect(target.live.size).toBe(1)
})

test('an empty declaration does not remove everything', async () => {
  const { reconciler, source, target } = setUp(checkout)
  await reconciler.reconcile('shop')
  source.commit({ 'flag/checkout.json': null })
  const result = await reconciler.reconcile('shop')
  expect(result).toMatchObject({ outcome: 'blocked', reasons: [{ rule: 'allow-empty' }] })
  expect(target.live.size).toBe(1)
})

test('a dependent waits until its dependency is ready, without polling, and receives its outputs', async () => {
  const clock = manualClock()
  let healthy = false
  const network = memoryTarget({
    id: 'network',
    health: () => (healthy ? 'healthy' : 'progressing'),
    outputs: () => ({ subnet: { value: 'subnet-7' } }),
  })
  const shop = memoryTarget({
    id: 'shop',
    render: (one, call) => ({ ...one, subnet: String(call.inputs['network']?.['subnet']?.value) }),
  })
  const reconciler = createReconciler({
    clock,
    random: seededRandom(1),
    ledger: memoryLedger(),
    applications: [
      { name: 'network', source: memorySource({ files: checkout }), target: network },
      { name: 'shop', source: memorySource({ files: checkout }), target: shop, dependsOn: ['network'] },
    ],
  })
  reconciler.start()
  await clock.advance(2_000)
  expect(reconciler.status('shop')).toMatchObject({ blocker: { kind: 'dependency', name: 'network' } })
  expect(shop.counts.write).toBe(0)
  healthy = true
  network.system.changed.emit({})
  await clock.advance(10_000)
  expect([...shop.live.values()].map((each) => each.body)).toEqual([{ on: true, subnet: 'subnet-7' }])
  await reconciler.stop()
})

test('a rollback brings the earlier revision back by a commit and nothing applies the bad one again', async () => {
  const { reconciler, source, target, clock, of } = setUp(checkout)
  reconciler.start()
  await clock.settle()
  const good = source.history[0]!
  source.commit({ 'flag/checkout.json': { on: false } })
  await clock.advance(200_000)
  const result = await reconciler.rollback('shop', { to: good.id, by: 'ann', reason: 'checkout is off' })
  await clock.advance(600_000)
  expect(result.commit).toBeDefined()
  expect(target.live.get(refKey(flag('checkout')))?.body).toEqual(body(true))
  expect(source.history).toHaveLength(3)
  expect(of('released')).toHaveLength(1)
  await reconciler.stop()
})

test('a commit elsewhere makes an application ready at the new revision without a plan or a write', async () => {
  const source = memorySource({ files: { 'shop/flag/checkout.json': { on: true }, 'elsewhere/readme.md': 'one' } })
  const target = memoryTarget()
  const applications = [{ name: 'part', source: source.at('shop'), target }]
  await using shop = createReconciler({ applications, clock: manualClock() })
  await shop.reconcile('part')
  const before = { ...target.counts }
  const newest = source.commit({ 'elsewhere/readme.md': 'two' })
  expect(await shop.reconcile('part')).toMatchObject({ outcome: 'unchanged', revision: newest })
  expect(target.counts).toEqual(before)
  expect(await shop.waitFor({ application: 'part', revision: newest.id })).toMatchObject({ ready: newest })
})

test('stops without leaving a timer, twice', async () => {
  const { reconciler, clock } = setUp(checkout)
  reconciler.start()
  await clock.advance(1_000)
  await reconciler.stop()
  await reconciler.stop()
  expect(clock.pending).toBe(0)
})

test('a removed application with cascade takes its resources along', async () => {
  const { reconciler, target, types } = setUp(checkout)
  await reconciler.reconcile('shop')
  await reconciler.remove('shop', { cascade: true })
  expect(target.live.size).toBe(0)
  expect(types().at(-1)).toBe('removed')
  expect(reconciler.list()).toEqual([])
})

test('a mistake in the configuration names the option and what is allowed', () => {
  const application = { name: 'shop', source: memorySource(), target: memoryTarget(), policy: { intervalMs: -1 } }
  expect(() => createReconciler({ applications: [application] })).toThrow(/policy\.intervalMs/)
})

test('applications that depend on each other in a circle are refused with the path', () => {
  const application = (name: string, other: string) => ({
    name,
    source: memorySource(),
    target: memoryTarget(),
    dependsOn: [other],
  })
  expect(() => createReconciler({ applications: [application('a', 'b'), application('b', 'a')] })).toThrow(/a → b → a/)
})

test('two applications of one name are refused', async () => {
  const { reconciler, source, target } = setUp(checkout)
  await expect(reconciler.add({ name: 'shop', source, target })).rejects.toMatchObject({
    code: 'APPLICATION_DUPLICATE',
  })
})

test('a failed run is tried again with back-off, long before the next poll', async () => {
  let refuses = true
  const before = (operation: string): void => {
    if (refuses && operation === 'write') throw new GitOpsError('TARGET_THROTTLED', 'not now')
  }
  const retry = { baseMs: 1_000, factor: 2, jitter: 0 }
  const { reconciler, target, clock, of } = setUp(checkout, { intervalMs: 0, driftIntervalMs: 0, retry }, { before })
  reconciler.start()
  await clock.advance(2_999)
  expect(of('failed')).toHaveLength(2)
  refuses = false
  await clock.advance(1)
  expect(target.live.size).toBe(1)
  await reconciler.stop()
})

test('fifty targets that never answer do not delay the one that does', async () => {
  const clock = manualClock()
  const hanging = Array.from({ length: 50 }, (_, index) => ({
    name: `hanging-${index}`,
    source: memorySource({ files: checkout }),
    target: memoryTarget({ id: `hanging-${index}`, before: () => new Promise<void>(() => {}) }),
  }))
  const target = memoryTarget({ id: 'well' })
  const well = { name: 'well', source: memorySource({ files: checkout }), target }
  const applications = [...hanging, well]
  const reconciler = createReconciler({ applications, clock, random: seededRandom(1), ledger: memoryLedger() })
  reconciler.start()
  await clock.settle()
  expect(reconciler.status('well')).toMatchObject({ alignment: 'aligned', health: 'healthy' })
  const stopped = reconciler.stop()
  await clock.advance(60_000)
  await stopped
})

test('a commit to one of a hundred applications in one repository plans exactly one', async () => {
  const clock = manualClock()
  const names = Array.from({ length: 100 }, (_, index) => `app-${index}`)
  const files = Object.fromEntries(names.map((name) => [`${name}/flag/checkout.json`, { on: true }]))
  const repository = memorySource({ files })
  const applications = names.map((name) => ({ name, source: repository.at(name), target: memoryTarget({ id: name }) }))
  const reconciler = createReconciler({ applications, clock, random: seededRandom(1), ledger: memoryLedger() })
  reconciler.start()
  await clock.settle()
  const plans = () => applications.reduce((sum, { target }) => sum + target.counts.plan, 0)
  const before = plans()
  repository.commit({ 'app-7/flag/checkout.json': { on: false } })
  await clock.advance(1_000)
  // One to find the difference, one to read it back.
  expect(plans() - before).toBe(2)
  expect(applications[7]?.target.counts.write).toBe(2)
  await reconciler.stop()
})

test('what was made again just before a crash is still ours, and goes when it is no longer declared', async () => {
  const { reconciler, source, target, ledger, clock } = setUp({ ...checkout, 'flag/search.json': { on: true } })
  await reconciler.reconcile('shop')
  await reconciler.stop()
  target.system.remove(flag('search'))
  // The intention is written, the flag is made again, and what became of it is not written any more.
  const error = new GitOpsError('LEDGER_UNAVAILABLE', 'The disk is full.')
  const dying = withFaults(ledger, ({ method, args }) => {
    const change = args[1] as LedgerChange | undefined
    return method === 'commit' && change?.journal?.step === 1 ? { kind: 'fail', error } : undefined
  })
  const options = { clock, random: seededRandom(2) }
  const shop = { name: 'shop', source, target, policy: { prune: true } }
  const second = createReconciler({ ...options, ledger: dying, applications: [shop] })
  await second.reconcile('shop')
  await second.stop()
  expect(target.live.size).toBe(2)

  source.commit({ 'flag/search.json': null })
  await createReconciler({ ...options, ledger, applications: [shop] }).reconcile('shop')
  expect([...target.live.values()].map(({ ref }) => ref.name)).toEqual(['checkout'])
})

test('drift that is only reported is healed as soon as somebody asks, also when it was seen before', async () => {
  const { reconciler, target } = setUp(checkout, { selfHeal: false })
  await reconciler.reconcile('shop')
  target.system.edit(flag('checkout'), body(false))
  expect(await reconciler.reconcile('shop', { refresh: true })).toMatchObject({ outcome: 'unchanged' })
  expect(await reconciler.reconcile('shop', { heal: true })).toMatchObject({ outcome: 'applied' })
  expect([...target.live.values()].map((each) => each.body)).toEqual([body(true)])
  expect(reconciler.status('shop')).toMatchObject({ alignment: 'aligned', drift: [] })
})
