import { createReconciler, memoryLedger, memorySource } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { stagePlane } from '../../test/plane.ts'
import { kubernetesTarget } from '../index.ts'
import { startControlPlane } from '../testing.ts'

const { connection, freshNamespace, edit, read } = stagePlane(startControlPlane)
/** A busy machine is slow to tell. */
const patient = { timeout: 60_000 }

async function world(files: Record<string, string>, selfHeal = true) {
  const namespace = await freshNamespace()
  const source = memorySource({ files })
  const namespaces = { default: namespace }
  const target = kubernetesTarget({ connection: connection(), owner: 'test', namespaces, settleMs: 3000 })
  const policy = { mode: 'automatic', prune: true, selfHeal } as const
  const reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [{ name: 'app', source, target, policy }],
  })
  return { namespace, source, reconciler, [Symbol.asyncDispose]: () => reconciler[Symbol.asyncDispose]() }
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {gitops-sdk/health: ignored}}
spec: {replicas: 0, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web}]}}}
`

test('kubectl scale is named with its door, and is not fought over', async () => {
  await using it = await world({ 'a.yaml': deployment })
  expect((await it.reconciler.reconcile('app')).outcome).toBe('applied')
  const path = `/apis/apps/v1/namespaces/${it.namespace}/deployments/web/scale`
  await edit(path, { spec: { replicas: 1 } }, 'kubectl')
  const actor = { name: 'kubectl', via: 'Update of scale' }
  await expect
    .poll(async () => (await it.reconciler.plan('app')).drift, patient)
    .toMatchObject([{ fields: [{ path: '/spec/replicas', before: 1, after: 0, actor }] }])
  const { error } = await it.reconciler.reconcile('app')
  expect(error).toMatchObject({
    code: 'APPLY_CONFLICT',
    message: expect.stringMatching(/by kubectl .*replicas/) as string,
  })
})

test('a definition whose names are taken fails with the reason of the server, and the rest goes on', async () => {
  const group = `taken-${process.pid}.example.org`
  const definition = (plural: string): string => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ${plural}.${group}}
spec:
  group: ${group}
  scope: Namespaced
  names: {plural: ${plural}, singular: thing, kind: Thing, listKind: ThingList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`
  await using first = await world({ 'a.yaml': definition('things') })
  expect((await first.reconciler.reconcile('app')).outcome).toBe('applied')
  await using it = await world({
    'a.yaml': definition('others'),
    'b.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n',
  })
  const { error } = await it.reconciler.reconcile('app')
  expect(error).toMatchObject({
    code: 'TARGET_REFUSED',
    retryable: true,
    message: expect.stringContaining('already in use') as string,
  })
  const path = `/api/v1/namespaces/${it.namespace}/configmaps/one`
  expect(await read(path)).toBeDefined()
})

test('an object whose owner is not there is collected by the cluster, which is drift, and it is made again', async () => {
  const owned = `apiVersion: v1
kind: ConfigMap
metadata:
  name: child
  ownerReferences: [{apiVersion: v1, kind: ConfigMap, name: nobody, uid: 11111111-2222-4333-8444-555555555555}]
`
  await using it = await world({ 'a.yaml': owned })
  const told: string[] = []
  it.reconciler.on('drifted', ({ drift }) => void told.push(`${drift.kind} ${drift.ref.name}`))
  it.reconciler.on('driftResolved', ({ how }) => void told.push(how))
  it.reconciler.start()
  await expect.poll(() => told.slice(0, 2), patient).toEqual(['missing child', 'healed'])
})

test('an object with very many managers and fields is planned and drift in it is found', async () => {
  const data = Array.from({ length: 3000 }, (_, index) => `  key-${index}: "${index}"`).join('\n')
  const big = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: big}\ndata:\n${data}\n`
  await using it = await world({ 'a.yaml': big }, false)
  expect((await it.reconciler.reconcile('app')).outcome).toBe('applied')
  const path = `/api/v1/namespaces/${it.namespace}/configmaps/big`
  for (let index = 0; index < 15; index++) await edit(path, { data: { [`key-${index}`]: 'edited' } }, `m${index}`)
  let actors: string[] = []
  await expect
    .poll(async () => {
      const { drift } = await it.reconciler.plan('app')
      actors = drift.flatMap(({ fields }) => fields.map(({ actor }) => `${actor?.name} ${actor?.confidence}`))
      return actors.length
    }, patient)
    .toBe(15)
  expect(actors).toContain('m14 certain')
  // Of more than ten the server keeps no names.
  expect(actors).toContain('ancient-changes unknown')
})
