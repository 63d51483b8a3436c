import { join } from 'node:path'
import { processCli } from '../cli/process.ts'
import { expect, test } from 'vitest'
import { findBinary } from '../testing/find-binary.ts'
import { type RecordedCommand, recordTerraform } from '../testing/scripted-terraform.ts'
import { record } from '../testing/stage.ts'
import { openWorld } from '../testing/world.ts'

const local = 'terraform {\n  backend "local" {}\n}\n'
const two = { 'main.tf': record('a', { name: '"a"' }), 'b.tf': record('b', { name: '"b"' }), 'backend.tf': local }

test('what a state holds already is left alone until it may be taken over, and is then owned', async () => {
  await using before = await openWorld({ files: two, target: { backend: { kind: 'module', config: { path: '/x' } } } })
  const backend = { kind: 'module' as const, config: { path: join(before.folder, 'shared.tfstate') } }
  await before.restart({ backend })
  await before.reconciler.reconcile('shop')
  const { cloud, environment } = before.provider
  await using after = await openWorld({ files: two, target: { backend, environment } })
  expect(await after.reconciler.reconcile('shop')).toMatchObject({ outcome: 'unchanged' })
  after.source.commit({ 'b.tf': null })
  expect((await after.reconciler.reconcile('shop')).reasons?.map(({ rule }) => rule)).toEqual(['not-owned'])
  expect(cloud.count('b')).toBe(1)
  after.source.commit({ 'b.tf': two['b.tf'] })
  await after.restart({ adoptState: true })
  const adopted = await after.reconciler.reconcile('shop')
  expect(adopted.plan?.changes.map(({ ref, action }) => [ref.name, action])).toEqual([
    ['a', 'adopt'],
    ['b', 'adopt'],
  ])
  await after.restart({ adoptState: false })
  after.source.commit({ 'b.tf': null })
  expect((await after.reconciler.reconcile('shop')).error).toBeUndefined()
  expect([cloud.count('a'), cloud.count('b')]).toEqual([1, 0])
})

const value = (label: string, given: string): string => record(label, { name: `"${label}"`, value: `"${given}"` })

test('what the policy ignores is not undone and told with its rule, and where it would be, nothing is applied', async () => {
  await using world = await openWorld({
    files: { 'main.tf': value('a', '1') + value('b', '1') },
    policy: { ignore: [{ name: 'scaled elsewhere', resource: 'a', paths: ['/value'] }] },
  })
  const { cloud } = world.provider
  await world.reconciler.reconcile('shop')
  cloud.find('a')!.value = 'by hand'
  const ignored = await world.reconciler.reconcile('shop', { refresh: true })
  expect(ignored).toMatchObject({
    outcome: 'unchanged',
    plan: { effect: 'none', drift: [], ignored: [{ path: '/value', rule: 'scaled elsewhere' }] },
  })
  world.source.commit({ 'main.tf': value('a', '1') + value('b', '2') })
  const blocked = await world.reconciler.reconcile('shop')
  expect(blocked.reasons?.map(({ rule }) => rule)).toEqual(['ignored-difference'])
  const only = [{ kind: 'fake_record', name: 'b' }]
  expect((await world.reconciler.reconcile('shop', { only })).error).toBeUndefined()
  expect([cloud.find('a')?.value, cloud.find('b')?.value]).toEqual(['by hand', '2'])
})

test('a name from outside is one argument, whatever it looks like', async () => {
  const commands: RecordedCommand[] = []
  const binary = recordTerraform(processCli(findBinary()!), commands)
  await using world = await openWorld({ files: { 'main.tf': value('a', '1') }, target: { binary } })
  await world.reconciler.reconcile('shop')
  world.source.commit({ 'main.tf': value('a', '2') })
  for (const name of ['a -destroy', '-destroy', 'a\n-lock=false', '"; rm -rf /'])
    await world.reconciler.reconcile('shop', { only: [{ kind: 'fake_record', name }] })
  const known =
    /^(plan|show|apply|init|-json|-input=false|-no-color|-lockfile=readonly|-lock-timeout=\d+s|-parallelism=10|-out=<path>|<path>)$/
  const foreign = commands.flatMap(({ args }) => args).filter((arg) => !known.test(arg))
  expect(foreign).toEqual(
    ['a -destroy', '-destroy', 'a\n-lock=false', '"; rm -rf /'].map((name) => `-target=fake_record.${name}`),
  )
  const nul = await world.reconciler.reconcile('shop', { only: [{ kind: 'fake_record', name: 'a\0b' }] })
  expect(nul).toMatchObject({ error: { code: 'CONFIG_INVALID' } })
  expect([world.provider.cloud.count('a'), world.provider.cloud.find('a')?.value]).toEqual([1, '1'])
})
