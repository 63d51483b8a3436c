import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createReconciler, memoryLedger } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import type { TerraformTargetOptions } from '../target/options.ts'
import { type Stage, openStage, record } from '../testing/stage.ts'
import { fakeProviderSource } from '../testing/fake-cloud-provider.ts'

const files = { 'main.tf': record('a', { name: '"a"', value: '"1"' }) }
const platform = `${process.platform}_${process.arch === 'x64' ? 'amd64' : process.arch}`
const environment = { TF_DISABLE_PLUGIN_TLS: '1' }

/** An unpacked mirror with the provider as a program. */
async function mirrorOf({ folder, provider }: Stage): Promise<string> {
  const mirror = join(folder, 'mirror')
  await provider.writeLauncher(join(mirror, fakeProviderSource, '1.0.0', platform), '1.0.0')
  return mirror
}

async function reconcileWith(stage: Stage, options: Partial<TerraformTargetOptions>, name = 'shop') {
  await using reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [
      {
        name,
        source: stage.source,
        target: stage.target({ environment, ...options }),
        policy: { intervalMs: 0, retry: { limit: 0 } },
      },
    ],
  })
  return reconciler.reconcile(name)
}

test('[P17] a provider under development is started from its folder', async () => {
  await using stage = await openStage(files)
  const folder = join(stage.folder, 'developed')
  await stage.provider.writeLauncher(folder)
  const { outcome, error } = await reconcileWith(stage, { providerOverrides: { [fakeProviderSource]: folder } })
  expect([outcome, error]).toEqual(['applied', undefined])
  expect(stage.provider.cloud.find('a')?.value).toBe('1')
})

test('[P17] a provider is started from an unpacked mirror, and its lock file may be demanded', async () => {
  await using stage = await openStage(files)
  const providerMirror = await mirrorOf(stage)
  const refused = await reconcileWith(stage, { providerMirror })
  expect(refused).toMatchObject({ outcome: 'failed', error: { code: 'DECLARATION_INVALID' } })
  expect(stage.provider.cloud.records.size).toBe(0)
  const { outcome, error } = await reconcileWith(stage, { providerMirror, lockFile: 'update' })
  expect([outcome, error]).toEqual(['applied', undefined])
  expect(stage.provider.cloud.find('a')?.value).toBe('1')
})

test('a lock file that names another program than the mirror holds is refused before it is started', async () => {
  const hash = `h1:${Buffer.alloc(32, 7).toString('base64')}`
  const lock = `provider "${fakeProviderSource}" {\n  version = "1.0.0"\n  hashes = [\n    "${hash}",\n  ]\n}\n`
  await using stage = await openStage({ ...files, '.terraform.lock.hcl': lock })
  const { outcome, error } = await reconcileWith(stage, { providerMirror: await mirrorOf(stage) })
  expect([outcome, error?.code]).toEqual(['failed', 'DECLARATION_INVALID'])
  expect(stage.provider.cloud.records.size).toBe(0)
})

test('targets that start at once fill one cache of providers without disturbing each other', async () => {
  await using stage = await openStage(files)
  const providerMirror = await mirrorOf(stage)
  const providerCache = join(stage.folder, 'cache')
  const names = ['one', 'two']
  const results = await Promise.all(
    names.map(async (name) => {
      const folder = join(stage.folder, name)
      await mkdir(folder)
      return reconcileWith(stage, { folder, providerMirror, providerCache, lockFile: 'update' }, name)
    }),
  )
  expect(results.map(({ outcome, error }) => error?.message ?? outcome)).toEqual(['applied', 'applied'])
  expect(await readdir(providerCache)).toEqual([fakeProviderSource.split('/')[0]])
  expect(stage.provider.cloud.count('a')).toBe(2)
})
