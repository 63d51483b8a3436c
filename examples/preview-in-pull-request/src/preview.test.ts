import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createReconciler, memoryLedger } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'
import { startGitServer } from '@gitops-sdk/core/testing/git'
import { flagTarget } from '@gitops-sdk/example-feature-flag-target'
import { expect, test } from 'vitest'
import { approvedBy, preview } from './preview.ts'

test('a pull request shows what its merge would do; a comment approves exactly that', async () => {
  await using server = await startGitServer()
  const repository = await server.createRepository('shop')
  await repository.commit({ 'flags/checkout.yaml': 'flag: checkout\nrollout: 25\n' })
  const folder = await mkdtemp(join(tmpdir(), 'preview-'))
  const read = () => readFile(join(folder, 'checkout.json'), 'utf8')
  const ledger = memoryLedger()
  const application = { name: 'flags', target: flagTarget(folder), policy: { mode: 'approve' } } as const
  const source = gitSource({ url: repository.url, ref: 'main', path: 'flags' })
  await using platform = createReconciler({ ledger, applications: [{ ...application, source }] })
  await platform.approve('flags', { fingerprint: (await platform.plan('flags')).fingerprint, by: 'ada' })
  await platform.reconcile('flags')

  await repository.git('branch', 'more', 'main')
  await repository.commit({ 'flags/checkout.yaml': 'flag: checkout\nrollout: 100\n' }, { branch: 'more' })
  const comments = new Map<string, string>()
  const pullRequest = {
    head: 'more',
    comment: async (marker: string, text: string) => void comments.set(marker, text),
  }
  const plan = await preview({ repository: repository.url, path: 'flags', application }, pullRequest, ledger)
  const comment = comments.get('gitops:flags') ?? ''
  expect(comment).toContain('/rollout')
  expect(comment).toContain('25')
  expect(comment).toContain('100')
  expect(await read()).toContain('"rollout": 25')

  await repository.git('update-ref', 'refs/heads/main', 'more')
  expect(await platform.reconcile('flags')).toMatchObject({ outcome: 'blocked' })
  expect(approvedBy(`Looks good.\n/approve ${plan.fingerprint}`)).toBe(plan.fingerprint)
  await platform.approve('flags', { fingerprint: plan.fingerprint, by: 'grace' })
  await platform.reconcile('flags')
  expect(await read()).toContain('"rollout": 100')
  await rm(folder, { recursive: true })
})

test.each([['looks good'], ['do not /approve abc'], ['/approve'], ['/approve a b']])(
  '%j approves nothing',
  (comment) => {
    expect(approvedBy(comment)).toBeUndefined()
  },
)
