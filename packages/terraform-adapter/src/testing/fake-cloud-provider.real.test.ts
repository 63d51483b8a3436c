import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeCloudProvider, fakeCloudProvider } from './fake-cloud-provider.ts'
import { findBinary } from './find-binary.ts'

const binary = findBinary()
let folder = ''
let provider: FakeCloudProvider

beforeEach(async () => {
  if (binary === undefined) throw new Error('No binary. Run `pnpm terraform:install`, or set TERRAFORM_BIN.')
  folder = await mkdtemp(join(tmpdir(), 'fake-cloud-'))
  provider = await fakeCloudProvider()
  await declare('resource "fake_record" "a" {\n  name = "a"\n  value = "1"\n  password_wo = "opensesame"\n}\n')
})

afterEach(async () => {
  await provider[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const declare = (body: string): Promise<void> => writeFile(join(folder, 'main.tf'), provider.requirement + body)

/** The exit code, and everything that was printed. */
function run(...args: string[]): Promise<{ code: number; text: string }> {
  const env = { PATH: process.env['PATH'], HOME: folder, CHECKPOINT_DISABLE: '1', ...provider.environment }
  return new Promise((resolve) => {
    execFile(binary!, [...args, '-no-color'], { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr }),
    )
  })
}

const apply = async (): Promise<{ code: number; text: string }> => {
  expect(await run('init')).toMatchObject({ code: 0 })
  return run('apply', '-auto-approve')
}

test('a record is created once, and then nothing is left to do', async () => {
  expect(await apply()).toMatchObject({ code: 0 })
  expect(provider.cloud.count('a')).toBe(1)
  expect(await run('plan', '-detailed-exitcode')).toMatchObject({ code: 0 })
})

test('an edit by hand and a deletion by hand are seen and undone', async () => {
  await apply()
  provider.cloud.find('a')!.value = 'by hand'
  expect((await run('plan')).text).toContain('"by hand" -> "1"')
  provider.cloud.records.clear()
  expect(await run('apply', '-auto-approve')).toMatchObject({ code: 0 })
  expect(provider.cloud.find('a')?.value).toBe('1')
})

test('a write-only password reaches the cloud and stays out of the state', async () => {
  await apply()
  expect(provider.cloud.passwords.get('a')).toBe('opensesame')
  expect((await run('state', 'pull')).text).not.toContain('opensesame')
})

test('a refusal of the cloud fails the apply with its message', async () => {
  provider.cloud.faults.set('a', { error: 'quota exceeded' })
  const { code, text } = await apply()
  expect(code).toBe(1)
  expect(text).toContain('quota exceeded')
})

test('a record that exists can be imported', async () => {
  const { id } = provider.cloud.create({ name: 'a', value: '1', tags: null, secret: null })
  await run('init')
  expect(await run('import', 'fake_record.a', id)).toMatchObject({ code: 0 })
  expect((await run('state', 'pull')).text).toContain(id)
})

test('another name replaces the record', async () => {
  await apply()
  await declare('resource "fake_record" "a" {\n  name = "b"\n}\n')
  expect(await run('apply', '-auto-approve')).toMatchObject({ code: 0 })
  expect([provider.cloud.count('a'), provider.cloud.count('b')]).toEqual([0, 1])
})
