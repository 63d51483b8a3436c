import {
  GitOpsError,
  type DesiredState,
  type MemorySource,
  memorySource,
  type Renderer,
  type RunCall,
  Secret,
  type Snapshot,
  type Variables,
} from '@gitops-sdk/core'
import { testCall } from '@gitops-sdk/core/testing'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { declareObjects, type DeclareOptions } from './declare.ts'
import { filesRenderer } from './files.ts'
import { functionRenderer } from './function-renderer.ts'

/** A target's declaring, which remembers what it read and made. */
function declaring(
  given: Partial<DeclareOptions> = {},
): (source: MemorySource, call: RunCall) => Promise<DesiredState> {
  const options: DeclareOptions = {
    path: '',
    renderer: filesRenderer(),
    namespaces: {},
    scopeOf: async () => undefined,
    maxObjects: 2_000,
    formed: new WeakMap(),
    ...given,
  }
  return async (source, call) => declareObjects(await source.snapshot(source.history[0]!, call), call, options)
}

/** What is declared, or how it fails. */
async function answerOf(declared: Promise<DesiredState>): Promise<object> {
  try {
    return await declared
  } catch (error) {
    if (!(error instanceof GitOpsError)) throw error
    return { code: error.code, message: error.message, details: error.details }
  }
}

