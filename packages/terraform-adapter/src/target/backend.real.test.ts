import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ApplicationEvent, Secret } from '@gitops-sdk/core'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import type { BlobStore } from '../store/blobs.ts'
import { record } from '../testing/stage.ts'
import { eventually, openWorld, textsBelow } from '../testing/world.ts'

const files = { 'main.tf': record('a', { name: '"a"' }) + record('b', { name: '"b"', value: 'fake_record.a.id' }) }

test('[H1] no credential of the backend is in the working folder, in a plan or in the store', async () => {
  await using world = await openWorld({ files })
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ outcome: 'applied' })
  const text = await textsBelow(world.folder)
  expect(text).not.toContain('TF_HTTP')
  expect(text).not.toMatch(/127\.0\.0\.1:\d+\/state/)
})

test('[H4] a state that could not be saved is saved before anything is planned, and nothing is made twice', async () => {
  const failing = { now: false }
  await using world = await openWorld({ files, target: { store: flaky(failing) } })
  const { cloud } = world.provider
  cloud.faults.set('b', { delayMs: 1_000 })
  const run = world.reconciler.reconcile('shop')
  await eventually(() => cloud.count('b') > 0 || undefined)
  failing.now = true
  expect(await run).toMatchObject({ outcome: 'failed' })
  failing.now = false
  expect((await world.reconciler.reconcile('shop')).error).toBeUndefined()
  expect([cloud.count('a'), cloud.count('b')]).toEqual([1, 1])
})

/** A store in memory that refuses to write while told so. */
function flaky(failing: { readonly now: boolean }): BlobStore {
  const blobs = memory()
  return {
    ...blobs,
    put: (name, bytes) => (failing.now ? Promise.reject(new Error('the disk is full')) : blobs.put(name, bytes)),
  }
}

function memory(): BlobStore {
  const blobs = new Map<string, Uint8Array>()
  return {
    put: async (name, bytes) => void blobs.set(name, bytes),
    get: async (name) => blobs.get(name),
    remove: async (name) => void blobs.delete(name),
    list: async (prefix) => [...blobs.keys()].filter((name) => name.startsWith(prefix)).toSorted(),
  }
}

test('[T10] a command of somebody else meets the lock, waits for it, and is told who holds it', async () => {
  await using world = await openWorld({ files: { ...files, 'backend.tf': 'terraform {\n  backend "local" {}\n}\n' } })
  const backend = { kind: 'module' as const, config: { path: join(world.folder, 'x.tfstate') } }
  await world.restart({ backend })
  const { cloud } = world.provider
  cloud.faults.set('b', { delayMs: 12_000 })
  const run = world.reconciler.reconcile('shop')
  await eventually(() => cloud.count('b') > 0 || undefined)
  await using other = await openWorld({
    files: { ...files, 'backend.tf': 'terraform {\n  backend "local" {}\n}\n' },
    target: { backend, environment: world.provider.environment },
  })
  expect(await other.reconciler.reconcile('shop')).toMatchObject({ error: { code: 'TARGET_LOCKED' } })
  await other.restart({ lockTimeoutMs: 30_000 })
  expect((await other.reconciler.reconcile('shop')).error).toBeUndefined()
  expect((await run).error).toBeUndefined()
  expect([cloud.count('a'), cloud.count('b')]).toEqual([1, 1])
  expect(activities(other.events)).toContain('waiting for the lock of the state')
  expect(activities(world.events)).toEqual(
    expect.arrayContaining(['create fake_record.b', 'create fake_record.b, for 10 s']),
  )
  const shares = world.events.flatMap((each) => (each.type === 'progressed' ? [each.progress] : []))
  expect(shares.at(-1)).toMatchObject({ activity: 'applying', done: 2, total: 2, unit: 'resources' })
})

const activities = (events: readonly ApplicationEvent[]): readonly string[] =>
  events.flatMap((each) => (each.type === 'progressed' ? [each.progress.activity] : []))

