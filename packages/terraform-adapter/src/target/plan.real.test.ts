import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type DesiredState,
  type Plan,
  type PlanRequest,
  type RunCall,
  type Target,
  createCall,
  createSeal,
} from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { processCli } from '../cli/process.ts'
import { findBinary } from '../testing/find-binary.ts'
import { type RecordedCommand, recordTerraform } from '../testing/scripted-terraform.ts'
import { type Stage, openStage, record } from '../testing/stage.ts'
import { openWorld } from '../testing/world.ts'

const data = (label: string, input: string): string => `resource "terraform_data" "${label}" {\n  input = ${input}\n}\n`
const three = { 'main.tf': data('a', '"1"') + data('b', '"2"') + data('c', 'terraform_data.a.id') }
const call: RunCall = { ...createCall(), application: 'shop', inputs: {} }
const seal = createSeal(new Uint8Array(32).fill(7))

interface Looked {
  readonly desired: DesiredState
  readonly plan: Plan
}

async function look(stage: Stage, target: Target, more: Partial<PlanRequest> = {}): Promise<Looked> {
  const desired = await target.declare(await stage.source.snapshot(await stage.source.resolve(call), call), call)
  const actual = await target.observe(desired, new Map(), call)
  const request = {
    application: 'shop',
    mode: 'converge' as const,
    owned: new Map(),
    prune: true,
    ignore: [],
    seal,
    ...more,
  }
  return { desired, plan: await target.plan(desired, actual, request, call) }
}

async function apply(target: Target, { plan, desired }: Looked): Promise<string[]> {
  const statuses: string[] = []
  for await (const { status } of target.apply(plan, desired, call)) statuses.push(status)
  return statuses
}

test('[T1] [T3] three resources are created, and then there is nothing to do', async () => {
  await using stage = await openStage(three)
  await using target = stage.target() as Target & AsyncDisposable
  const first = await look(stage, target)
  expect(first.plan).toMatchObject({ effect: 'changes', complete: true })
  expect(first.plan.changes.map(({ action }) => action)).toEqual(['create', 'create', 'create'])
  expect(await apply(target, first)).toEqual(['succeeded', 'succeeded', 'succeeded'])
  expect((await look(stage, target)).plan).toMatchObject({ effect: 'none', changes: [], drift: [] })
})

test('[T2] a plan of a state that moved since is stale, and so is one that was used', async () => {
  await using stage = await openStage(three)
  await using target = stage.target() as Target & AsyncDisposable
  const [old, fresh] = [await look(stage, target), await look(stage, target)]
  await apply(target, fresh)
  await expect(apply(target, old)).rejects.toMatchObject({ code: 'PLAN_STALE' })
  await expect(apply(target, fresh)).rejects.toMatchObject({ code: 'PLAN_STALE' })
})

test('[T4] a new output is no change and no drift, and is published', async () => {
  await using world = await openWorld({ files: three })
  await world.reconciler.reconcile('shop')
  world.source.commit({ 'outputs.tf': 'output "id" {\n  value = terraform_data.b.input\n}\n' })
  const { plan, error } = await world.reconciler.reconcile('shop')
  expect(error).toBeUndefined()
  expect(plan).toMatchObject({ effect: 'outputs-only', changes: [], drift: [] })
  expect(world.events.some(({ type }) => type === 'drifted')).toBe(false)
  expect(await world.reconciler.reconcile('shop', { refresh: true })).toMatchObject({ outcome: 'unchanged' })
})

test('[T5] two secrets and nothing changed are no drift, as often as one looks', async () => {
  const variables = ['a', 'b']
    .map((name) => `variable "${name}" {\n  type      = string\n  sensitive = true\n}\n`)
    .join('')
  await using stage = await openStage({ 'main.tf': `${variables}${data('x', '{ a = var.a, b = var.b }')}` })
  await using target = stage.target({ variables: { a: 'first-secret', b: 'second-secret' } }) as Target &
    AsyncDisposable
  await apply(target, await look(stage, target))
  await look(stage, target)
  for (let round = 0; round < 14; round++) {
    expect((await look(stage, target, { mode: 'accept-drift' })).plan.drift).toEqual([])
  }
})

