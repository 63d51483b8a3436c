import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { findBinary } from '../testing/find-binary.ts'
import { type World, eventually, journalsIn, openWorld, textsBelow } from '../testing/world.ts'
import { record } from '../testing/stage.ts'

const slow = { 'main.tf': record('a', { name: '"a"' }) + record('slow', { name: '"slow"', value: 'fake_record.a.id' }) }
const ref = { kind: 'fake_record', name: 'slow' }

/** The process of the apply that is under way, once it creates the record. */
async function applying(world: World): Promise<number> {
  await eventually(() => world.provider.cloud.count('slow') > 0 || undefined)
  return eventually(async () => (await journalsIn(world.folder))[0]?.process?.pid)
}

async function interrupted(how: (world: World, pid: number) => void, world: World): Promise<void> {
  world.provider.cloud.faults.set('slow', { delayMs: 5_000 })
  const run = world.reconciler.reconcile('shop')
  how(world, await applying(world))
  expect(await run).toMatchObject({ outcome: 'failed' })
  world.provider.cloud.faults.clear()
}

test('[P11] after a kill nothing is applied until the suspect is resolved, and importing it leaves one', async () => {
  await using world = await openWorld({ files: slow })
  const { cloud } = world.provider
  await interrupted((_, pid) => process.kill(pid, 'SIGKILL'), world)
  const again = await world.reconciler.reconcile('shop')
  expect(again).toMatchObject({ outcome: 'failed', error: { code: 'APPLY_UNKNOWN' } })
  expect(again.error?.message).toContain('fake_record slow')
  expect(world.events.some(({ type }) => type === 'attentionNeeded')).toBe(true)
  expect(cloud.count('slow')).toBe(1)
  const resolutions = [
    // What was finished has told its id; what was under way has not.
    { ref: { kind: 'fake_record', name: 'a' }, how: 'imported' as const },
    { ref, how: 'imported' as const, id: cloud.find('slow')!.id },
  ]
  await world.reconciler.resolveSuspects('shop', { by: 'ada', note: 'it is there', resolutions })
  expect((await world.reconciler.reconcile('shop', { refresh: true })).error).toBeUndefined()
  expect([cloud.count('a'), cloud.count('slow')]).toEqual([1, 1])
  expect(world.reconciler.status('shop').alignment).toBe('aligned')
})

test('[P11] a suspect that does not exist is made once it is said to be absent, also after a restart', async () => {
  await using world = await openWorld({ files: slow })
  const { cloud } = world.provider
  await interrupted((_, pid) => process.kill(pid, 'SIGKILL'), world)
  await world.restart()
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ error: { code: 'APPLY_UNKNOWN' } })
  cloud.records.delete(cloud.find('slow')!.id)
  const kept = { ref: { kind: 'fake_record', name: 'a' }, how: 'imported' as const }
  const resolutions = [kept, { ref, how: 'absent' as const }]
  await world.reconciler.resolveSuspects('shop', { by: 'ada', note: 'not there', resolutions })
  expect((await world.reconciler.reconcile('shop')).error).toBeUndefined()
  expect([cloud.count('a'), cloud.count('slow')]).toEqual([1, 1])
})

test('[P9] one request to stop lets a polite provider finish: nothing is suspect, nothing is made twice', async () => {
  await using world = await openWorld({ files: slow, stopTimeoutMs: 10 })
  const { cloud } = world.provider
  cloud.faults.set('slow', { delayMs: 3_000 })
  const run = world.reconciler.reconcile('shop')
  await applying(world)
  await world.restart()
  expect(await run).toMatchObject({ outcome: 'cancelled' })
  expect((await world.reconciler.reconcile('shop')).error).toBeUndefined()
  expect([cloud.count('a'), cloud.count('slow')]).toEqual([1, 1])
  expect(world.events.some(({ type }) => type === 'attentionNeeded')).toBe(false)
})

test('[P10] a provider that gives up waiting leaves a suspect, and nothing is applied on top of it', async () => {
  await using world = await openWorld({ files: slow, stopTimeoutMs: 10, provider: { cancellation: 'context-aware' } })
  const { cloud } = world.provider
  cloud.faults.set('slow', { delayMs: 5_000 })
  const run = world.reconciler.reconcile('shop')
  await applying(world)
  await world.restart()
  expect(await run).toMatchObject({ outcome: 'cancelled' })
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ error: { code: 'APPLY_UNKNOWN' } })
  expect(cloud.count('slow')).toBe(1)
})

test('a provider that crashes while it creates leaves a suspect', async () => {
  await using world = await openWorld({ files: slow })
  world.provider.cloud.faults.set('slow', { crash: true })
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ outcome: 'failed' })
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ error: { code: 'APPLY_UNKNOWN' } })
})

