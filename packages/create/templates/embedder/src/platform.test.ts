import { memoryLedger, memorySource } from '@gitops-sdk/core'
import { manualClock, memoryTarget } from '@gitops-sdk/core/testing'
import { expect, test } from 'vitest'
import { createPlatform } from './platform.ts'

const queue = { kind: 'queue', name: 'orders' }

function setUp() {
  const clock = manualClock()
  const source = memorySource({ files: { 'queue/orders.json': { size: 3 }, 'queue/mails.json': { size: 1 } } })
  const target = memoryTarget()
  const messages: string[] = []
  const notify = (message: string) => void messages.push(message)
  const platform = createPlatform({ source, target, ledger: memoryLedger(), notify, clock })
  const sizes = () => Object.fromEntries([...target.live.values()].map(({ ref, body }) => [ref.name, body['size']]))
  return { clock, source, target, messages, platform, sizes }
}

test('a commit is delivered within a minute or two', async () => {
  const { clock, source, platform, sizes } = setUp()
  platform.start()
  await clock.advance(0)
  expect(sizes()).toEqual({ orders: 3, mails: 1 })

  source.commit({ 'queue/orders.json': { size: 5 } })
  await clock.advance(120_000)
  expect(sizes()).toEqual({ orders: 5, mails: 1 })
  await platform.stop()
})

test('what somebody changes by hand is healed, and somebody hears of it', async () => {
  const { target, messages, platform, sizes } = setUp()
  await platform.reconcile('app')
  target.system.edit(queue, { size: 9 })
  await platform.reconcile('app')
  expect(sizes()).toEqual({ orders: 3, mails: 1 })
  expect(messages.join('\n')).toContain('/size')
})

test('a deletion waits until a person approves exactly that plan', async () => {
  const { source, messages, platform, sizes } = setUp()
  await platform.reconcile('app')
  source.commit({ 'queue/mails.json': null })
  expect(await platform.reconcile('app')).toMatchObject({ outcome: 'blocked' })
  expect(sizes()).toEqual({ orders: 3, mails: 1 })

  const { fingerprint } = await platform.plan('app')
  expect(messages).toContain(`app waits for an approval of ${fingerprint}`)
  await platform.approve('app', { fingerprint, by: 'ada' })
  await platform.reconcile('app')
  expect(sizes()).toEqual({ orders: 3 })
})
