import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSeal } from '@gitops-sdk/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FakeCloudProvider, fakeCloudProvider } from '../testing/fake-cloud-provider.ts'
import { findBinary } from '../testing/find-binary.ts'
import type { PlanJson } from '../observe/plan-json.ts'
import { type Verdict, verdictOf } from './verdict.ts'

const seal = createSeal(new Uint8Array(32).fill(7))
const binary = findBinary()
let folder = ''
let provider: FakeCloudProvider

async function start(volatile: boolean): Promise<void> {
  if (binary === undefined) throw new Error('No binary. Run `pnpm terraform:install`, or set TERRAFORM_BIN.')
  folder = await mkdtemp(join(tmpdir(), 'verdict-'))
  provider = await fakeCloudProvider({ volatile })
  await declare('1')
  await run('init')
}

beforeEach(() => start(false))
afterEach(stop)

async function stop(): Promise<void> {
  await provider[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
}

const declare = (value: string): Promise<void> =>
  writeFile(
    join(folder, 'main.tf'),
    `${provider.requirement}resource "fake_record" "a" {\n  name = "a"\n  value = "${value}"\n  secret = "opensesame"\n  tags = {\n    env = "prod"\n  }\n}\n`,
  )

function run(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: folder, CHECKPOINT_DISABLE: '1', ...provider.environment }
  return new Promise((resolve, reject) => {
    execFile(binary!, args, { cwd: folder, env }, (error, stdout) => (error === null ? resolve(stdout) : reject(error)))
  })
}

async function plan(): Promise<Verdict> {
  await run('plan', '-out=plan')
  return verdictOf(JSON.parse(await run('show', '-json', 'plan')) as PlanJson, seal)
}

test('a plan of the binary creates, and after the apply there is nothing to do', async () => {
  expect(await plan()).toMatchObject({ effect: 'changes', complete: true, changes: [{ action: 'create' }], drift: [] })
  await run('apply', 'plan')
  expect(await plan()).toMatchObject({ effect: 'none', changes: [], drift: [] })
})

test('an edit by hand beside a commit has its own cause on its own field', async () => {
  await run('apply', '-auto-approve')
  provider.cloud.find('a')!.tags = { env: 'by hand' }
  await declare('2')
  const { changes, drift } = await plan()
  expect(drift).toMatchObject([{ kind: 'modified', healed: true }])
  expect(changes[0]).toMatchObject({ action: 'update', cause: 'both' })
  expect(changes[0]?.fields.filter(({ unknown }) => unknown !== true).map(({ path, cause }) => [path, cause])).toEqual([
    ['/tags/env', 'drift'],
    ['/value', 'revision'],
  ])
})

test('a deletion by hand is missing and made again', async () => {
  await run('apply', '-auto-approve')
  provider.cloud.records.clear()
  expect(await plan()).toMatchObject({
    changes: [{ action: 'create', cause: 'drift' }],
    drift: [{ kind: 'missing', healed: true }],
  })
})

test('an attribute that changes with every read is told, and nothing is done about it', async () => {
  await stop()
  await start(true)
  await run('apply', '-auto-approve')
  expect(await plan()).toMatchObject({ effect: 'none', changes: [], drift: [{ healed: false }] })
})

test('a secret of the module is in no verdict', async () => {
  const first = await plan()
  await run('apply', 'plan')
  provider.cloud.find('a')!.secret = 'changed by hand'
  const text = JSON.stringify([first, await plan()])
  expect(text).not.toContain('opensesame')
  expect(text).not.toContain('changed by hand')
})