test('[T6] a selection is never complete, and so never in sync', async () => {
  await using world = await openWorld({ files: three })
  const only = [{ kind: 'terraform_data', name: 'b' }]
  const { plan } = await world.reconciler.reconcile('shop', { only })
  expect(plan).toMatchObject({ complete: false, changes: [{ ref: { name: 'b' } }] })
  expect(world.reconciler.status('shop').alignment).not.toBe('aligned')
  expect((await world.reconciler.reconcile('shop')).plan?.changes.map(({ ref }) => ref.name)).toEqual(['a', 'c'])
})

test('[T7] a check that fails is health, and no drift', async () => {
  const check =
    'check "working" {\n  assert {\n    condition     = terraform_data.a.output == "no"\n    error_message = "it says something else"\n  }\n}\n'
  await using world = await openWorld({ files: { ...three, 'check.tf': check } })
  const { error } = await world.reconciler.reconcile('shop')
  expect(error).toMatchObject({ code: 'HEALTH_DEGRADED', message: expect.stringContaining('it says something else') })
  expect(world.reconciler.status('shop').health).toBe('degraded')
  expect(world.events.some(({ type }) => type === 'drifted')).toBe(false)
})

test('[T9] an ephemeral variable is given again when the plan is applied', async () => {
  const ephemeral = 'variable "token" {\n  type      = string\n  ephemeral = true\n}\n'
  await using stage = await openStage({ ...three, 'variables.tf': ephemeral })
  await using target = stage.target({ variables: { token: 'one-time-token' } }) as Target & AsyncDisposable
  expect(await apply(target, await look(stage, target))).toEqual(['succeeded', 'succeeded', 'succeeded'])
})

test('[T13] a run with nothing new starts no process, also at a commit elsewhere', async () => {
  const files = { 'prod/main.tf': three['main.tf'], 'other/readme.md': 'one' }
  const commands: RecordedCommand[] = []
  const binary = recordTerraform(processCli(findBinary()!), commands)
  await using world = await openWorld({ files, target: { binary, path: 'prod' } })
  await world.reconciler.reconcile('shop')
  const before = commands.length
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ outcome: 'unchanged' })
  world.source.commit({ 'other/readme.md': 'two' })
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ outcome: 'unchanged' })
  expect(commands).toHaveLength(before)
})

test('[T14] a state that vanished is refused, and not taken for "create everything"', async () => {
  await using world = await openWorld({ files: { 'main.tf': record('a', { name: '"a"' }) } })
  await world.reconciler.reconcile('shop')
  // Another workspace has another state, as a lost one would.
  await world.restart({ workspace: 'typo' })
  const { outcome, plan, reasons } = await world.reconciler.reconcile('shop')
  expect(outcome).toBe('blocked')
  expect(plan?.changes).toEqual([])
  expect(reasons?.map(({ rule }) => rule)).toEqual(['lineage'])
  expect(world.provider.cloud.count('a')).toBe(1)
})

test('[T15] an edit of a local module changes the digest, a file elsewhere does not', async () => {
  const files = {
    'prod/main.tf': 'module "lib" {\n  source = "../lib"\n}\n',
    'lib/main.tf': 'module "inner" {\n  source = "./inner"\n}\n',
    'lib/inner/main.tf': data('a', '"1"'),
    'prod-eu/main.tf': data('other', '"1"'),
  }
  await using stage = await openStage(files)
  await using target = stage.target({ path: 'prod' }) as Target & AsyncDisposable
  const digest = async (): Promise<string> =>
    (await target.declare(await stage.source.snapshot(await stage.source.resolve(call), call), call)).digest
  const before = await digest()
  stage.source.commit({ 'prod-eu/main.tf': data('other', '"2"') })
  expect(await digest()).toBe(before)
  stage.source.commit({ 'lib/inner/main.tf': data('a', '"2"') })
  expect(await digest()).not.toBe(before)
  expect((await look(stage, target)).plan.changes).toMatchObject([
    { ref: { namespace: 'module.lib.module.inner', name: 'a' } },
  ])
})

