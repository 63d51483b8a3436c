import {
  createCall,
  type Call,
  GitOpsError,
  type JsonObject,
  memoryLedger,
  memorySource,
  type MemorySource,
  createReconciler,
  type Reconciler,
  type RunCall,
  type Target,
} from '@gitops-sdk/core'
import { testTargetConformance, testCall } from '@gitops-sdk/core/testing'
import { describe, expect, test } from 'vitest'
import {
  httpClient,
  type KubeClient,
  kubernetesCluster,
  kubernetesTarget,
  type KubernetesTargetOptions,
  type KubeRequest,
} from '../src/index.ts'
import { type Plane, stagePlane } from './plane.ts'

/**
 * What is true of a target on any server: told on the one in memory, and again on a real one. It has a user called
 * `limited`, who has no rights yet.
 */
export function targetStories(start: () => Promise<Plane>): void {
  const { admin, connection, freshName, freshNamespace, make, edit, applyAs, read, remove } = stagePlane(start)
  const call = createCall()

  /** A client that counts, and can be told to fail. */
  interface Counted extends KubeClient {
    requests: KubeRequest[]
    /** Resolves when a watch has passed on this version of something, or a later one. */
    passed(version: JsonObject): Promise<void>
    /** Cuts every connection and lets no other through. */
    cut(): void
  }

  function counted(inner: KubeClient = admin): Counted {
    const cutting = new AbortController()
    const requests: KubeRequest[] = []
    const latest = { version: 0 }
    const within = (request: KubeRequest, given: Call): Call => {
      requests.push(request)
      return { ...given, signal: AbortSignal.any([given.signal, cutting.signal]) }
    }
    return {
      id: inner.id,
      requests,
      cut: () => cutting.abort(new GitOpsError('TARGET_UNREACHABLE', 'The connection was cut.')),
      send: (request, given) => inner.send(request, within(request, given)),
      passed: (object) => until(() => latest.version >= versionOf(object)),
      async *stream(request, given, opened) {
        for await (const event of inner.stream(request, within(request, given), opened)) {
          yield event
          // Whoever reads has asked for the next one, so this one is taken.
          latest.version = Math.max(latest.version, versionOf(event['object'] as JsonObject))
        }
      },
    }
  }

  const versionOf = (object: JsonObject): number =>
    Number((object['metadata'] as JsonObject | undefined)?.['resourceVersion'] ?? 0)

  interface World extends AsyncDisposable {
    readonly namespace: string
    readonly source: MemorySource
    readonly client: Counted
    readonly target: Target
    readonly reconciler: Reconciler
    edit(kind: string, name: string, patch: JsonObject, manager?: string): Promise<JsonObject>
    get(kind: string, name: string): Promise<JsonObject | undefined>
    reconcile(): ReturnType<Reconciler['reconcile']>
  }

  type Options = Partial<KubernetesTargetOptions> & { readonly client?: Counted; readonly selfHeal?: boolean }

  async function world(
    files: Record<string, string>,
    { client = counted(), selfHeal = false, ...options }: Options = {},
  ): Promise<World> {
    const namespace = await freshNamespace()
    const source = memorySource({ files })
    const cluster = kubernetesCluster({ client })
    const target = kubernetesTarget({
      cluster,
      owner: 'test',
      namespaces: { default: namespace },
      settleMs: 2000,
      ...options,
    })
    const reconciler = createReconciler({
      ledger: memoryLedger(),
      applications: [{ name: 'app', source, target, policy: { mode: 'automatic', prune: true, selfHeal } }],
    })
    const pathOf = (kind: string, name: string): string => {
      const root = kind === 'deployments' ? '/apis/apps/v1' : '/api/v1'
      return `${root}/namespaces/${namespace}/${kind}/${name}`
    }
    return {
      namespace,
      source,
      client,
      target,
      reconciler,
      edit: (kind, name, body, manager) => edit(pathOf(kind, name), body, manager),
      get: (kind, name) => read(pathOf(kind, name)),
      reconcile: () => reconciler.reconcile('app'),
      async [Symbol.asyncDispose]() {
        await reconciler[Symbol.asyncDispose]()
        await cluster[Symbol.asyncDispose]()
      },
    }
  }

  const configMap = (name: string, data: string): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: ${data}\n`
  const until = async (check: () => boolean | Promise<boolean>): Promise<void> => {
    for (let attempt = 0; attempt < 200 && !(await check()); attempt++)
      await new Promise((resolve) => setTimeout(resolve, 25))
    expect(await check()).toBe(true)
  }

  describe('passes the suite of every target', async () => {
    const first = {
      'a.yaml': `${configMap('one', '{a: "1"}')}---\n${configMap('two', '{a: "1"}')}---\napiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {password: hunter2}\n`,
    }
    const snapshotOf = async (files: Record<string, string>) => {
      const source = memorySource({ files })
      return source.snapshot(await source.resolve(call), call)
    }
    interface Opened extends Target {
      readonly client: Counted
      readonly namespace: string
    }
    const open = (namespace: string): Opened => {
      const client = counted()
      return { ...kubernetesTarget({ client, owner: 'suite', namespaces: { default: namespace } }), client, namespace }
    }
    testTargetConformance<Opened>({
      test,
      createTarget: async () => open(await freshNamespace()),
      reopenTarget: ({ namespace }) => open(namespace),
      snapshot: await snapshotOf(first),
      nextSnapshot: await snapshotOf({ 'a.yaml': configMap('one', '{a: "2"}') }),
      drift: async (target) => {
        const path = `/api/v1/namespaces/${target.namespace}/configmaps/one`
        await target.client.passed(await edit(path, { data: { a: 'x' } }))
      },
      breakReads: async ({ client }) => {
        client.cut()
        await new Promise((resolve) => setTimeout(resolve, 50))
      },
    })
  })

  test('an unchanged application is reconciled without a single request', async () => {
    await using it = await world({ 'a.yaml': configMap('one', '{a: "1"}') })
    await it.reconcile()
    it.client.requests.length = 0
    for (let run = 0; run < 3; run++) expect((await it.reconcile()).outcome).toBe('unchanged')
    const actual = await it.target.observe(await declared(it), new Map(), asRun())
    expect(actual.resources.size).toBe(1)
    expect(it.client.requests).toEqual([])
  })

  function asRun(): RunCall {
    return { ...testCall({ application: 'app' }), ...createCall() }
  }

  async function declared({ source, target }: World) {
    return target.declare(await source.snapshot(await source.resolve(call), call), asRun())
  }

  test('says who edited a field, with what and until when, before it is healed', async () => {
    await using it = await world({ 'a.yaml': configMap('one', '{a: "1", b: "1"}') })
    await it.reconcile()
    const drifts: unknown[] = []
    it.reconciler.on('drifted', (event) => void drifts.push(event.drift))
    await it.edit('configmaps', 'one', { data: { a: '2' } })
    await until(async () => (await it.reconciler.plan('app')).drift.length > 0)
    const { drift } = await it.reconciler.plan('app')
    expect(drift[0]).toMatchObject({
      kind: 'modified',
      fields: [
        {
          path: '/data/a',
          before: '2',
          after: '1',
          cause: 'drift',
          actor: { name: 'kubectl-edit', via: 'Update', confidence: 'certain', at: expect.any(Number) as number },
        },
      ],
    })
  })

  test('heals by itself what somebody edited or deleted', async () => {
    await using it = await world(
      { 'a.yaml': `${configMap('one', '{a: "1"}')}---\n${configMap('two', '{}')}` },
      { selfHeal: true },
    )
    await it.reconcile()
    await it.edit('configmaps', 'one', { data: { a: '2' } })
    await until(async () => ((await it.get('configmaps', 'one')) as { data: JsonObject }).data['a'] === '1')
    await remove(`/api/v1/namespaces/${it.namespace}/configmaps/two`)
    await until(async () => (await it.get('configmaps', 'two')) !== undefined)
  })

  test('heals also what somebody edited under the name that we use ourselves', async () => {
    await using it = await world({ 'a.yaml': configMap('one', '{a: "1"}') }, { selfHeal: true })
    await it.reconcile()
    await it.edit('configmaps', 'one', { data: { a: '2' } }, 'gitops-sdk')
    await until(async () => ((await it.get('configmaps', 'one')) as { data: JsonObject }).data['a'] === '1')
  })

  test('a label that a stranger adds, and a status, are no drift and cost no request', async () => {
    await using it = await world({ 'a.yaml': configMap('one', '{a: "1"}') })
    await it.reconcile()
    it.client.requests.length = 0
    await it.client.passed(
      await it.edit('configmaps', 'one', { metadata: { labels: { seen: 'yes' } }, data: { extra: '1' } }),
    )
    expect((await it.reconciler.plan('app')).drift).toEqual([])
    expect(it.client.requests.filter(({ method }) => method === 'PATCH')).toEqual([])
  })

  test('a value that a stranger took and put back is taken back without a change of value', async () => {
    await using it = await world({ 'a.yaml': configMap('one', '{a: "1"}') })
    await it.reconcile()
    await it.edit('configmaps', 'one', { data: { a: '2' } })
    await it.edit('configmaps', 'one', { data: { a: '1' } })
    await until(async () => (await it.reconciler.plan('app')).drift.length > 0)
    const { drift } = await it.reconciler.plan('app')
    expect(drift[0]!.fields).toMatchObject([{ path: '/metadata/managedFields' }])
  })

  const deployment = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, annotations: {gitops-sdk/health: ignored}}\nspec: {replicas: 0, selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web}]}}}\n`

  test('in strict mode a container and a label that somebody added are drift with a name, and are removed', async () => {
    await using it = await world({ 'a.yaml': deployment }, { strict: true, selfHeal: true })
    await it.reconcile()
    const drifts: string[] = []
    it.reconciler.on('drifted', ({ drift: { actor, fields } }) => {
      drifts.push(`${actor?.name} ${actor?.confidence}`, ...fields.map(({ op, path }) => `${op} ${path}`))
    })
    const injected = [
      { name: 'web', image: 'web' },
      { name: 'miner', image: 'miner' },
    ]
    await it.edit('deployments', 'web', {
      metadata: { labels: { team: 'other' } },
      spec: { template: { spec: { containers: injected } } },
    })
    await until(() => drifts.length > 0)
    expect(drifts).toEqual([
      'kubectl-edit certain',
      'remove /metadata/labels',
      'remove /spec/template/spec/containers/1',
    ])
    await until(async () => !JSON.stringify(await it.get('deployments', 'web')).includes('miner'))
    await until(async () => it.reconciler.status('app').alignment === 'aligned')
    const healed = (await it.get('deployments', 'web')) as { readonly metadata: JsonObject }
    expect(healed.metadata['labels']).toBeUndefined()
    it.client.requests.length = 0
    expect((await it.reconcile()).outcome).toBe('unchanged')
    expect(it.client.requests).toEqual([])
  })

  test('in strict mode what an allowed manager adds stays, what another adds goes', async () => {
    const strict = { allow: ['sidecar-injector'] }
    await using it = await world({ 'a.yaml': configMap('one', '{a: "1"}') }, { strict, selfHeal: true })
    await it.reconcile()
    await it.edit('configmaps', 'one', { data: { theirs: '1' } }, 'sidecar-injector')
    await it.edit('configmaps', 'one', { data: { extra: '1' } })
    await until(async () => !JSON.stringify((await it.get('configmaps', 'one'))?.['data']).includes('extra'))
    expect((await it.get('configmaps', 'one'))?.['data']).toEqual({ a: '1', theirs: '1' })
  })

  test('in strict mode what another tool applies is reported and stays, unless force is asked for', async () => {
    await using it = await world({ 'a.yaml': configMap('one', '{a: "1"}') }, { strict: true })
    await it.reconcile()
    const path = `/api/v1/namespaces/${it.namespace}/configmaps/one`
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { b: 'theirs' } }
    await it.client.passed(await applyAs('other-tool', path, body))
    const failed: unknown[] = []
    it.reconciler.on('failed', ({ error }) => void failed.push(error))
    expect((await it.reconciler.plan('app')).drift).toMatchObject([
      { fields: [{ op: 'remove', path: '/data/b' }], actor: { name: 'other-tool' } },
    ])
    expect((await it.reconciler.reconcile('app', { heal: true })).outcome).toBe('failed')
    expect(JSON.stringify(failed)).toMatch(/APPLY_CONFLICT.*other-tool/)
    expect((await it.get('configmaps', 'one'))?.['data']).toEqual({ a: '1', b: 'theirs' })
  })

  test('in strict mode a key that somebody put into a Secret is removed, and its value shows nowhere', async () => {
    const secret = 'apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {password: hunter2}\n'
    await using it = await world({ 'a.yaml': secret }, { strict: true })
    await it.reconcile()
    await it.client.passed(await it.edit('secrets', 'key', { data: { extra: btoa('canary-value') } }))
    const plan = await it.reconciler.plan('app')
    expect(plan.drift[0]!.fields.map(({ op, path }) => `${op} ${path}`)).toEqual(['replace /data'])
    expect(JSON.stringify(plan)).not.toContain(btoa('canary-value'))
    await it.reconciler.reconcile('app', { heal: true })
    expect(Object.keys((await it.get('secrets', 'key'))?.['data'] as JsonObject)).toEqual(['password'])
  })

  test('a field that another tool applies is a conflict with the name of the tool', async () => {
    await using it = await world({ 'a.yaml': configMap('one', '{a: "1"}') })
    await it.reconcile()
    const path = `/api/v1/namespaces/${it.namespace}/configmaps/one`
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' }, data: { a: 'theirs' } }
    await applyAs('other-tool', path, body, true)
    it.source.commit({ 'a.yaml': configMap('one', '{a: "2"}') })
    const failed: GitOpsError[] = []
    it.reconciler.on('failed', ({ error }) => void failed.push(error as GitOpsError))
    expect((await it.reconcile()).outcome).toBe('failed')
    expect(JSON.stringify(failed)).toContain('other-tool')
  })

  test('takes over from kubectl apply: what is no longer declared goes away', async () => {
    await using it = await world({ 'a.yaml': configMap('one', '{a: "1"}') })
    const lastApplied = { 'kubectl.kubernetes.io/last-applied-configuration': '{}' }
    const body = { metadata: { name: 'one', annotations: lastApplied }, data: { a: '1', old: 'x' } }
    await admin.send(
      {
        method: 'POST',
        path: `/api/v1/namespaces/${it.namespace}/configmaps`,
        query: { fieldManager: 'kubectl-client-side-apply' },
        body,
      },
      call,
    )
    expect((await it.reconcile()).outcome).toBe('applied')
    expect((await it.get('configmaps', 'one'))?.['data']).toEqual({ a: '1' })
  })

  /** A kind Widget in versions that all know the same fields. */
  const definition = (group: string, ...versions: string[]): string => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.${group}}