test('[P8] a refusal of the cloud is no suspect: what is left is made by the next run', async () => {
  await using world = await openWorld({ files: slow })
  const { cloud } = world.provider
  cloud.faults.set('slow', { error: 'quota exceeded' })
  const failed = await world.reconciler.reconcile('shop')
  expect(failed).toMatchObject({ outcome: 'failed', error: { code: 'APPLY_FAILED' } })
  expect(failed.error?.message).toContain('quota exceeded')
  cloud.faults.clear()
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ outcome: 'applied', plan: { changes: [{ ref }] } })
  expect([cloud.count('a'), cloud.count('slow')]).toEqual([1, 1])
})

test('[T12] [H8] whoever started it dies, the apply goes on to its end, and what it could not save is saved later', async () => {
  await using world = await openWorld({ files: slow })
  const { cloud, environment, requirement } = world.provider
  cloud.faults.set('slow', { delayMs: 4_000 })
  const parent = startElsewhere({
    folder: world.folder,
    environment,
    files: { 'main.tf': requirement + slow['main.tf'] },
  })
  const pid = await applying(world)
  parent.kill('SIGKILL')
  const early = await world.reconciler.reconcile('shop')
  expect(early).toMatchObject({ outcome: 'failed', error: { code: 'TARGET_LOCKED' } })
  await eventually(() => !isAlive(pid) || undefined)
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ outcome: 'unchanged' })
  expect([cloud.count('a'), cloud.count('slow')]).toEqual([1, 1])
  expect(await journalsIn(world.folder)).toEqual([])
})

test('[H2] the lock of a killed apply goes once its process is proven dead, a restart knows who held it, and nothing secret is left', async () => {
  await using world = await openWorld({ files: slow })
  const { cloud, environment, requirement } = world.provider
  cloud.faults.set('slow', { delayMs: 5_000 })
  const files = { 'main.tf': `variable "token" {}\n${requirement}${slow['main.tf']}` }
  const parent = startElsewhere({ folder: world.folder, environment, files, variables: { token: 'canary-token' } })
  const pid = await applying(world)
  parent.kill('SIGKILL')
  expect(await textsBelow(world.folder)).toContain('canary-token')
  const held = await world.reconciler.reconcile('shop')
  expect(held.error).toMatchObject({ code: 'TARGET_LOCKED', message: expect.stringContaining(`process ${pid}`) })
  const lease = (await readdir(world.folder, { recursive: true })).find((name) => name.endsWith('/lease'))!
  process.kill(pid, 'SIGKILL')
  await eventually(() => !isAlive(pid) || undefined)
  expect(existsSync(join(world.folder, lease))).toBe(true)
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ error: { code: 'APPLY_UNKNOWN' } })
  expect(existsSync(join(world.folder, lease))).toBe(false)
  expect(await textsBelow(world.folder)).not.toContain('canary-token')
  const resolutions = [
    { ref: { kind: 'fake_record', name: 'a' }, how: 'imported' as const },
    { ref, how: 'imported' as const, id: cloud.find('slow')!.id },
  ]
  await world.restart({ variables: { token: 'canary-token' } })
  await world.reconciler.resolveSuspects('shop', { by: 'ada', note: 'they are there', resolutions })
  expect((await world.reconciler.reconcile('shop', { refresh: true })).error).toBeUndefined()
  expect([cloud.count('a'), cloud.count('slow')]).toEqual([1, 1])
})

interface Elsewhere {
  readonly folder: string
  readonly environment: object
  readonly files: object
  readonly variables?: object
}

/** A process of its own that reconciles once. */
function startElsewhere({ folder, environment, files, variables }: Elsewhere): { kill(signal: 'SIGKILL'): void } {
  const target = JSON.stringify({ binary: findBinary(), folder, environment, variables, lockTimeoutMs: 0 })
  const source = `
    import { createReconciler, memorySource } from '@gitops-sdk/core'
    import { terraformTarget } from '@gitops-sdk/terraform-adapter'
    const source = memorySource({ files: ${JSON.stringify(files)} })
    const target = terraformTarget(${target})
    await createReconciler({ applications: [{ name: 'shop', source, target }] }).reconcile('shop')`
  const here = fileURLToPath(new URL('../..', import.meta.url))
  const args = ['--conditions=@gitops-sdk/source', '--import', 'tsx', '--input-type=module', '-e', source]
  const child = spawn(process.execPath, args, { cwd: here, stdio: 'inherit' })
  return { kill: (signal) => void child.kill(signal) }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
