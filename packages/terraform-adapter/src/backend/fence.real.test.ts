import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { memoryBlobs } from '../store/blobs.ts'
import { type FakeCloudProvider, fakeCloudProvider } from '../testing/fake-cloud-provider.ts'
import { findBinary } from '../testing/find-binary.ts'
import { record } from '../testing/stage.ts'
import { eventually } from '../testing/world.ts'
import { leaseBook } from './lease.ts'
import { type StateGrant, type StateServer, stateServer } from './managed.ts'
import { stateVersions } from './versions.ts'

// The real binary against the server alone, without the target around it.
const binary = findBinary()
let folder = ''
let provider: FakeCloudProvider
let server: StateServer
const blobs = memoryBlobs()
let versions = stateVersions(blobs, 'a', 9)
let leases = leaseBook(blobs, 'a')

beforeEach(async () => {
  if (binary === undefined) throw new Error('No binary. Run `pnpm terraform:install`, or set TERRAFORM_BIN.')
  folder = await mkdtemp(join(tmpdir(), 'fence-'))
  provider = await fakeCloudProvider()
  server = stateServer()
  for (const name of await blobs.list('a/')) await blobs.remove(name)
  versions = stateVersions(blobs, 'a', 9)
  leases = leaseBook(blobs, 'a')
  const main = `${provider.requirement}${record('slow', { name: '"slow"' })}`
  await writeFile(join(folder, 'main.tf'), `${main}terraform {\n  backend "http" {}\n}\n`)
  expect(await run(await grant('init', 'read'), 'init')).toMatchObject({ code: 0 })
})

afterEach(async () => {
  await server[Symbol.asyncDispose]()
  await provider[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const grant = (name: string, mode: 'read' | 'write'): Promise<StateGrant> =>
  server.grant({ run: name, mode, versions, leases })

/** The exit code, and everything that was printed. */
function run({ environment }: StateGrant, ...args: string[]): Promise<{ code: number; text: string }> {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    CHECKPOINT_DISABLE: '1',
    ...provider.environment,
    ...environment,
  }
  return new Promise((resolve) => {
    execFile(binary!, [...args, '-no-color'], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr }),
    )
  })
}

const creating = (): Promise<boolean> => eventually(() => provider.cloud.count('slow') > 0 || undefined)

test('[H3] a run that is fenced while it applies cannot write, and keeps its state in a file', async () => {
  provider.cloud.faults.set('slow', { delayMs: 1_500 })
  const mine = await grant('r1', 'write')
  const applying = run(mine, 'apply', '-auto-approve')
  await creating()
  mine.revoke()
  expect(await applying).toMatchObject({ code: 1 })
  expect(await versions.head()).toBeUndefined()
  const kept = await readFile(join(folder, 'errored.tfstate'))
  await versions.write(kept)
  await leases.clear()
  expect(await run(await grant('r2', 'read'), 'plan', '-detailed-exitcode')).toMatchObject({ code: 0 })
})

test('[H5] an older state is refused, also when its push is forced', async () => {
  expect(await run(await grant('r1', 'write'), 'apply', '-auto-approve')).toMatchObject({ code: 0 })
  const older = join(folder, 'older.tfstate')
  await writeFile(older, await versions.read((await versions.head())!))
  await writeFile(join(folder, 'output.tf'), 'output "x" {\n  value = 1\n}\n')
  expect(await run(await grant('r2', 'write'), 'apply', '-auto-approve')).toMatchObject({ code: 0 })
  const head = await versions.head()
  for (const force of [[], ['-force']]) {
    const pushed = await run(await grant('r3', 'write'), 'state', 'push', ...force, older)
    expect(pushed.code).not.toBe(0)
  }
  expect(await versions.head()).toEqual(head)
})

test('[H6] an apply with the right of a plan writes nothing', async () => {
  expect(await run(await grant('r1', 'read'), 'apply', '-auto-approve')).toMatchObject({ code: 1 })
  expect(await versions.head()).toBeUndefined()
})

test('[H7] a forced unlock on the command line is refused, and the holder ends well', async () => {
  provider.cloud.faults.set('slow', { delayMs: 4_000 })
  const applying = run(await grant('r1', 'write'), 'apply', '-auto-approve')
  await creating()
  const { lockId } = (await leases.read())!
  const forced = await run(await grant('r2', 'write'), 'force-unlock', '-force', lockId)
  expect(forced.code).not.toBe(0)
  expect(await leases.read()).toMatchObject({ lockId })
  expect(await applying).toMatchObject({ code: 0 })
  expect(await versions.head()).toMatchObject({ serial: 1 })
})
