import { createReconciler, type JsonObject, memoryLedger, memorySource } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { kubernetesTarget } from '../src/index.ts'
import { memoryApiServer } from '../src/testing.ts'
import { applySetStories } from './apply-set-stories.ts'

applySetStories(() => memoryApiServer())

const map = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, labels: {own: label}${more}}\n`
const role = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: ours}\n'
// sha256 of `applyset-app.default.Secret.`, as kubectl would write it.
const id = 'applyset-nJ7FrjtmmQluiw8E0xiuc8BS2z9Z6EqSbWgmHn0rKRk-v1'

test('the parent speaks for what is made and for what is pruned until it is gone, and is narrowed last', async () => {
  const spoken: unknown[] = []
  await using server = await memoryApiServer({
    admit: ({ object }) => {
      const { name, annotations = {} } = object['metadata'] as { name: string; annotations?: Record<string, string> }
      if (name === 'applyset-app') spoken.push(annotations['applyset.kubernetes.io/contains-group-kinds'])
      return undefined
    },
  })
  const source = memorySource({ files: { 'a.yaml': `${map('one')}---\n${role}` } })
  const target = kubernetesTarget({ connection: server.connection(), owner: 'test', applySet: true })
  const policy = { mode: 'automatic', prune: true } as const
  const applications = [{ name: 'app', source, target, policy }]
  await using reconciler = createReconciler({ ledger: memoryLedger(), applications })
  await reconciler.reconcile('app')
  source.commit({ 'a.yaml': `${map('one')}---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: new}\n` })
  spoken.length = 0
  const requests = server.requests.length
  expect((await reconciler.reconcile('app')).outcome).toBe('applied')
  const writes = server.requests.slice(requests).filter((each) => /^(PATCH|DELETE)/.test(each))
  const order = writes.map((each) => each.replace(/ .*\//, ' ').replace(/\?.*/, ''))
  // Widened, narrowed, and then looked at once: what its own declaration says is unchanged.
  expect(order).toEqual(['PATCH applyset-app', 'PATCH new', 'DELETE ours', 'PATCH applyset-app', 'PATCH applyset-app'])
  expect([...new Set(spoken)]).toEqual([
    'ConfigMap,Role.rbac.authorization.k8s.io,ServiceAccount',
    'ConfigMap,ServiceAccount',
  ])
  expect((await reconciler.reconcile('app')).outcome).toBe('unchanged')
})

test('what is applied is an ApplySet: members carry its label, the parent its kinds and namespaces', async () => {
  await using server = await memoryApiServer()
  server.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } })
  const source = memorySource({
    files: { 'a.yaml': `${map('one')}---\n${map('two', ', namespace: other')}---\n${role}` },
  })
  const target = kubernetesTarget({ connection: server.connection(), owner: 'test', applySet: true })
  const policy = { mode: 'automatic', prune: true } as const
  await using reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [{ name: 'app', source, target, policy }],
  })
  expect((await reconciler.reconcile('app')).outcome).toBe('applied')
  const metadata = (kind: string, name: string, namespace?: string): JsonObject =>
    server.get('v1', kind, name, namespace)?.['metadata'] as JsonObject
  expect(metadata('ConfigMap', 'one')['labels']).toEqual({ own: 'label', 'applyset.kubernetes.io/part-of': id })
  expect(metadata('ConfigMap', 'two', 'other')['labels']).toMatchObject({ 'applyset.kubernetes.io/part-of': id })
  expect(metadata('Secret', 'applyset-app')).toMatchObject({
    labels: { 'applyset.kubernetes.io/id': id },
    annotations: {
      'applyset.kubernetes.io/tooling': 'gitops-sdk/v1',
      'applyset.kubernetes.io/contains-group-kinds': 'ConfigMap,Role.rbac.authorization.k8s.io',
      'applyset.kubernetes.io/additional-namespaces': 'other',
    },
  })
  expect((await reconciler.reconcile('app')).outcome).toBe('unchanged')
  source.commit({ 'a.yaml': map('one') })
  await reconciler.reconcile('app')
  expect(metadata('Secret', 'applyset-app')['annotations']).toMatchObject({
    'applyset.kubernetes.io/contains-group-kinds': 'ConfigMap',
  })
  expect(server.get('v1', 'ConfigMap', 'two', 'other')).toBeUndefined()
})