test('[T11] a stop during a local-exec leaves the resource tainted, and the next run replaces it', async () => {
  const mark = join(tmpdir(), `local-exec-${process.pid}`)
  await rm(mark, { force: true })
  const sleeping = `resource "terraform_data" "x" {\n  provisioner "local-exec" {\n    command = "touch ${mark}; sleep 10"\n  }\n}\n`
  await using world = await openWorld({ files: { 'main.tf': sleeping }, stopTimeoutMs: 10 })
  const run = world.reconciler.reconcile('shop')
  await eventually(() => existsSync(mark) || undefined)
  await rm(mark)
  await world.restart()
  expect(await run).toMatchObject({ outcome: 'cancelled' })
  world.source.commit({ 'main.tf': 'resource "terraform_data" "x" {\n}\n' })
  const { plan } = await world.reconciler.reconcile('shop')
  expect(plan?.changes).toMatchObject([{ action: 'replace', cause: 'requested' }])
})

test('[P14] reads go side by side, as many as is asked for', async () => {
  const many = Array.from({ length: 40 }, (_, index) => record(`r${index}`, { name: `"r${index}"` })).join('')
  await using world = await openWorld({
    files: { 'main.tf': many },
    target: { parallelism: 40 },
    provider: { readDelayMs: 250 },
  })
  await world.reconciler.reconcile('shop')
  world.provider.cloud.reads.most = 0
  await world.reconciler.reconcile('shop', { refresh: true })
  // The binary itself starts with ten.
  expect(world.provider.cloud.reads.most).toBeGreaterThan(10)
})

test('[H9] a thousand resources are saved by the managed backend in a few writes', async () => {
  const main = 'resource "terraform_data" "x" {\n  count = 1000\n  input = count.index\n}\n'
  await using world = await openWorld({ files: { 'main.tf': main } })
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ outcome: 'applied' })
  const names = await readdir(join(world.folder, 'store', 'applications'), { recursive: true })
  expect(names.filter((name) => /\/v\d+-/.test(name)).length).toBeLessThan(8)
})

test('[T8] a canary occurs nowhere: not in events, errors, plans, history, logs, outputs of the state, or on the disk', async () => {
  const canary = 'canary-4f1d9c7e2b'
  const main = `variable "pw" {
  type      = string
  sensitive = true
}
resource "terraform_data" "x" {
  input = { pw = var.pw }
}
resource "fake_record" "a" {
  name   = "a"
  secret = var.pw
  value  = nonsensitive("v-\${var.pw}")
}
output "copy" {
  value     = terraform_data.x.output.pw
  sensitive = true
}
`
  const logged: unknown[] = []
  const note = (...line: unknown[]): void => void logged.push(line)
  await using world = await openWorld({
    files: { 'main.tf': main },
    target: { variables: { pw: new Secret(canary) } },
    log: { debug: note, info: note, warn: note, error: note },
  })
  const { cloud } = world.provider
  const results: unknown[] = [await world.reconciler.reconcile('shop')]
  world.source.commit({ 'docs.md': 'another commit' })
  results.push(await world.reconciler.plan('shop'))
  expect(cloud.find('a')?.secret).toBe(canary)
  cloud.find('a')!.value = `by hand ${canary}`
  results.push(await world.reconciler.reconcile('shop', { refresh: true }))
  cloud.faults.set('a', { error: `no quota for ${canary}` })
  world.source.commit({ 'main.tf': main.replace('name   = "a"', 'name   = "b"') })
  const failed = await world.reconciler.reconcile('shop')
  results.push(failed, failed.error?.message, failed.error?.stack)
  world.source.commit({
    'main.tf': `${main}\nresource "terraform_data" "bad" {\n  input = tonumber(nonsensitive(var.pw))\n}\n`,
  })
  const invalid = await world.reconciler.reconcile('shop')
  results.push(invalid, invalid.error?.message)
  expect(invalid.error).toBeDefined()
  for await (const each of world.reconciler.history()) results.push(each)
  for await (const each of world.reconciler.audit()) results.push(each)
  const record_ = await world.ledger.read('shop', { signal: AbortSignal.timeout(1_000) } as never)
  results.push([...record_.inventory.values()], record_.journal, record_.state)
  const text = inspect([results, world.events, logged, world.reconciler.list()], { depth: null, maxStringLength: null })
  expect(text).toContain('no quota for ***')
  expect(text.split(canary)).toHaveLength(1)
  expect((await textsBelow(world.folder)).split(canary)).toHaveLength(1)
})
