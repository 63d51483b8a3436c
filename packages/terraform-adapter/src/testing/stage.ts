import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MemoryFiles, type MemorySource, memorySource, type Target } from '@gitops-sdk/core'
import type { TerraformTargetOptions } from '../target/options.ts'
import { terraformTarget } from '../target/target.ts'
import { type FakeCloudProvider, type FakeCloudProviderOptions, fakeCloudProvider } from './fake-cloud-provider.ts'
import { findBinary } from './find-binary.ts'

/** A source, a cloud, and a folder for targets between them. */
export interface Stage extends AsyncDisposable {
  readonly folder: string
  readonly source: MemorySource
  readonly provider: FakeCloudProvider
  /** A target on this stage. Several of one folder are the same target after a restart. */
  target(options?: Partial<TerraformTargetOptions>): Target
}

/** A stage with a module of these records. Throws when the machine has no binary. */
export async function openStage(files: MemoryFiles, options: FakeCloudProviderOptions = {}): Promise<Stage> {
  const binary = findBinary()
  if (binary === undefined) throw new Error('No binary. Run `pnpm terraform:install`, or set TERRAFORM_BIN.')
  const folder = await mkdtemp(join(tmpdir(), 'terraform-stage-'))
  const provider = await fakeCloudProvider(options)
  const source = memorySource({ files: { 'provider.tf': provider.requirement, ...files } })
  return {
    folder,
    source,
    provider,
    target: (more = {}) =>
      terraformTarget({ binary, folder, environment: provider.environment, lockTimeoutMs: 0, ...more }),
    async [Symbol.asyncDispose]() {
      await provider[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** A record of the fake cloud, in the language of modules. */
export function record(label: string, fields: Readonly<Record<string, string>>, more = ''): string {
  const lines = Object.entries(fields).map(([name, value]) => `  ${name} = ${value}\n`)
  return `resource "fake_record" "${label}" {\n${lines.join('')}${more}}\n`
}