test('[T16] two plans of the same thing are two artifacts and one fingerprint', async () => {
  await using stage = await openStage(three)
  await using target = stage.target() as Target & AsyncDisposable
  const [one, two] = [await look(stage, target), await look(stage, target)]
  expect(one.plan.handle?.id).not.toBe(two.plan.handle?.id)
  expect(one.plan.fingerprint).toBe(two.plan.fingerprint)
})

test('[P12] imports, moves and removals without deletion are shown as what they are', async () => {
  await using world = await openWorld({
    files: { 'main.tf': record('old', { name: '"moved"' }) + record('left', { name: '"left"' }) },
  })
  const { cloud } = world.provider
  await world.reconciler.reconcile('shop')
  const { id } = cloud.create({ name: 'found', value: null, tags: null, secret: null })
  world.source.commit({
    'main.tf': `${record('new', { name: '"moved"' })}${record('found', { name: '"found"' })}
moved {\n  from = fake_record.old\n  to   = fake_record.new\n}
import {\n  to = fake_record.found\n  id = "${id}"\n}
removed {\n  from = fake_record.left\n  lifecycle {\n    destroy = false\n  }\n}\n`,
  })
  const { plan, error } = await world.reconciler.reconcile('shop')
  expect(error).toBeUndefined()
  expect(plan?.changes.map(({ ref, action, from }) => [ref.name, action, from?.name])).toEqual([
    ['found', 'adopt', undefined],
    ['left', 'forget', undefined],
    ['new', 'move', 'old'],
  ])
  expect([cloud.count('moved'), cloud.count('left'), cloud.count('found')]).toEqual([1, 1, 1])
  expect(await world.reconciler.reconcile('shop', { refresh: true })).toMatchObject({ outcome: 'unchanged' })
})

test('[P15] a write-only attribute reaches the cloud and no plan', async () => {
  await using world = await openWorld({
    files: { 'main.tf': record('a', { name: '"a"', password_wo: '"write-only-1"' }) },
  })
  const { plan } = await world.reconciler.reconcile('shop')
  expect(world.provider.cloud.passwords.get('a')).toBe('write-only-1')
  expect(JSON.stringify([plan, world.events])).not.toContain('write-only-1')
})

test('[P16] a plan is applied by another worker, with the store alone', async () => {
  await using stage = await openStage(three)
  await using here = stage.target() as Target & AsyncDisposable
  const looked = await look(stage, here)
  await here[Symbol.asyncDispose]()
  await using there = stage.target() as Target & AsyncDisposable
  expect(await apply(there, looked)).toEqual(['succeeded', 'succeeded', 'succeeded'])
})

test("a module of the user's own backend: its state is pinned too, and a lost one is refused", async () => {
  await using world = await openWorld({
    files: { 'main.tf': record('a', { name: '"a"' }), 'backend.tf': 'terraform {\n  backend "local" {}\n}\n' },
    target: { backend: { kind: 'module' } },
  })
  const path = join(world.folder, 'elsewhere.tfstate')
  const backend = { kind: 'module' as const, config: { path } }
  await world.restart({ backend })
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ outcome: 'applied' })
  expect(await world.reconciler.reconcile('shop', { refresh: true })).toMatchObject({ outcome: 'unchanged' })
  await writeFile(path, '')
  expect((await world.reconciler.reconcile('shop', { refresh: true })).reasons?.map(({ rule }) => rule)).toEqual([
    'lineage',
  ])
  expect(world.provider.cloud.count('a')).toBe(1)
})

test('a state in the working folder is refused: it would be gone with it', async () => {
  await using world = await openWorld({ files: three, target: { backend: { kind: 'module' } } })
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ error: { code: 'CONFIG_INVALID' } })
})
