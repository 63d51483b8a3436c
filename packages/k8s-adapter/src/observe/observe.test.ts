import { createCall, type JsonObject, type ResourceRef } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { errorFor } from '../client/errors.ts'
import type { KubeClient, KubeRequest } from '../client/port.ts'
import { attribute } from './attribute.ts'
import { createClusterCache } from './cache.ts'
import { fingerprint, project } from './field-set.ts'
import { claimOf, ownerIn } from './observe.ts'

const call = createCall()
const looking = { manager: 'gitops-sdk', judge: () => ({ status: 'healthy', message: '' }) as const }
const ref = (name: string): ResourceRef => ({ kind: 'ConfigMap', namespace: 'shop', name })
const map = (name: string, version: number, uid = `uid-${name}`): JsonObject => ({
  metadata: { name, namespace: 'shop', uid, resourceVersion: String(version) },
})
const core = {
  kind: 'APIGroupDiscoveryList',
  items: [
    {
      metadata: {},
      versions: [
        {
          version: 'v1',
          resources: [{ resource: 'configmaps', responseKind: { kind: 'ConfigMap' }, scope: 'Namespaced' }],
        },
      ],
    },
  ],
}
const bookmark = (version: number, end = false): JsonObject => ({
  type: 'BOOKMARK',
  object: {
    metadata: {
      resourceVersion: String(version),
      ...(end && { annotations: { 'k8s.io/initial-events-end': 'true' } }),
    },
  },
})
const refusal = (status: number, reason?: string): Error =>
  errorFor({ method: 'GET', path: '/api/v1/configmaps', status, body: reason === undefined ? 'no' : { reason } })

type Script = (request: KubeRequest) => AsyncIterable<JsonObject> | Iterable<JsonObject>

/** A server that answers discovery and lists, and follows a script for each watch in turn. */
function server(
  lists: readonly (readonly JsonObject[] | Error)[],
  watches: readonly Script[],
): KubeClient & { readonly asked: string[] } {
  const asked: string[] = []
  const [pendingLists, pendingWatches] = [[...lists], [...watches]]
  return {
    id: 'script',
    asked,
    async send({ path }) {
      if (path === '/api') return { status: 200, body: core, warnings: [] }
      if (path === '/apis') return { status: 200, body: { ...core, items: [] }, warnings: [] }
      asked.push('list')
      const next = pendingLists.shift() ?? []
      if (next instanceof Error) throw next
      return { status: 200, body: { items: [...next], metadata: { resourceVersion: '10' } }, warnings: [] }
    },
    async *stream(request, { signal }, opened) {
      asked.push(`watch ${request.query?.['resourceVersion'] ?? 'initial'}`)
      const script = pendingWatches.shift()
      if (script !== undefined) {
        opened?.()
        yield* script(request)
        return
      }
      opened?.()
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    },
  }
}

const look = async (client: KubeClient, names: readonly string[], streamLists = false, after?: () => Promise<void>) => {
  using cache = createClusterCache({ client, looking, streamLists })
  const wanted = names.map((name) => ({ ref: ref(name), apiVersion: 'v1' }))
  await cache.look('me', wanted, call)
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  await after?.()
  return await cache.look('me', wanted, call)
}
const versions = (sight: Awaited<ReturnType<typeof look>>): unknown =>
  [...sight.seen].map(([key, { version }]) => [key.split('/').at(-1), version])

test('lists once and watches from there', async () => {
  const client = server([[map('a', 5)]], [])
  expect(versions(await look(client, ['a', 'b']))).toEqual([['a', '5']])
  expect(client.asked).toEqual(['list', 'watch 10'])
})

test('takes a streamed list where the server offers one', async () => {
  const client = server([], [() => [{ type: 'ADDED', object: map('a', 5) }, bookmark(12, true)]])
  expect(versions(await look(client, ['a'], true))).toEqual([['a', '5']])
  expect(client.asked).toEqual(['watch initial', 'watch 12'])
})

test.each([
  [
    'refuses it',
    () => {
      throw refusal(422, 'Invalid')
    },
  ],
  [
    'says so inside the stream',
    () => [{ type: 'ERROR', object: { code: 500, message: 'RequestWatchProgress is disabled' } }],
  ],
] satisfies [string, Script][])('lists page by page where the server cannot stream: it %s', async (_why, script) => {
  const client = server([[map('a', 5)]], [script])
  expect(versions(await look(client, ['a'], true))).toEqual([['a', '5']])
  expect(client.asked.slice(0, 2)).toEqual(['watch initial', 'list'])
})

