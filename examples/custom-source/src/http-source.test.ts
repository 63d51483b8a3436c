import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Source, createReconciler, memoryLedger } from '@gitops-sdk/core'
import { testSourceConformance } from '@gitops-sdk/core/testing'
import { flagTarget } from '@gitops-sdk/example-feature-flag-target'
import { describe, expect, test } from 'vitest'
import { type ConfigurationService, startConfigurationService } from './configuration-service.ts'
import { type Documents, httpSource } from './http-source.ts'

type Opened = Source & { readonly service: ConfigurationService }

async function open(documents: Documents): Promise<Opened> {
  const service = await startConfigurationService(documents)
  const close = { [Symbol.asyncDispose]: () => service.close() }
  return { ...httpSource(service.url), ...close, service }
}

describe('the HTTP source is a source', () => {
  testSourceConformance<Opened>({
    test,
    createSource: open,
    change: ({ service }, files) => service.change(files),
    breakReads: ({ service }) => service.close(),
  })
})

test('a configuration service is reconciled as a repository is, and costs nothing while nothing changes', async () => {
  const source = await open({ 'checkout.yaml': 'flag: checkout\nrollout: 25\n' })
  const folder = await mkdtemp(join(tmpdir(), 'custom-source-'))
  const applications = [{ name: 'flags', source, target: flagTarget(folder) }]
  const reconciler = createReconciler({ ledger: memoryLedger(), applications })
  const read = () => readFile(join(folder, 'checkout.json'), 'utf8')
  await reconciler.reconcile('flags')
  await reconciler.reconcile('flags')
  expect(await read()).toContain('"rollout": 25')
  expect(source.service.bodies).toBe(1)

  source.service.change({ 'checkout.yaml': 'flag: checkout\nrollout: 50\n' })
  await reconciler.reconcile('flags')
  expect(await read()).toContain('"rollout": 50')

  await source.service.close()
  expect(await reconciler.reconcile('flags')).toMatchObject({
    outcome: 'failed',
    error: { code: 'SOURCE_UNREACHABLE' },
  })
  expect(await read()).toContain('"rollout": 50')
  await reconciler[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})
