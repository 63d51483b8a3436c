import { expect, test } from 'vitest'
import { memoryLedger } from '../ledger/memory.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { memorySource } from '../source/memory.ts'
import type { Source } from '../source/source.ts'
import { manualClock } from '../testing/clock.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import { createReconciler } from './reconciler.ts'

/** A source, a target and a ledger that outlive the processes that are opened on them. */
function place() {
  const source = memorySource()
  const refused = new Set<string>()
  const target = memoryTarget({
    before: (operation, ref) => {
      if (operation === 'write' && refused.has(ref?.name ?? '')) throw new GitOpsError('APPLY_FAILED', 'Not now.')
    },
  })
  const ledger = memoryLedger()
  const network = { isDown: false }
  const reached: Source = {
    ...source,
    resolve: async (call) => {
      if (network.isDown)
        throw new GitOpsError('SOURCE_UNREACHABLE', 'The server does not answer.', { retryable: true })
      return source.resolve(call)
    },
  }
  const open = () => {
    const clock = manualClock()
    const policy = { prune: true, selfHeal: true }
    const reconciler = createReconciler({
      applications: [{ name: 'shop', source: reached, target, policy }],
      ledger,
      clock,
    })
    return { reconciler, clock }
  }
  const flags = (): object => Object.fromEntries([...target.live.values()].map(({ ref, body }) => [ref.name, body]))
  return { source, target, refused, network, open, flags }
}

const flag = { kind: 'flag', name: 'a' }

test('drift that came while no process ran is healed, although the source cannot be asked', async () => {
  const { source, target, network, open, flags } = place()
  source.commit({ 'flag/a.json': '{"on":true}' })
  const before = open().reconciler
  await before.reconcile('shop')
  await before[Symbol.asyncDispose]()
  target.system.edit(flag, { on: false })
  network.isDown = true
  const { reconciler, clock } = open()
  reconciler.start()
  await clock.advance(10_000)
  expect(flags()).toEqual({ a: { on: true } })
  expect(reconciler.status('shop')).toMatchObject({ error: { code: 'SOURCE_UNREACHABLE' }, health: 'healthy' })

  network.isDown = false
  source.commit({ 'flag/a.json': '{"on":true}', 'flag/b.json': '{"on":true}' })
  reconciler.trigger('shop')
  await clock.advance(1_000)
  expect(flags()).toEqual({ a: { on: true }, b: { on: true } })
  await reconciler[Symbol.asyncDispose]()
})

test('nothing older comes back: what was begun before the restart goes on, not what was whole before it', async () => {
  const { source, refused, network, open, flags } = place()
  source.commit({ 'flag/a.json': '{"on":true}', 'flag/b.json': '{"on":true}' })
  const before = open().reconciler
  await before.reconcile('shop')
  source.commit({ 'flag/a.json': '{"on":false}', 'flag/b.json': '{"on":false}' })
  refused.add('b')
  expect(await before.reconcile('shop')).toMatchObject({ outcome: 'failed' })
  expect(flags()).toEqual({ a: { on: false }, b: { on: true } })
  await before[Symbol.asyncDispose]()

  refused.clear()
  network.isDown = true
  const { reconciler, clock } = open()
  reconciler.start()
  await clock.advance(10_000)
  expect(flags()).toEqual({ a: { on: false }, b: { on: false } })
  await reconciler[Symbol.asyncDispose]()
})
