import { Secret } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import type { TerraformTargetOptions } from './options.ts'
import { terraformTarget } from './target.ts'

const good: TerraformTargetOptions = { binary: '/bin/tofu', folder: '/nowhere' }

const refused: readonly (readonly [why: string, options: Partial<TerraformTargetOptions>])[] = [
  ['a program that would be searched for', { binary: 'tofu' }],
  ['a folder that depends on where the process stands', { folder: 'state' }],
  ['a workspace that looks like an option', { workspace: '-lock=false' }],
  ['a workspace that leaves its folder', { workspace: '../other' }],
  ['options in the environment', { environment: { TF_CLI_ARGS_apply: '-destroy' } }],
  ['another configuration of the binary', { environment: { TF_CLI_CONFIG_FILE: '/tmp/evil' } }],
  ['a log that would hold secrets', { environment: { TF_LOG: 'trace' } }],
  ['a variable of the module past its option', { environment: { TF_VAR_password: new Secret('x') } }],
  ['another state', { environment: { TF_HTTP_ADDRESS: 'http://elsewhere' } }],
  ['a library that is loaded first', { environment: { LD_PRELOAD: '/tmp/evil.so' } }],
  ['a name that is none', { environment: { 'A=B': 'x' } }],
  ['a setting of the backend that is an option', { backend: { kind: 'module', config: { '-migrate-state': 'x' } } }],
  ['no operation at a time', { parallelism: 0 }],
  ['no room for output', { maxOutputBytes: 0 }],
  ['a grace in the past', { graceMs: -1 }],
]

test.each(refused)('%s is refused at once', (_why, options) => {
  expect(() => terraformTarget({ ...good, ...options })).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
})

test('a target tells what it can do before it is used', () => {
  const { supports, kind } = terraformTarget(good)
  expect([kind, supports.granularity, supports.observe, supports.acceptDrift]).toEqual([
    'terraform',
    'whole',
    'expensive',
    true,
  ])
})

test('targets of one binary share its budget', () => {
  expect(terraformTarget(good).id).toBe(terraformTarget({ ...good, folder: '/elsewhere' }).id)
})
