import { Secret } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { healDriftOnly } from '../plan/guards.ts'
import { record } from '../testing/stage.ts'
import { openWorld } from '../testing/world.ts'

const two = {
  'main.tf': record('a', { name: '"a"' }),
  'db.tf': record('db', { name: '"db"' }, '  lifecycle {\n    prevent_destroy = true\n  }\n'),
}

test('[P13] what the module prevents fails the plan; what the target protects survives the removal of the block', async () => {
  await using world = await openWorld({ files: two, target: { protect: ['*.db'] } })
  const { cloud } = world.provider
  await world.reconciler.reconcile('shop')
  world.source.commit({ 'db.tf': record('db', { name: '"db2"' }, '  lifecycle {\n    prevent_destroy = true\n  }\n') })
  expect(await world.reconciler.reconcile('shop')).toMatchObject({
    outcome: 'failed',
    error: { code: 'PLAN_INCOMPLETE' },
  })
  world.source.commit({ 'db.tf': null })
  const removed = await world.reconciler.reconcile('shop')
  expect(removed.reasons?.map(({ rule }) => rule)).toEqual(['protected-address'])
  await expect(world.reconciler.remove('shop', { cascade: true })).rejects.toThrow()
  expect(cloud.count('db')).toBe(1)
})

test('a plan that destroys more than the limit is not applied, and says so', async () => {
  await using world = await openWorld({ files: two, target: { maxDeletes: 0 } })
  await world.reconciler.reconcile('shop')
  world.source.commit({ 'main.tf': '# nothing\n' })
  expect((await world.reconciler.reconcile('shop')).reasons?.map(({ rule }) => rule)).toEqual(['max-deletes'])
  expect(world.provider.cloud.count('a')).toBe(1)
})

test('without pruning nothing is destroyed, and the reason names it', async () => {
  await using world = await openWorld({ files: two, policy: { prune: false } })
  await world.reconciler.reconcile('shop')
  world.source.commit({ 'main.tf': '# nothing\n' })
  const { outcome, reasons } = await world.reconciler.reconcile('shop')
  expect([outcome, reasons?.map(({ rule }) => rule)]).toEqual(['blocked', ['prune']])
  expect(world.provider.cloud.count('a')).toBe(1)
})

test('heal-only-drift: what a commit wants waits for an approval, what drifted is healed at once', async () => {
  await using world = await openWorld({
    files: { 'main.tf': record('a', { name: '"a"', value: '"1"' }) },
    policy: { guards: [healDriftOnly()] },
  })
  const first = await world.reconciler.reconcile('shop')
  expect(first.outcome).toBe('blocked')
  await world.reconciler.approve('shop', { fingerprint: first.plan!.fingerprint, by: 'ada' })
  await world.reconciler.waitFor({ application: 'shop', timeoutMs: 10_000 })
  world.provider.cloud.find('a')!.value = 'by hand'
  expect(await world.reconciler.reconcile('shop', { refresh: true })).toMatchObject({ outcome: 'applied' })
  expect(world.provider.cloud.find('a')?.value).toBe('1')
  world.source.commit({ 'main.tf': record('a', { name: '"a"', value: '"2"' }) })
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ outcome: 'blocked' })
})

test('an application is destroyed with the module as it was applied, when its source is gone', async () => {
  await using world = await openWorld({
    files: { 'main.tf': `variable "name" {}\n${record('a', { name: 'var.name' })}` },
    target: { variables: { name: new Secret('top-secret-name') } },
  })
  await world.reconciler.reconcile('shop')
  expect(world.provider.cloud.count('top-secret-name')).toBe(1)
  const gone = (): never => {
    throw new Error('the variables are gone as well')
  }
  await world.restart({ variables: gone })
  await world.reconciler.remove('shop', { cascade: true })
  expect(world.provider.cloud.records.size).toBe(0)
})

test('an application that leaves its resources behind destroys nothing', async () => {
  await using world = await openWorld({
    files: { 'main.tf': record('a', { name: '"a"' }) },
    target: { onDelete: 'orphan' },
  })
  await world.reconciler.reconcile('shop')
  await world.reconciler.remove('shop', { cascade: true })
  expect(world.provider.cloud.count('a')).toBe(1)
})