const head = (kind: string, name: string, apiVersion = 'v1'): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata:\n  name: ${name}\n`
const config = (name: string, value: string): string => `${head('ConfigMap', name)}data:\n  v: "${value}"\n`
const living = (): RunCall => testCall({ lifetime: {} })

test('a commit of one file in a thousand reads one, and makes one resource', async () => {
  const files = Array.from({ length: 1_000 }, (_, index) => [`f${index}.yaml`, config(`c${index}`, 'a')])
  const source = memorySource({ files: Object.fromEntries(files) })
  const read: string[] = []
  const watched: MemorySource = {
    ...source,
    get history() {
      return source.history
    },
    snapshot: async (revision, call): Promise<Snapshot> => {
      const opened = await source.snapshot(revision, call)
      return { ...opened, read: (path, own) => (read.push(path), opened.read(path, own)) }
    },
  }
  const declare = declaring()
  const call = living()
  const before = await declare(watched, call)
  expect(read.splice(0)).toHaveLength(1_000)
  source.commit({ 'f500.yaml': config('c500', 'b') })
  const after = await declare(watched, call)
  expect(read).toEqual(['f500.yaml'])
  const taken = new Set(before.resources)
  expect(after.resources.filter((each) => !taken.has(each)).map(({ ref }) => ref.name)).toEqual(['c500'])
})

describe('what is not in the file is looked at each time', () => {
  test('the namespaces that are allowed', async () => {
    const allowed = ['shop']
    const declare = declaring({ namespaces: { default: 'shop', allowed } })
    const source = memorySource({ files: { 'a.yaml': config('a', '1') } })
    const call = living()
    await declare(source, call)
    allowed[0] = 'other'
    await expect(declare(source, call)).rejects.toMatchObject({ code: 'TENANT_DENIED' })
  })

  test('the namespace of what names none', async () => {
    const namespaces = { default: 'shop' }
    const declare = declaring({ namespaces })
    const source = memorySource({ files: { 'a.yaml': config('a', '1') } })
    const call = living()
    await declare(source, call)
    namespaces.default = 'till'
    expect((await declare(source, call)).resources[0]).toMatchObject({
      ref: { namespace: 'till' },
      body: { metadata: { namespace: 'till' } },
    })
  })

  test('variables, and which of them are sensitive', async () => {
    let variables: Variables = { v: 'one' }
    const declare = declaring({ variables: () => variables })
    const source = memorySource({ files: { 'a.yaml': config('a', '${v}'), 'b.yaml': config('b', '1') } })
    const call = living()
    const first = await declare(source, call)
    variables = { v: new Secret('two') }
    const second = await declare(source, call)
    expect(first.resources[0]).toMatchObject({ body: { data: { v: 'one' } } })
    expect(second.resources[0]).toMatchObject({ body: { data: { v: 'two' } }, sensitive: ['/data/v'] })
    expect(second.resources[1]).toBe(first.resources[1])
  })

  test('the scope of a kind that another file defines', async () => {
    const definition = `${head('CustomResourceDefinition', 'things.x.io', 'apiextensions.k8s.io/v1')}spec:\n  group: x.io\n  scope: Cluster\n  names:\n    kind: Thing\n`
    const source = memorySource({ files: { 'a.yaml': head('Thing', 'a', 'x.io/v1') } })
    const declare = declaring()
    const call = living()
    expect((await declare(source, call)).resources[0]?.ref).toHaveProperty('namespace', 'default')
    source.commit({ 'definition.yaml': definition })
    const { resources, warnings } = await declare(source, call)
    expect(resources.find(({ ref }) => ref.kind === 'Thing')?.ref).not.toHaveProperty('namespace')
    expect(warnings).toEqual([])
  })
})

describe('a renderer of somebody else is asked for everything each time', () => {
  test('one that changes what it is given, although types forbid it', async () => {
    const base = filesRenderer()
    const renderer: Renderer = {
      name: 'more and more',
      async render(folder, call) {
        const rendered = await base.render(folder, call)
        for (const { body } of rendered.documents) (body as { data: { v: string } }).data.v += '!'
        return rendered
      },
    }
    const declare = declaring({ renderer })
    const source = memorySource({ files: { 'a.yaml': config('a', 'hello') } })
    const call = living()
    for (const _ of ['run', 'run again'])
      expect((await declare(source, call)).resources[0]?.body).toMatchObject({ data: { v: 'hello!' } })
  })

  test('one that gives the same object with something else in it', async () => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { v: '1' } }
    const declare = declaring({ renderer: functionRenderer('mine', () => [body]) })
    const source = memorySource({ files: { 'a.yaml': config('a', 'hello') } })
    const call = living()
    await declare(source, call)
    body.data.v = '2'
    expect((await declare(source, call)).resources[0]?.body).toMatchObject({ data: { v: '2' } })
  })
})

const secret = `${head('Secret', 's')}stringData:\n  password: hunter2\n`
const list = `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: l1}}\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: l2}}\n`
const path = fc.constantFrom('a.yaml', 'b.yaml', 'n/a.yaml', 'n/b.json', 'kustomization.yaml', 'notes.txt')
const text = fc.constantFrom(
  config('a', '1'),
  config('b', '${v}'),
  `${config('c', '1')}---\n${config('d', '1')}`,
  `${head('Deployment', 'w', 'apps/v1')}  creationTimestamp: null\n  annotations: {argocd.argoproj.io/sync-wave: "2"}\n`,
  `${head('Namespace', 'till')}  namespace: shop\n`,
  secret,
  list,
  'a: [',
  head('Pod', 'Upper'),
  head('Thing', 'unknown', 'x.io/v1'),
)
const commit = fc.record({
  files: fc.dictionary(path, fc.option(text, { freq: 4 }), { minKeys: 1, maxKeys: 3 }),
  v: fc.constantFrom('1', '2'),
})

test('a target that remembers declares what a new one would, after any sequence of commits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(commit, { maxLength: 10 }), fc.boolean(), async (history, applySet) => {
      const source = memorySource({ files: { 'first.yaml': config('first', '0') } })
      let v = ''
      const given = { variables: () => ({ v }), applySet }
      const old = declaring(given)
      const lifetime = {}
      for (const next of history) {
        v = next.v
        source.commit(next.files)
        const remembered = await answerOf(old(source, testCall({ lifetime })))
        expect(remembered).toEqual(await answerOf(declaring(given)(source, testCall())))
      }
    }),
  )
})
