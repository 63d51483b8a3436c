import { expect, test } from 'vitest'
import type { ApplicationEvent } from '../feedback/events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { memoryLedger } from '../ledger/memory.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { seededRandom } from '../runtime/random.ts'
import { memorySource } from '../source/memory.ts'
import type { Revision, Source } from '../source/source.ts'
import { manualClock } from '../testing/clock.ts'
import type { Target } from '../target/target.ts'
import { testCall } from '../testing/call.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import { createReconciler } from './reconciler.ts'

const good = { 'flag/checkout.json': { on: true } }
const bad = { 'flag/checkout.json': { on: false } }

/** A shop at a bad revision, whose source can be switched off for asking and for writing. */
async function badShop() {
  const clock = manualClock()
  const store = memorySource({ files: good })
  const server = { isDown: false }
  const reach = (): void => {
    if (server.isDown) throw new GitOpsError('SOURCE_UNREACHABLE', 'The server is down.', { retryable: true })
  }
  const source: Source = {
    id: store.id,
    resolve: async (call) => (reach(), store.resolve(call)),
    snapshot: (revision, call) => store.snapshot(revision, call),
    writer: { commit: async (edit, call) => (reach(), store.writer.commit(edit, call)) },
  }
  const target = memoryTarget()
  const ledger = memoryLedger({ installKey: new Uint8Array(32) })
  const events: ApplicationEvent[] = []
  const open = () => {
    const applications = [{ name: 'shop', source, target }]
    const reconciler = createReconciler({ applications, ledger, clock, random: seededRandom(1) })
    reconciler.onAny((event) => void events.push(event))
    reconciler.start()
    return reconciler
  }
  const reconciler = open()
  await clock.settle()
  const [before] = store.history
  store.commit(bad)
  await clock.advance(400_000)
  const bodies = () => [...target.live.values()].map(({ body }) => body)
  return { clock, store, server, target, ledger, events, reconciler, open, before: before!, bodies }
}

const request = { by: 'ann', reason: 'checkout is off' }

test('with the source down the earlier revision is applied at once, and its commit follows when the source is back', async () => {
  const { clock, store, server, events, reconciler, before, bodies } = await badShop()
  expect(bodies()).toEqual([{ on: false }])
  server.isDown = true
  const result = await reconciler.rollback('shop', { to: before.id, ...request })
  await clock.advance(1_000)
  expect(result).toMatchObject({ to: before, pending: { code: 'SOURCE_UNREACHABLE' } })
  expect(bodies()).toEqual([{ on: true }])
  server.isDown = false
  await clock.advance(3_600_000)
  expect(store.history).toHaveLength(3)
  expect(bodies()).toEqual([{ on: true }])
  expect(events.filter(({ type }) => type === 'released')).toHaveLength(1)
  expect(reconciler.status('shop')).toMatchObject({ ready: { id: store.history[0]!.id }, alignment: 'aligned' })
  await reconciler.stop()
})

test.each([
  { what: 'was written and not answered is in force', isWritten: true, after: [{ on: true }] },
  { what: 'was not written is none', isWritten: false, after: [{ on: false }] },
])('a rollback whose pin $what', async ({ isWritten, after }) => {
  const { clock, ledger, reconciler, before, bodies } = await badShop()
  const answering = { ...ledger }
  const commitOnce: Ledger['commit'] = async (...change) => {
    Object.assign(ledger, answering)
    if (isWritten) await answering.commit(...change)
    throw new GitOpsError('LEDGER_UNAVAILABLE', 'The ledger does not answer.')
  }
  Object.assign(ledger, { commit: commitOnce })
  const result = reconciler.rollback('shop', { to: before.id, ...request })
  if (isWritten) expect(await result).toMatchObject({ to: before, commit: { id: expect.any(String) } })
  else await expect(result).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
  await clock.advance(1_000)
  expect(bodies()).toEqual(after)
  await reconciler.stop()
})