spec:
  group: ${group}
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions: [${versions.join(', ')}]
`
  const version = (name: string, storage: boolean, served = true): string =>
    `{name: ${name}, served: ${served}, storage: ${storage}, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}, color: {type: string}}}}}}}`

  test('defines a kind and makes one of it in the same commit, in any order of files', async () => {
    const group = `${freshName()}.example.org`
    const widget = (size: string): string =>
      `apiVersion: ${group}/v1\nkind: Widget\nmetadata: {name: one}\nspec: {size: ${size}}\n`
    await using it = await world({ 'a.yaml': widget('3'), 'z.yaml': definition(group, version('v1', true)) })
    expect((await it.reconcile()).outcome).toBe('applied')
    it.source.commit({ 'a.yaml': null })
    const path = `/apis/${group}/v1/namespaces/${it.namespace}/widgets/one`
    await until(async () => {
      await it.reconcile()
      return (await read(path)) === undefined
    })
  })

  test('what it cannot list is unknown, never missing, never pruned, and the rest goes on', async () => {
    const client = counted(httpClient(connection('limited')))
    await using it = await world(
      { 'a.yaml': `${configMap('one', '{a: "1"}')}---\napiVersion: v1\nkind: Secret\nmetadata: {name: key}\n` },
      { client },
    )
    const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${it.namespace}`
    const metadata = { name: 'maps' }
    await make(`${rbac}/roles`, { metadata, rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }] })
    await make(`${rbac}/rolebindings`, {
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'maps' },
      subjects: [{ kind: 'User', name: 'limited' }],
    })
    const plan = await it.reconciler.plan('app')
    expect(plan.complete).toBe(false)
    expect(plan.blocked).toMatchObject([
      { ref: { kind: 'Secret' }, rule: 'unreadable', error: { code: 'TARGET_FORBIDDEN' } },
    ])
    expect(plan.changes).toMatchObject([{ ref: { kind: 'ConfigMap' }, action: 'create' }])
  })

  test('what was made although its answer was lost is ours, also when the watch is behind and it is no longer declared', async () => {
    const client = counted()
    let isBehind = false
    const behind: Counted = {
      ...client,
      send: async (request, given) => {
        const answer = await client.send(request, given)
        if (!isBehind || !request.path.endsWith('/two') || request.method !== 'PATCH') return answer
        throw new GitOpsError('TARGET_UNREACHABLE', 'The connection broke before the answer came.')
      },
      async *stream(request, given, opened) {
        for await (const event of client.stream(request, given, opened)) {
          const { name } = (event['object'] as JsonObject)['metadata'] as { name?: string }
          if (!isBehind || name !== 'two') yield event
        }
      },
    }
    await using it = await world({ 'a.yaml': configMap('one', '{a: "1"}') }, { client: behind })
    await it.reconcile()
    isBehind = true
    it.source.commit({ 'b.yaml': configMap('two', '{a: "1"}') })
    expect((await it.reconcile()).outcome).toBe('failed')
    it.source.commit({ 'b.yaml': null })
    expect((await it.reconcile()).outcome).toBe('applied')
    expect(await it.get('configmaps', 'two')).toBeUndefined()
  })

  test('a kind that is declared in another of its versions is the same object, and nothing of the old one stays behind', async () => {
    const group = `${freshName()}.example.org`
    const widget = (of: string, spec: string): string =>
      `apiVersion: ${group}/${of}\nkind: Widget\nmetadata: {name: one}\nspec: ${spec}\n`
    await using it = await world({
      'a.yaml': widget('v1beta1', '{size: 3, color: red}'),
      'z.yaml': definition(group, version('v1beta1', false), version('v1', true)),
    })
    const path = `/apis/${group}/v1/namespaces/${it.namespace}/widgets/one`
    const made = async (): Promise<JsonObject> => (await read(path)) ?? {}
    expect((await it.reconcile()).outcome).toBe('applied')
    const { uid } = (await made())['metadata'] as { uid: string }
    it.source.commit({ 'a.yaml': widget('v1', '{size: 3, color: red}') })
    expect((await it.reconcile()).outcome).toBe('applied')
    expect((await made())['metadata']).toMatchObject({ managedFields: [{ apiVersion: `${group}/v1` }] })
    it.source.commit({
      'a.yaml': widget('v1', '{size: 3}'),
      'z.yaml': definition(group, version('v1beta1', false, false), version('v1', true)),
    })
    expect((await it.reconcile()).outcome).toBe('applied')
    expect(await made()).toMatchObject({ metadata: { uid }, spec: { size: 3 } })
    expect((await made())['spec']).toEqual({ size: 3 })
    expect((await it.reconcile()).outcome).toBe('unchanged')
  })

  test('a declaration with nulls is applied once, and nothing of it is drift', async () => {
    const nulls = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, labels: null, creationTimestamp: null, annotations: {x: null}}\ndata: {a: null, b: "1"}\n`
    await using it = await world({ 'a.yaml': nulls })
    expect((await it.reconcile()).outcome).toBe('applied')
    await it.client.passed(await it.edit('configmaps', 'one', { metadata: { labels: { seen: 'yes' } } }))
    const { drift } = await it.reconciler.plan('app')
    expect(drift).toEqual([])
    expect((await it.get('configmaps', 'one'))?.['data']).toEqual({ a: '', b: '1' })
  })

  test('two clusters of which one cannot be reached: the other does not notice', async () => {
    const source = memorySource({ files: { 'a.yaml': configMap('one', '{a: "1"}') } })
    const namespaces = { default: await freshNamespace() }
    const here = kubernetesTarget({ connection: connection(), owner: 'test', namespaces })
    const away = kubernetesTarget({ connection: { server: 'https://127.0.0.1:1' }, owner: 'test', namespaces })
    const policy = { mode: 'automatic' } as const
    await using reconciler = createReconciler({
      ledger: memoryLedger(),
      applications: [
        { name: 'here', source, target: here, policy },
        { name: 'away', source, target: away, policy },
      ],
    })
    const [good, bad] = await Promise.all([reconciler.reconcile('here'), reconciler.reconcile('away')])
    expect(good.outcome).toBe('applied')
    expect(bad).toMatchObject({
      outcome: 'failed',
      error: { code: 'OBSERVE_PARTIAL', message: expect.stringContaining('127.0.0.1:1') as string },
    })
  })
}
