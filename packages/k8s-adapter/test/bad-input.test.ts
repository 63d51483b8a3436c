import { createReconciler, memoryLedger, memorySource, type Reconciler } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { kubernetesTarget } from '../src/index.ts'
import { memoryApiServer } from '../src/testing.ts'
import { badInputs, map } from './bad-input/cases.ts'

test('there are more than sixty of them', () => {
  expect(badInputs.length).toBeGreaterThan(60)
})

/** What an embedder reads about what went wrong in a run. */
function record(reconciler: Reconciler): () => string {
  const seen: unknown[] = []
  reconciler.on('failed', ({ error }) => void seen.push(error))
  reconciler.on('planned', ({ plan }) => void seen.push(plan.blocked))
  return () => JSON.stringify(seen)
}

test.each(badInputs)('$why', async ({ bad, before, given, code, says, rest, secret, ...options }) => {
  await using server = await memoryApiServer({ runsWorkloads: true, ...options.server })
  server.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  const source = memorySource({ files: { 'bad.yaml': before ?? map('first'), 'kept.yaml': map('kept') } })
  const target = kubernetesTarget({
    connection: server.connection(),
    owner: 'test',
    namespaces: { default: 'shop' },
    settleMs: 300,
    ...options.target,
  })
  const policy = { mode: 'automatic', prune: true } as const
  await using reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [{ name: 'app', source, target, policy }],
  })
  expect((await reconciler.reconcile('app')).outcome).toBe('applied')
  given?.(server)
  const written = record(reconciler)
  const requests = server.requests.length
  source.commit({ 'bad.yaml': bad, 'good.yaml': map('good') })
  const result = await reconciler.reconcile('app')
  const text = written() + JSON.stringify(result)
  expect(text).toContain(code)
  if (says !== undefined) expect(text).toMatch(new RegExp(says.source, `${says.flags}s`))
  expect(text.length).toBeLessThan(50_000)
  if (secret !== undefined) expect(text).not.toContain(secret)
  expect(server.get('v1', 'ConfigMap', 'good', 'shop') !== undefined).toBe(rest === 'goes on')
  // Nothing is lost: what was applied before and is still declared stays, and a refused revision prunes nothing.
  expect(server.get('v1', 'ConfigMap', 'kept', 'shop')).toBeDefined()
  if (rest === 'stops') {
    expect(server.requests.slice(requests).filter((each) => !each.startsWith('GET'))).toEqual([])
    expect(server.get('v1', 'ConfigMap', 'first', 'shop')).toBeDefined()
  }
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})