test('a restart does not forget the commit of a rollback, and never applies the bad revision again', async () => {
  const { clock, store, server, target, reconciler, open, before, bodies } = await badShop()
  server.isDown = true
  await reconciler.rollback('shop', { to: before.id, ...request })
  await clock.advance(1_000)
  await reconciler.stop()
  server.isDown = false
  const writes = target.counts.write
  const next = open()
  await clock.advance(3_600_000)
  expect(store.history).toHaveLength(3)
  expect(bodies()).toEqual([{ on: true }])
  expect(target.counts.write).toBe(writes)
  await next.stop()
})

test('a head that nobody had seen when the rollback was asked for is left as well, unless it is younger', async () => {
  const { clock, store, server, reconciler, open, before, bodies } = await badShop()
  await reconciler.stop()
  store.commit({ 'flag/checkout.json': { on: true }, 'flag/late.json': { on: true } })
  server.isDown = true
  await clock.advance(1_000)
  const next = open()
  await next.rollback('shop', { to: before.id, ...request })
  server.isDown = false
  await clock.advance(3_600_000)
  expect(bodies()).toEqual([{ on: true }])
  expect(store.history).toHaveLength(4)
  store.commit({ 'flag/checkout.json': { on: 'later' } })
  await clock.advance(3_600_000)
  expect(bodies()).toContainEqual({ on: 'later' })
  await next.stop()
})

test('the commit of a rollback is not taken for one that was there before, although its source counts in seconds', async () => {
  const { clock, store, reconciler, target, ledger, events, before } = await badShop()
  await reconciler.stop()
  await clock.advance(500)
  const inSeconds = (revision: Revision): Revision => ({
    ...revision,
    ...(revision.at !== undefined && { at: Math.floor(revision.at / 1_000) * 1_000 }),
  })
  const source: Source = {
    id: store.id,
    resolve: async (call) => inSeconds(await store.resolve(call)),
    snapshot: (revision, call) => store.snapshot(revision, call),
    writer: { commit: async (edit, call) => inSeconds(await store.writer.commit(edit, call)) },
  }
  const next = createReconciler({ applications: [{ name: 'shop', source, target }], ledger, clock })
  next.onAny((event) => void events.push(event))
  const { commit } = await next.rollback('shop', { to: before, ...request })
  expect(commit!.at).toBeLessThan(clock.now())
  next.start()
  await clock.advance(400_000)
  expect(next.status('shop')).toMatchObject({ ready: { id: commit!.id }, alignment: 'aligned' })
  expect(events.filter(({ type }) => type === 'released')).toHaveLength(1)
  await next.stop()
})

test('what was rolled back from does not come back after a restart while the source says nothing', async () => {
  const { clock, store, server, target, ledger, reconciler, open, before, bodies } = await badShop()
  await reconciler.stop()
  // It dies before it has begun anything of the commit that the rollback made.
  const stuck: Target = {
    ...target,
    observe: () => {
      throw new GitOpsError('TARGET_UNREACHABLE', 'No answer.', { retryable: true })
    },
  }
  const applications = [{ name: 'shop', source: store, target: stuck }]
  const next = createReconciler({ applications, ledger, clock })
  next.start()
  await clock.settle()
  await next.rollback('shop', { to: before.id, ...request })
  await clock.advance(400_000)
  expect((await ledger.read('shop', testCall())).hold).toBeUndefined()
  await next.stop()
  server.isDown = true
  target.system.edit({ kind: 'flag', name: 'checkout' }, { on: 'drifted' })
  const last = open()
  await clock.advance(400_000)
  expect(bodies()).toEqual([{ on: 'drifted' }])
  server.isDown = false
  await clock.advance(3_600_000)
  expect(bodies()).toEqual([{ on: true }])
  await last.stop()
})

test('what was decided can be verified and explained', async () => {
  const { clock, reconciler, before } = await badShop()
  await reconciler.rollback('shop', { to: before.id, ...request })
  await clock.advance(600_000)
  const verdict = await reconciler.verifyAudit()
  expect(verdict).toMatchObject({ valid: true })
  expect(await reconciler.verifyAudit({ sequence: 99, hash: 'of a longer log' })).toMatchObject({ valid: false })
  expect(reconciler.explain('shop').sentence).toContain('shop is as declared')
  await reconciler.stop()
})
