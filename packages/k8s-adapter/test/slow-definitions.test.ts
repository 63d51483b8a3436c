import { createReconciler, memoryLedger, memorySource } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { kubernetesTarget } from '../src/index.ts'
import { type FaultyRequest, memoryApiServer } from '../src/testing.ts'

const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`
const widget = 'apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: one}\nspec: {size: 3}\n'
const isOf =
  (method: string, part: string) =>
  ({ method: asked, path }: FaultyRequest): boolean =>
    asked === method && path.includes(part)

const slow = [
  [
    'it is established some time after it was accepted',
    {
      when: isOf('GET', '/customresourcedefinitions/widgets'),
      times: 4,
      answer: { status: 200, body: { status: {} } },
    },
  ],
  [
    'another of several servers does not serve it yet',
    { when: isOf('PATCH', '/widgets/one'), times: 1, answer: { status: 404, body: '404 page not found\n' } },
  ],
] as const

test.each(slow)('a definition and an object of its kind in one commit, when %s', async (_, fault) => {
  await using server = await memoryApiServer()
  const source = memorySource({ files: { 'a.yaml': `${widget}---\n${definition}` } })
  const target = kubernetesTarget({ connection: server.connection(), owner: 'test' })
  const policy = { mode: 'automatic', retry: { baseMs: 50, jitter: 0 } } as const
  await using reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [{ name: 'app', source, target, policy }],
  })
  server.inject(fault)
  reconciler.start()
  await expect.poll(() => reconciler.status('app').ready, { timeout: 10_000 }).toBeDefined()
  expect(server.get('example.org/v1', 'Widget', 'one', 'default')?.['spec']).toEqual({ size: 3 })
})
