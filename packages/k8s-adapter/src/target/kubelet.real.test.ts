import {
  createReconciler,
  memoryLedger,
  memorySource,
  type MemorySource,
  type PolicyOptions,
  type Reconciler,
} from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { stagePlane } from '../../test/plane.ts'
import { startControlPlane } from '../testing/control-plane.ts'
import { simulatedNode } from '../testing/kubelet.ts'
import { kubernetesTarget } from './target.ts'

const { connection, make, edit, read } = stagePlane(() => startControlPlane({ kwok: true }))

const template = (restart: string): string =>
  `template: {metadata: {labels: {app: web}}, spec: {nodeName: ${simulatedNode}, ${restart}containers: [{name: web, image: web}]}}`
const deployment = (replicas: number, image = 'web'): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: ${replicas}, selector: {matchLabels: {app: web}}, ${template('').replace('image: web', `image: ${image}`)}}\n`
const job = `apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {argocd.argoproj.io/hook: PreSync}}\nspec: {${template('restartPolicy: Never, ')}}\n`

function delivering(
  files: Record<string, string>,
  namespace: string,
  more: PolicyOptions = {},
): { readonly source: MemorySource; readonly reconciler: Reconciler } {
  const source = memorySource({ files })
  const target = kubernetesTarget({
    connection: connection(),
    owner: 'kubelet',
    namespaces: { default: namespace },
  })
  const policy: PolicyOptions = { mode: 'automatic', selfHeal: true, prune: true, ...more }
  const reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [{ name: 'app', source, target, policy }],
  })
  return { source, reconciler }
}

async function namespace(name: string): Promise<string> {
  await make('/api/v1/namespaces', { metadata: { name } })
  return name
}

test('a Deployment is ready when its Pods are, by the status that controllers and kubelet write, and not before', async () => {
  const space = await namespace('rollout')
  const { source, reconciler } = delivering({ 'web.yaml': deployment(3) }, space)
  await using _ = reconciler
  const path = `/apis/apps/v1/namespaces/${space}/deployments/web`
  const health: string[] = []
  reconciler.on('healthChanged', ({ status }) => void health.push(status))
  expect(await reconciler.reconcile('app')).toMatchObject({ outcome: 'applied' })
  expect(await read(path)).toMatchObject({ status: { readyReplicas: 3, availableReplicas: 3 } })
  expect([...new Set(health)]).toEqual(['progressing', 'healthy'])
  // A rollout: the new Pods become ready and the old ones go.
  source.commit({ 'web.yaml': deployment(2, 'web:2') })
  expect(await reconciler.reconcile('app')).toMatchObject({ outcome: 'applied' })
  expect(await read(path)).toMatchObject({ status: { replicas: 2, updatedReplicas: 2, readyReplicas: 2 } })
  expect(await reconciler.reconcile('app')).toMatchObject({ outcome: 'unchanged' })
})

test('drift of a running Deployment is healed, and the run waits for the Pods it brings back', async () => {
  const space = await namespace('drift')
  const { reconciler } = delivering({ 'web.yaml': deployment(2) }, space)
  await using _ = reconciler
  const path = `/apis/apps/v1/namespaces/${space}/deployments/web`
  await reconciler.reconcile('app')
  const said: string[] = []
  reconciler.on('drifted', ({ drift }) => void said.push(`drifted by ${drift.actor?.name ?? 'nobody'}`))
  reconciler.on('healthChanged', ({ status }) => void said.push(status))
  reconciler.on('ready', () => void said.push('ready'))
  await edit(path, { spec: { replicas: 0 } })
  await expect.poll(() => said.at(-1), { timeout: 20_000 }).toBe('ready')
  expect([...new Set(said)]).toEqual(['drifted by kubectl-edit', 'progressing', 'healthy', 'ready'])
  expect(await read(path)).toMatchObject({ spec: { replicas: 2 }, status: { readyReplicas: 2 } })
})

test('a Pod that never becomes ready fails the run at its deadline, which names it', async () => {
  const space = await namespace('broken')
  const { reconciler } = delivering({ 'web.yaml': deployment(1, 'broken') }, space, { healthTimeoutMs: 2000 })
  await using _ = reconciler
  const result = await reconciler.reconcile('app')
  expect(result).toMatchObject({ outcome: 'failed', error: { code: 'HEALTH_DEADLINE' } })
  expect(result.error?.message).toContain('Deployment broken/web')
})

test('a hook that is a Job runs to its end before what comes after it is made', async () => {
  const space = await namespace('hooked')
  const { reconciler } = delivering({ 'job.yaml': job, 'web.yaml': deployment(1) }, space)
  await using _ = reconciler
  expect(await reconciler.reconcile('app')).toMatchObject({ outcome: 'applied' })
  const ended = (await read(`/apis/batch/v1/namespaces/${space}/jobs/migrate`)) as {
    readonly status: { readonly completionTime: string }
  }
  const made = (await read(`/apis/apps/v1/namespaces/${space}/deployments/web`)) as {
    readonly metadata: { readonly creationTimestamp: string }
  }
  expect(made.metadata.creationTimestamp >= ended.status.completionTime).toBe(true)
})