test('a watch that expired is followed by a new list, and what went away meanwhile is gone', async () => {
  const expired: Script = () => [{ type: 'ERROR', object: { code: 410, reason: 'Expired' } }]
  const client = server([[map('a', 5), map('b', 6)], [map('b', 7)]], [expired])
  expect(versions(await look(client, ['a', 'b']))).toEqual([['b', '7']])
  expect(client.asked).toEqual(['list', 'watch 10', 'list', 'watch 10'])
})

test('a connection cut in the middle goes on from the last version it saw, without a list', async () => {
  const cut: Script = function* () {
    yield { type: 'MODIFIED', object: map('a', 11) }
    yield bookmark(15)
    throw new Error('cut in the middle of a line')
  }
  const client = server([[map('a', 5)]], [cut])
  expect(versions(await look(client, ['a']))).toEqual([['a', '11']])
  expect(client.asked).toEqual(['list', 'watch 10', 'watch 15'])
})

test('events that come twice or late change nothing', async () => {
  const doubled: Script = () => [
    { type: 'MODIFIED', object: map('a', 12) },
    { type: 'MODIFIED', object: map('a', 11) },
    { type: 'MODIFIED', object: map('a', 12) },
  ]
  expect(versions(await look(server([[map('a', 5)]], [doubled]), ['a']))).toEqual([['a', '12']])
})

test('one deleted and made anew is another one, and the deletion of the old one does not take it away', async () => {
  const events: Script = () => [
    { type: 'ADDED', object: map('a', 12, 'new') },
    { type: 'DELETED', object: map('a', 11, 'uid-a') },
  ]
  const { seen } = await look(server([[map('a', 5)]], [events]), ['a'])
  expect([...seen.values()].map(({ uid }) => uid)).toEqual(['new'])
})

test('a kind that may not be listed is unknown, with the reason, and never missing', async () => {
  const { seen, unknown } = await look(server([refusal(403, 'Forbidden'), refusal(403, 'Forbidden')], []), ['a'])
  expect(seen.size).toBe(0)
  expect([...unknown.values()]).toMatchObject([{ code: 'TARGET_FORBIDDEN' }])
})

test('two holders share one watch, and it ends with the last of them', async () => {
  const client = server([[map('a', 5)]], [])
  using cache = createClusterCache({ client, looking, streamLists: false })
  const wanted = [{ ref: ref('a'), apiVersion: 'v1' }]
  await Promise.all([cache.look('one', wanted, call), cache.look('two', wanted, call)])
  expect(client.asked.filter((each) => each === 'list')).toHaveLength(1)
  cache.release('one')
  expect((await cache.look('two', wanted, call)).seen.size).toBe(1)
  expect(client.asked.filter((each) => each === 'list')).toHaveLength(1)
})

test('an answer to our own write is seen before the watch tells', async () => {
  const client = server([[map('a', 5)]], [])
  using cache = createClusterCache({ client, looking, streamLists: false })
  const wanted = [{ ref: ref('a'), apiVersion: 'v1' }]
  await cache.look('one', wanted, call)
  const served = (await cache.served(wanted[0]!, call))!
  cache.wrote(served, map('a', 20))
  expect(versions(await cache.look('one', wanted, call))).toEqual([['a', '20']])
  cache.dropped(served, { namespace: 'shop', name: 'a', uid: 'uid-a' })
  expect((await cache.look('one', wanted, call)).seen.size).toBe(0)
})

