import {
  createCall,
  createReconciler,
  type JsonObject,
  memoryLedger,
  memorySource,
  type Reconciler,
} from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { httpClient, kubernetesTarget, type KubernetesTargetOptions } from '../src/index.ts'
import { type MemoryApiServer, type MemoryApiServerOptions, memoryApiServer } from '../src/testing.ts'

const map = (name: string, value: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {a: "${value}"}\n`

interface World extends AsyncDisposable {
  readonly server: MemoryApiServer
  readonly reconciler: Reconciler
  readonly edit: (name: string, value: string) => void
  readonly value: (name: string) => unknown
}

/** Two applied objects on a server in memory, and an application that heals. */
async function world(
  options: MemoryApiServerOptions = {},
  more: Partial<KubernetesTargetOptions> = {},
): Promise<World> {
  const server = await memoryApiServer(options)
  const target = kubernetesTarget({ connection: server.connection(), owner: 'test', ...more })
  const source = memorySource({ files: { 'a.yaml': `${map('one', '1')}---\n${map('two', '1')}` } })
  const policy = { mode: 'automatic', selfHeal: true, prune: true } as const
  const reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [{ name: 'app', source, target, policy }],
  })
  expect((await reconciler.reconcile('app')).outcome).toBe('applied')
  return {
    server,
    reconciler,
    edit: (name, value) => {
      const found = server.get('v1', 'ConfigMap', name) as JsonObject
      server.put({ ...found, data: { a: value } })
    },
    value: (name) => (server.get('v1', 'ConfigMap', name)?.['data'] as JsonObject | undefined)?.['a'],
    async [Symbol.asyncDispose]() {
      await reconciler[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

const isWatch = ({ query }: { query: URLSearchParams }): boolean => query.get('watch') === '1'

const troubles: readonly (readonly [why: string, trouble: (server: MemoryApiServer) => void])[] = [
  ['every watch is closed', (server) => server.closeWatches()],
  [
    'what happened is forgotten, and every watch is closed',
    (server) => {
      server.compact()
      server.closeWatches()
    },
  ],
  [
    'the next watch is cut in the middle of a line',
    (server) => {
      server.inject({ when: isWatch, cut: 'middle' })
      server.closeWatches()
    },
  ],
  [
    'the next watches are refused',
    (server) => {
      server.inject({ when: isWatch, times: 2, answer: { status: 503, body: 'no' } })
      server.closeWatches()
    },
  ],
  [
    'the connection of the next watch breaks',
    (server) => {
      server.inject({ when: isWatch, cut: 'before' })
      server.closeWatches()
    },
  ],
  ['nothing but bookmarks comes', (server) => server.bookmark()],
]

test.each(troubles)('drift is healed also when %s', async (_why, trouble) => {
  await using it = await world()
  trouble(it.server)
  it.edit('one', 'edited')
  await expect.poll(() => it.value('one'), { timeout: 10_000 }).toBe('1')
  expect(it.value('two')).toBe('1')
})

const servers: readonly (readonly [why: string, options: MemoryApiServerOptions])[] = [
  ['cannot stream lists', { streamsLists: false }],
  ['knows no aggregated discovery', { aggregatesDiscovery: false }],
  ['lives in the past', { now: () => 0 }],
  ['lives in the future', { now: () => 4_102_444_800_000 }],
  ['is slow', { latencyMs: 20 }],
]

test.each(servers)('a server that %s is reconciled, healed and then left alone', async (_why, options) => {
  await using it = await world(options)
  it.edit('one', 'edited')
  await expect.poll(() => it.value('one'), { timeout: 10_000 }).toBe('1')
  await expect.poll(async () => (await it.reconciler.reconcile('app')).outcome, { timeout: 10_000 }).toBe('unchanged')
  const requests = it.server.requests.length
  expect((await it.reconciler.reconcile('app')).outcome).toBe('unchanged')
  expect(it.server.requests).toHaveLength(requests)
})

test('a list of which a page has expired is begun again, and nothing is pruned', async () => {
  await using server = await memoryApiServer({ streamsLists: false })
  for (let index = 0; index < 600; index++)
    server.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `other-${index}` } })
  const isSecondPage = ({ query }: { query: URLSearchParams }): boolean => query.get('continue') !== null
  const body: JsonObject = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old', metadata: {} }
  server.inject({ when: isSecondPage, answer: { status: 410, body } })
  const target = kubernetesTarget({ connection: server.connection(), owner: 'test' })
  await using reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [
      {
        name: 'app',
        source: memorySource({ files: { 'a.yaml': map('one', '1') } }),
        target,
        policy: { mode: 'automatic', prune: true },
      },
    ],
  })
  await expect
    .poll(async () => (await reconciler.reconcile('app')).outcome, { timeout: 10_000 })
    .toMatch(/applied|unchanged/)
  expect(server.get('v1', 'ConfigMap', 'one')).toBeDefined()
  expect(server.get('v1', 'ConfigMap', 'other-599')).toBeDefined()
})

test('an object that somebody deleted and made anew is not the one that was ours', async () => {
  await using it = await world()
  const uid = (): unknown => (it.server.get('v1', 'ConfigMap', 'one')?.['metadata'] as JsonObject | undefined)?.['uid']
  const before = uid()
  const call = createCall()
  await using client = httpClient(it.server.connection()) as ReturnType<typeof httpClient> & AsyncDisposable
  const path = '/api/v1/namespaces/default/configmaps/one'
  await client.send({ method: 'DELETE', path }, call)
  await expect.poll(() => it.value('one'), { timeout: 10_000 }).toBe('1')
  expect(uid()).not.toBe(before)
})
