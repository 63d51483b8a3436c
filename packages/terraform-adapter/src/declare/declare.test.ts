import { type MemoryFiles, type RunCall, Secret, createCall, memorySource } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { terraformTarget } from '../target/target.ts'
import { memoryBlobs } from '../store/blobs.ts'
import type { TerraformTargetOptions } from '../target/options.ts'

const call: RunCall = { ...createCall(), application: 'shop', inputs: {} }
const encryptionKey = new Secret(Buffer.alloc(32, 1).toString('base64'))

async function digestOf(files: MemoryFiles, options: Partial<TerraformTargetOptions> = {}): Promise<string> {
  const source = memorySource({ files })
  const target = terraformTarget({
    binary: '/bin/tofu',
    folder: '/nowhere',
    store: memoryBlobs(),
    encryptionKey,
    ...options,
  })
  const { digest } = await target.declare(await source.snapshot(await source.resolve(call), call), call)
  return digest
}

const files = { 'prod/main.tf': 'x = 1\n', 'lib/main.tf': 'y = 1\n', 'data/x.json': '1' }
const prod = { path: 'prod' }

test('the digest covers files, variables, workspace and named extras, and nothing else', async () => {
  const base = await digestOf(files, prod)
  expect(await digestOf({ ...files, 'lib/main.tf': 'y = 2\n' }, prod)).toBe(base)
  expect(await digestOf({ ...files, 'prod/main.tf': 'x = 2\n' }, prod)).not.toBe(base)
  expect(await digestOf(files, { ...prod, workspace: 'eu' })).not.toBe(base)
  expect(await digestOf(files, { ...prod, variables: { a: 1 } })).not.toBe(base)
  expect(await digestOf(files, { ...prod, extraPaths: ['data/x.json'] })).not.toBe(base)
})

test('a secret changes the digest, and cannot be tried out against it', async () => {
  const one = await digestOf(files, { ...prod, variables: { a: new Secret('one') } })
  expect(await digestOf(files, { ...prod, variables: { a: new Secret('two') } })).not.toBe(one)
  const other = new Secret(Buffer.alloc(32, 2).toString('base64'))
  expect(await digestOf(files, { ...prod, variables: { a: new Secret('one') }, encryptionKey: other })).not.toBe(one)
})

const refused: readonly (readonly [why: string, files: MemoryFiles, code: string])[] = [
  ['a folder without a module', { 'prod/readme.md': 'x' }, 'DECLARATION_EMPTY'],
  ['a folder that is not there', { 'main.tf': 'x' }, 'PATH_NOT_FOUND'],
  ['a module outside of the source', { 'prod/main.tf': 'source = "../../lib"' }, 'DECLARATION_INVALID'],
  ['a local module that is not there', { 'prod/main.tf': 'source = "../lib"' }, 'PATH_NOT_FOUND'],
  [
    'a file in the place of ours',
    { 'prod/main.tf': 'x', 'prod/zz-gitops.auto.tfvars.json': '{}' },
    'DECLARATION_INVALID',
  ],
]

test.each(refused)('%s is refused', async (_why, given, code) => {
  await expect(digestOf(given, prod)).rejects.toMatchObject({ code })
})

test('a name of a variable that is none is refused', async () => {
  await expect(digestOf(files, { ...prod, variables: { '-var': 1 } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