const live: JsonObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    managedFields: [
      {
        manager: 'gitops-sdk',
        operation: 'Apply',
        fieldsV1: {
          'f:spec': {
            'f:template': {
              'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:args': {}, 'f:name': {} } } },
            },
          },
        },
      },
      {
        manager: 'kubectl-edit',
        operation: 'Update',
        time: '2026-01-01T00:00:00Z',
        fieldsV1: {
          'f:spec': {
            'f:paused': {},
            'f:template': { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:image': {} } } } },
          },
        },
      },
      { manager: 'hpa', operation: 'Update', subresource: 'scale', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      {
        manager: 'one',
        operation: 'Apply',
        time: '2026-01-01T00:00:00Z',
        fieldsV1: { 'f:spec': { 'f:minReadySeconds': {} } },
      },
      {
        manager: 'two',
        operation: 'Apply',
        time: '2026-01-02T00:00:00Z',
        fieldsV1: { 'f:spec': { 'f:minReadySeconds': {} } },
      },
      { manager: 'before-first-apply', operation: 'Update', fieldsV1: { 'f:spec': { 'f:revisionHistoryLimit': {} } } },
    ],
  },
  spec: {
    replicas: 3,
    paused: true,
    minReadySeconds: 1,
    revisionHistoryLimit: 2,
    strategy: {},
    template: { spec: { containers: [{ name: 'side' }, { name: 'web', image: 'x', args: ['a', 'b'] }] } },
  },
}

test.each([
  [
    'an item of a list by its key',
    '/spec/template/spec/containers/1/image',
    { name: 'kubectl-edit', via: 'Update', at: Date.UTC(2026, 0, 1), confidence: 'certain' },
  ],
  [
    'a subresource, which has no time',
    '/spec/replicas',
    { name: 'hpa', via: 'Update of scale', confidence: 'certain' },
  ],
  [
    'several that applied it: the last of them, as one of several',
    '/spec/minReadySeconds',
    { name: 'two', confidence: 'shared' },
  ],
  ['a name the server made up', '/spec/revisionHistoryLimit', { name: 'before-first-apply', confidence: 'unknown' }],
  ['a field that is gone: nobody can be named', '/spec/gone', { name: 'unknown', confidence: 'unknown' }],
  ['a field nobody owns', '/spec/strategy', { name: 'unknown', confidence: 'unknown' }],
])('names who changed %s', (_why, pointer, actor) => {
  expect(attribute(live, pointer, 'gitops-sdk')).toMatchObject(actor)
})

test('nobody is named for what only we own, also inside a list that is one value', () => {
  expect(attribute(live, '/spec/template/spec/containers/1/args/0', 'gitops-sdk')).toBeUndefined()
})

test('a projection sees what we own and nothing else', () => {
  const set = { 'f:data': { 'f:a': {} }, 'f:list': { 'k:{"name":"x"}': { '.': {}, 'f:v': {} }, 'v:"s"': {} } }
  const value = { data: { a: 1, b: 2 }, list: [{ name: 'y', v: 0 }, { name: 'x', v: 5, w: 6 }, 's'], other: true }
  expect(project(value, set)).toEqual({
    'f:data': { 'f:a': 1 },
    'f:list': { 'k:{"name":"x"}': { 'f:v': 5 }, 'v:"s"': 's' },
  })
})

const owned = (data: JsonObject, kind = 'ConfigMap', version = '1'): JsonObject => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    resourceVersion: version,
    managedFields: [{ manager: 'gitops-sdk', operation: 'Apply', fieldsV1: { 'f:data': { 'f:a': {} } } }],
  },
  data,
})

test('a fingerprint changes with our values only, and of a Secret it holds no value at all', () => {
  const before = fingerprint(owned({ a: '1', b: '1' }), 'gitops-sdk')
  expect(fingerprint(owned({ a: '1', b: '2' }, 'ConfigMap', '2'), 'gitops-sdk')).toEqual(before)
  expect(fingerprint(owned({ a: '2', b: '1' }), 'gitops-sdk')).not.toEqual(before)
  expect(fingerprint(owned({ a: 'x' }, 'Secret'), 'gitops-sdk')).toEqual(
    fingerprint(owned({ a: 'y' }, 'Secret'), 'gitops-sdk'),
  )
  expect(fingerprint(owned({ a: 'x' }, 'Secret', '2'), 'gitops-sdk')).not.toEqual(
    fingerprint(owned({ a: 'x' }, 'Secret'), 'gitops-sdk'),
  )
  expect(fingerprint(owned({ a: '1' }), 'another')).toBeUndefined()
})

test('a claim speaks of one object, one application and one owner', () => {
  const claim = claimOf('me', 'shop', ref('a'))
  expect(ownerIn(claim, ref('a'), 'me')).toBe('shop')
  expect(ownerIn(claim, ref('a'), 'you')).toBe('me/shop')
  expect(ownerIn(claim, ref('copy'), 'me')).toBeUndefined()
  expect(ownerIn('nonsense', ref('a'), 'me')).toBeUndefined()
})
