import {
  type ApplicationEvent,
  GitOpsError,
  type Ledger,
  type Target,
  createReconciler,
  memoryLedger,
  memorySource,
  seededRandom,
} from '@gitops-sdk/core'
import {
  type FaultSchedule,
  manualClock,
  memorySystem,
  memoryTarget,
  randomFaults,
  scheduledFaults,
  withFaults,
} from '@gitops-sdk/core/testing'
import { expect, test } from 'vitest'
import { policy } from './policy.ts'

const WEDNESDAY = Date.UTC(2030, 0, 2)
const SATURDAY = Date.UTC(2030, 0, 5)
const HOUR_MS = 3_600_000

interface Given {
  readonly startMs?: number
  readonly faults?: FaultSchedule
  readonly seed?: number
  readonly ledger?: Ledger
  readonly system?: ReturnType<typeof memorySystem>
}

function setUp({
  startMs = WEDNESDAY,
  faults,
  seed = 1,
  ledger = memoryLedger(),
  system = memorySystem(),
}: Given = {}) {
  const clock = manualClock(startMs)
  const source = memorySource({ files: { 'queue/orders.json': { size: 8 }, 'queue/mails.json': { size: 2 } } })
  const plain = memoryTarget({ system })
  const target: Target = faults === undefined ? plain : withFaults<Target>(plain, faults)
  const events: ApplicationEvent[] = []
  const applications = [{ name: 'queues', source, target, policy }]
  const platform = createReconciler({ applications, ledger, clock, random: seededRandom(seed) })
  platform.onAny((event) => void events.push(event))
  const sizes = () => Object.fromEntries([...system.live.values()].map(({ ref, body }) => [ref.name, body['size']]))
  return { clock, source, platform, events, sizes, ledger, system }
}

test('a commit on Saturday is delivered on Monday', async () => {
  const { clock, platform, sizes } = setUp({ startMs: SATURDAY + HOUR_MS })
  platform.start()
  await clock.advance(0)
  expect(platform.explain('queues').sentence).toContain('no changes at the weekend')
  await clock.advance(46 * HOUR_MS)
  expect(sizes()).toEqual({})
  await clock.advance(HOUR_MS + 60_000)
  expect(sizes()).toEqual({ orders: 8, mails: 2 })
  await platform.stop()
})

test('a queue does not shrink to less than half at once, but it does in steps', async () => {
  const { source, platform, sizes } = setUp()
  await platform.reconcile('queues')
  source.commit({ 'queue/orders.json': { size: 3 } })
  expect(await platform.reconcile('queues')).toMatchObject({ outcome: 'blocked', reasons: [{ verdict: 'deny' }] })
  source.commit({ 'queue/orders.json': { size: 4 } })
  expect(await platform.reconcile('queues')).toMatchObject({ outcome: 'applied' })
  expect(sizes()).toMatchObject({ orders: 4 })
})

test('one deletion goes through, two wait for a person', async () => {
  const { source, platform, sizes } = setUp()
  await platform.reconcile('queues')
  source.commit({ 'queue/mails.json': null, 'queue/orders.json': null, 'queue/new.json': { size: 1 } })
  expect(await platform.reconcile('queues')).toMatchObject({ outcome: 'blocked', reasons: [{ verdict: 'ask' }] })
  source.commit({ 'queue/orders.json': { size: 8 } })
  expect(await platform.reconcile('queues')).toMatchObject({ outcome: 'applied' })
  expect(sizes()).toEqual({ orders: 8, new: 1 })
})

test('what fails for a moment is tried again after a second, what the target cannot tell is never taken as missing', async () => {
  const error = new GitOpsError('TARGET_UNREACHABLE', 'Connection refused.')
  const faults = scheduledFaults({ observe: [undefined, undefined, { kind: 'fail', error }] })
  const { clock, platform, events, sizes } = setUp({ faults })
  await platform.reconcile('queues')
  expect(await platform.reconcile('queues', { refresh: true })).toMatchObject({ outcome: 'failed' })
  expect(platform.status('queues')).toMatchObject({ alignment: 'unknown' })
  expect(sizes()).toEqual({ orders: 8, mails: 2 })
  await clock.advance(1_000)
  expect(platform.status('queues')).toMatchObject({ alignment: 'aligned', failures: 0 })
  expect(events.map(({ type }) => type)).not.toContain('drifted')
})

test('a process that is started again takes over where the first one was', async () => {
  const first = setUp()
  await first.platform.reconcile('queues')
  await first.platform.stop()
  const second = setUp({ ledger: first.ledger, system: first.system })
  expect(await second.platform.reconcile('queues')).toMatchObject({ outcome: 'unchanged' })
  second.source.commit({ 'queue/mails.json': null })
  await second.platform.reconcile('queues')
  expect(second.sizes()).toEqual({ orders: 8 })
})

// Half of the calls go wrong in one way or another. Whatever happens, it ends as declared.
test.each(Array.from({ length: 25 }, (_, seed) => seed))('converges in spite of faults, seed %i', async (seed) => {
  const error = new GitOpsError('TARGET_THROTTLED', 'Too many requests.')
  const kinds = [
    { kind: 'fail', error },
    { kind: 'lose', error },
    { kind: 'delay', delayMs: 5_000 },
  ] as const
  let broken = true
  const random = randomFaults(seededRandom(seed), 0.5, kinds)
  const { clock, platform, source, sizes } = setUp({ seed, faults: (point) => (broken ? random(point) : undefined) })
  platform.start()
  await clock.advance(10 * 60_000)
  source.commit({ 'queue/orders.json': { size: 9 } })
  await clock.advance(10 * 60_000)
  broken = false
  // A revision of its own starts the retries over.
  source.commit({ 'queue/orders.json': { size: 10 } })
  await clock.advance(30 * 60_000)
  expect(sizes()).toEqual({ orders: 10, mails: 2 })
  expect(platform.status('queues')).toMatchObject({ alignment: 'aligned', health: 'healthy' })
  await platform.stop()
})
