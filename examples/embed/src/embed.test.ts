import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGitServer } from '@gitops-sdk/core/testing/git'
import { expect, test, vi } from 'vitest'
import { deliver } from './embed.ts'

test('the fifteen lines of the README deliver a repository, heal a manual edit and tell of it', async () => {
  await using server = await startGitServer()
  const repository = await server.createRepository('tenant')
  await repository.commit({ 'flags/checkout.yaml': 'flag: checkout\nenabled: true\n' })
  const folder = await mkdtemp(join(tmpdir(), 'embed-'))
  const file = join(folder, 'checkout.json')
  const messages: string[] = []
  const shutdown = new AbortController()
  const tenant = { repository: repository.url, folder, pollEveryMs: 20, notify: (text: string) => messages.push(text) }
  const running = deliver(tenant, shutdown.signal)

  await vi.waitFor(async () => expect(await readFile(file, 'utf8')).toContain('"enabled": true'), 10_000)
  await writeFile(file, '{ "enabled": false, "managedBy": "flags" }')
  await vi.waitFor(async () => expect(await readFile(file, 'utf8')).toContain('"enabled": true'), 10_000)
  expect(messages.join('\n')).toContain('/enabled')

  shutdown.abort()
  await running
  await rm(folder, { recursive: true })
})
