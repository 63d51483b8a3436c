import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryLedger } from '@gitops-sdk/core'
import { startGitServer } from '@gitops-sdk/core/testing/git'
import { expect, test } from 'vitest'
import { createTenantPlatform } from './tenants.ts'

test('tenants come and go, stay in their bounds, and do not feel the failures of others', async () => {
  await using server = await startGitServer()
  const home = await mkdtemp(join(tmpdir(), 'tenants-'))
  const folderOf = (tenant: string) => join(home, tenant)
  const flagsOf = async (tenant: string) => (await readdir(folderOf(tenant))).toSorted()
  await using platform = createTenantPlatform({ ledger: memoryLedger(), host: server.url, folderOf, intervalMs: 0 })
  const { reconciler } = platform

  const names = Array.from({ length: 8 }, (_, index) => `tenant-${index}`)
  for (const id of names) {
    const repository = await server.createRepository(`${id}/flags`)
    // One of them cannot be read: that is its own affair.
    const text = id === 'tenant-3' ? 'flag: [\n' : `flag: ${id}\nenabled: true\n`
    await repository.commit({ 'flags.yaml': text })
    await platform.admit({ id, repository: repository.url })
  }
  const well = names.filter((id) => id !== 'tenant-3')
  await Promise.all(well.map((application) => reconciler.waitFor({ application })))
  for (const id of well) expect(await flagsOf(id)).toEqual([`${id}.json`])
  await reconciler.reconcile('tenant-3')
  expect(reconciler.status('tenant-3')).toMatchObject({ error: { code: 'DECLARATION_INVALID' } })

  const stranger = { id: 'tenant-8', repository: `${server.url}/tenant-0/flags` }
  await expect(platform.admit(stranger).then(() => 'admitted')).rejects.toMatchObject({ code: 'TENANT_DENIED' })

  await platform.dismiss('tenant-0')
  expect(await flagsOf('tenant-0')).toEqual([])
  expect(await flagsOf('tenant-1')).toEqual(['tenant-1.json'])
  await platform[Symbol.asyncDispose]()
  await rm(home, { recursive: true })
})
