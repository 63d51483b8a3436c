import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RunCall, type Target, createCall, createSeal } from '@gitops-sdk/core'
import { describe, expect, test } from 'vitest'
import { type Stage, openStage, record } from '../src/testing/stage.ts'
import { openWorld } from '../src/testing/world.ts'

// Named `bad input T..`, after the list of bad inputs; the suites in `src` number scenarios of their own.
const call: RunCall = { ...createCall(), application: 'shop', inputs: {} }
const lock = (hash: string): string =>
  `provider "registry.opentofu.org/acme/thing" {\n  version = "1.0.0"\n  hashes = ["${hash}"]\n}\n`
const module = {
  'main.tf':
    'terraform {\n  required_providers {\n    thing = {\n      source  = "acme/thing"\n      version = "1.0.0"\n    }\n  }\n}\nresource "thing_a" "x" {}\n',
}

async function look(stage: Stage, target: Target): Promise<unknown> {
  const desired = await target.declare(await stage.source.snapshot(await stage.source.resolve(call), call), call)
  return target.observe(desired, new Map(), call)
}

/** A mirror on disk with one provider that is no provider: what is in it must never run. */
function mirrorIn(folder: string): string {
  const mirror = join(folder, 'mirror')
  const name = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`
  const place = join(mirror, 'registry.opentofu.org/acme/thing/1.0.0', name)
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'terraform-provider-thing_v1.0.0'), `#!/bin/sh\ntouch ${join(folder, 'started')}\n`, {
    mode: 0o755,
  })
  return mirror
}

describe('bad input T05: a lock file that does not fit', () => {
  const wrong = `h1:${Buffer.alloc(32, 1).toString('base64')}`
  const locks: readonly (readonly [what: string, files: Readonly<Record<string, string>>])[] = [
    ['there is none', {}],
    ['its hash is of another provider', { '.terraform.lock.hcl': lock(wrong) }],
    ['it is of another version', { '.terraform.lock.hcl': lock(wrong).replace('1.0.0', '0.9.0') }],
    ['it is damaged', { '.terraform.lock.hcl': 'provider "' }],
  ]
  test.each(locks)('%s: refused, and the provider is not started', async (_what, files) => {
    await using stage = await openStage({ ...module, ...files })
    const target = stage.target({ providerMirror: mirrorIn(stage.folder) })
    await expect(look(stage, target)).rejects.toMatchObject({ code: 'DECLARATION_INVALID', retryable: false })
    expect(existsSync(join(stage.folder, 'started'))).toBe(false)
    await target[Symbol.asyncDispose]?.()
  })
})

test('bad input T07: a plan of one revision is not applied with another one', async () => {
  await using stage = await openStage({ 'main.tf': record('a', { name: '"one"' }) })
  const target = stage.target()
  const declare = async () => target.declare(await stage.source.snapshot(await stage.source.resolve(call), call), call)
  const seal = createSeal(new Uint8Array(32).fill(7))
  const request = { application: 'shop', mode: 'converge' as const, owned: new Map(), prune: true, ignore: [], seal }
  const first = await declare()
  const plan = await target.plan(first, await target.observe(first, new Map(), call), request, call)
  stage.source.commit({ 'main.tf': record('a', { name: '"two"' }) })
  const second = await declare()
  const apply = async (): Promise<void> => {
    for await (const _ of target.apply(plan, second, call));
  }
  await expect(apply()).rejects.toMatchObject({ code: 'PLAN_STALE' })
  await target[Symbol.asyncDispose]?.()
})

test('bad input T01: the module is refused before init, by the policy of the target, in a whole run', async () => {
  const started = join(process.env['TMPDIR'] ?? '/tmp', `gitops-sdk-t01-${process.pid}`)
  const evil = `data "external" "x" {\n  program = ["touch", "${started}"]\n}\n`
  await using world = await openWorld({ files: { 'main.tf': evil }, target: { restrict: { providers: ['*/*/*'] } } })
  const result = await world.reconciler.reconcile('shop')
  expect(result).toMatchObject({ outcome: 'failed', error: { code: 'POLICY_DENIED' } })
  expect(existsSync(started)).toBe(false)
  rmSync(started, { force: true })
  world.source.commit({ 'main.tf': record('a', { name: '"one"' }) })
  expect(await world.reconciler.reconcile('shop')).toMatchObject({ outcome: 'applied' })
})
