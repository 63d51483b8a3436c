import { expect, test } from 'vitest'
import { record } from '../testing/stage.ts'
import { openWorld } from '../testing/world.ts'

const tags = '  tags = {\n    env = "prod"\n  }\n'
const one = { 'main.tf': record('a', { name: '"a"', value: '"1"' }, tags) }
const both = {
  'main.tf': record('a', { name: '"a"', value: '"1"' }) + record('b', { name: '"b"', value: 'fake_record.a.id' }),
}

test('[P1] an edit by hand is drift with its field, is healed, and then nothing is left', async () => {
  await using world = await openWorld({ files: one })
  await world.reconciler.reconcile('shop')
  world.provider.cloud.find('a')!.tags = { env: 'by hand' }
  const { outcome, plan } = await world.reconciler.reconcile('shop', { refresh: true })
  expect(outcome).toBe('applied')
  expect(plan?.drift).toMatchObject([
    { kind: 'modified', healed: true, fields: [{ path: '/tags/env', before: 'by hand' }] },
  ])
  expect(plan?.changes).toMatchObject([{ cause: 'drift', action: 'update' }])
  expect(world.provider.cloud.find('a')?.tags).toEqual({ env: 'prod' })
  expect(await world.reconciler.reconcile('shop', { refresh: true })).toMatchObject({ outcome: 'unchanged' })
  expect(
    world.events.filter(({ type }) => type === 'drifted' || type === 'driftResolved').map(({ type }) => type),
  ).toEqual(['drifted', 'driftResolved'])
})

test('[P2] a deletion by hand is missing, is made again, and what depends on it follows', async () => {
  await using world = await openWorld({ files: both })
  const { cloud } = world.provider
  await world.reconciler.reconcile('shop')
  cloud.records.delete(cloud.find('a')!.id)
  const { outcome, plan } = await world.reconciler.reconcile('shop', { refresh: true })
  expect(outcome).toBe('applied')
  expect(plan?.drift).toMatchObject([{ kind: 'missing', healed: true, ref: { name: 'a' } }])
  expect(plan?.changes.map(({ ref, action, cause }) => [ref.name, action, cause])).toEqual([
    ['a', 'create', 'drift'],
    ['b', 'update', 'dependency'],
  ])
  expect(cloud.find('b')?.value).toBe(cloud.find('a')?.id)
})

test('[P3] an attribute that moves by itself is told as drift nobody heals, and nothing is applied', async () => {
  await using world = await openWorld({ files: one, provider: { volatile: true } })
  await world.reconciler.reconcile('shop')
  const { outcome, plan } = await world.reconciler.reconcile('shop', { refresh: true })
  expect(outcome).toBe('unchanged')
  expect(plan).toMatchObject({ effect: 'none', changes: [], drift: [{ healed: false }] })
})

test('[P3] what the module ignores is no change', async () => {
  const ignoring = record('a', { name: '"a"', value: '"1"' }, '  lifecycle {\n    ignore_changes = [value]\n  }\n')
  await using world = await openWorld({ files: { 'main.tf': ignoring } })
  await world.reconciler.reconcile('shop')
  world.provider.cloud.find('a')!.value = 'by hand'
  const { plan } = await world.reconciler.reconcile('shop', { refresh: true })
  expect(plan).toMatchObject({
    changes: [],
    drift: [{ healed: false, fields: expect.arrayContaining([expect.objectContaining({ path: '/value' })]) }],
  })
  expect(world.provider.cloud.find('a')?.value).toBe('by hand')
})

test('[P4] a commit and an edit by hand on one resource have their own cause per field', async () => {
  await using world = await openWorld({ files: one })
  await world.reconciler.reconcile('shop')
  world.provider.cloud.find('a')!.tags = { env: 'by hand' }
  world.source.commit({ 'main.tf': record('a', { name: '"a"', value: '"2"' }, tags) })
  const { plan } = await world.reconciler.reconcile('shop')
  expect(plan?.changes[0]?.cause).toBe('both')
  const causes = plan?.changes[0]?.fields
    .filter(({ unknown }) => unknown !== true)
    .map(({ path, cause }) => [path, cause])
  expect(causes).toEqual([
    ['/tags/env', 'drift'],
    ['/value', 'revision'],
  ])
})

test('[P5] drift to what the next commit declares leaves nothing to apply', async () => {
  await using world = await openWorld({ files: one })
  await world.reconciler.reconcile('shop')
  world.provider.cloud.find('a')!.value = '2'
  world.source.commit({ 'main.tf': record('a', { name: '"a"', value: '"2"' }, tags) })
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ outcome: 'unchanged', plan: { changes: [] } })
})

test('[P6] a hot-fix made after the approval asks again instead of being wiped', async () => {
  await using world = await openWorld({ files: one, policy: { mode: 'approve' } })
  const approveAndRun = async (): Promise<string | undefined> => {
    const { plan } = await world.reconciler.reconcile('shop', { refresh: true })
    await world.reconciler.approve('shop', { fingerprint: plan!.fingerprint, by: 'ada' })
    return plan!.fingerprint
  }
  await approveAndRun()
  await world.reconciler.waitFor({ application: 'shop', timeoutMs: 10_000 })
  world.source.commit({ 'main.tf': record('a', { name: '"a"', value: '"2"' }, tags) })
  const pending = await world.reconciler.reconcile('shop')
  expect(pending.outcome).toBe('blocked')
  world.provider.cloud.find('a')!.tags = { env: 'prod', hotfix: 'yes' }
  await world.reconciler.approve('shop', { fingerprint: pending.plan!.fingerprint, by: 'ada' })
  const after = await world.reconciler.reconcile('shop', { refresh: true })
  expect(after).toMatchObject({ outcome: 'blocked' })
  expect(after.reasons?.map(({ rule }) => rule)).toContain('approval-mismatch')
  expect(world.provider.cloud.find('a')?.tags).toEqual({ env: 'prod', hotfix: 'yes' })
})

test('[P7] accepted drift is in the state, and the cloud is not touched', async () => {
  const ignoring = record('a', { name: '"a"', value: '"1"' }, '  lifecycle {\n    ignore_changes = [value]\n  }\n')
  await using world = await openWorld({ files: { 'main.tf': ignoring } })
  await world.reconciler.reconcile('shop')
  const record_ = world.provider.cloud.find('a')!
  record_.value = 'by hand'
  const etag = record_.etag
  const accepted = await world.reconciler.reconcile('shop', { acceptDrift: true })
  expect(accepted).toMatchObject({ outcome: 'applied', plan: { mode: 'accept-drift', changes: [{ action: 'adopt' }] } })
  expect(world.provider.cloud.find('a')).toMatchObject({ value: 'by hand', etag })
  expect(await world.reconciler.reconcile('shop', { refresh: true })).toMatchObject({ plan: { drift: [] } })
})
