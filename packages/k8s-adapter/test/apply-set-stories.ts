import {
  createCall,
  createReconciler,
  GitOpsError,
  type JsonObject,
  memoryLedger,
  memorySource,
  type Reconciler,
} from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { type KubeClient, type KubeRequest, kubernetesTarget } from '../src/index.ts'
import { type Plane, stagePlane } from './plane.ts'

const PREFIX = 'applyset.kubernetes.io/'
const map = (name: string, more = ''): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}${more}}\ndata: {a: "1"}\n`
const of = (kind: string, wave: number, more = ''): string =>
  `apiVersion: ${kind === 'Role' ? 'rbac.authorization.k8s.io/v1' : 'v1'}\nkind: ${kind}\nmetadata: {name: ours, annotations: {gitops-sdk/wave: "${wave}"}${more}}\n`
const files = (...documents: string[]): Record<string, string> => ({ 'a.yaml': documents.join('---\n') })

/** Where members can be in these stories, as the paths of their collections. */
const kinds: Readonly<Record<string, string>> = {
  ConfigMap: '/api/v1/configmaps',
  'Role.rbac.authorization.k8s.io': '/apis/rbac.authorization.k8s.io/v1/roles',
  Secret: '/api/v1/secrets',
  ServiceAccount: '/api/v1/serviceaccounts',
}

/** What is true of the parents of ApplySets on any server. */
export function applySetStories(start: () => Promise<Plane>, stride = 2): void {
  const { admin, freshName, freshNamespace, make, read } = stagePlane(start)
  const call = createCall()

  const parentIn = (namespace: string): Promise<JsonObject | undefined> =>
    read(`/api/v1/namespaces/${namespace}/secrets/applyset-app`)

  const said = (parent: JsonObject | undefined, what: string): string[] => {
    const annotations = (parent?.['metadata'] as JsonObject | undefined)?.['annotations'] as JsonObject | undefined
    return ((annotations?.[`${PREFIX}${what}`] as string | undefined) ?? '').split(',').filter((name) => name !== '')
  }

  /** Where there are members of any set: `ConfigMap in x`. */
  async function membersIn(namespaces: readonly string[]): Promise<string[]> {
    const found: string[] = []
    for (const [kind, path] of Object.entries(kinds)) {
      const { body } = await admin.send({ method: 'GET', path, query: { labelSelector: `${PREFIX}part-of` } }, call)
      const items = (body['items'] ?? []) as { metadata: { namespace: string } }[]
      found.push(...items.map(({ metadata: { namespace } }) => `${kind} in ${namespace}`))
    }
    return found.filter((member) => namespaces.some((namespace) => member.endsWith(` in ${namespace}`)))
  }

  /** A client that looks after every write whether the parent speaks for all members, and dies before write `dieAt`. */
  function watched(
    namespaces: readonly string[],
  ): KubeClient & { violations: string[]; writes: number; dieAt: number } {
    const state = { violations: [] as string[], writes: 0, dieAt: Infinity }
    const look = async (): Promise<void> => {
      const parent = await parentIn(namespaces[0]!)
      for (const member of await membersIn(namespaces)) {
        const [kind = '', namespace = ''] = member.split(' in ')
        const isSaid =
          said(parent, 'contains-group-kinds').includes(kind) &&
          (namespace === namespaces[0] || said(parent, 'additional-namespaces').includes(namespace))
        if (!isSaid) state.violations.push(`after write ${state.writes} the parent does not speak for ${member}`)
      }
    }
    return Object.assign(state, {
      id: 'watched',
      async send(request: KubeRequest, within: Parameters<KubeClient['send']>[1]) {
        const isWrite = request.method !== 'GET' && request.query?.['dryRun'] === undefined
        if (isWrite && ++state.writes >= state.dieAt) throw new GitOpsError('TARGET_UNREACHABLE', 'The process died.')
        const answer = await admin.send(request, within)
        if (isWrite) await look()
        return answer
      },
      stream: (...given: Parameters<KubeClient['stream']>) => admin.stream(...given),
    })
  }

  interface World {
    readonly namespace: string
    readonly other: string
    readonly client: ReturnType<typeof watched>
    readonly commit: (...documents: string[]) => void
    /** With the same ledger and nothing else: as after a crash. */
    readonly restarted: () => Reconciler
    readonly reach: () => Promise<{ kinds: string[]; namespaces: string[] }>
  }

  async function world(): Promise<World> {
    const [namespace, other] = [await freshNamespace(), await freshNamespace()]
    const source = memorySource({ files: {} })
    const ledger = memoryLedger()
    const client = watched([namespace, other])
    const policy = { mode: 'automatic', prune: true } as const
    return {
      namespace,
      other,
      client,
      commit: (...documents) => source.commit(files(...documents)),
      restarted: () => {
        const options = { namespaces: { default: namespace }, applySet: true, concurrency: 1 } as const
        const target = kubernetesTarget({ client, owner: 'test', ...options })
        return createReconciler({ ledger, applications: [{ name: 'app', source, target, policy }] })
      },
      reach: async () => {
        const parent = await parentIn(namespace)
        return { kinds: said(parent, 'contains-group-kinds'), namespaces: said(parent, 'additional-namespaces') }
      },
    }
  }

  test('over steps, and with a crash before a write, the parent of an ApplySet speaks for every member', async () => {
    for (let dieAt = 1; ; dieAt += stride) {
      const { client, commit, restarted, reach, other } = await world()
      commit(map('one'), of('Role', -1), of('ServiceAccount', 1), map('far', `, namespace: ${other}`))
      {
        await using reconciler = restarted()
        expect((await reconciler.reconcile('app')).outcome).toBe('applied')
      }
      // One kind goes in each of two steps, one comes in a third, and the other namespace is left.
      commit(map('one'), of('Secret', 2))
      client.writes = 0
      client.dieAt = dieAt
      {
        await using reconciler = restarted()
        await reconciler.reconcile('app')
      }
      const isThrough = client.writes < dieAt
      client.dieAt = Infinity
      await using reconciler = restarted()
      expect(['applied', 'unchanged']).toContain((await reconciler.reconcile('app')).outcome)
      // What a crash left too wide is put right by the next apply, whatever it is about.
      commit(map('one'), of('Secret', 2), map('two'))
      expect((await reconciler.reconcile('app')).outcome).toBe('applied')
      expect(await reach()).toEqual({ kinds: ['ConfigMap', 'Secret'], namespaces: [] })
      expect(client.violations).toEqual([])
      if (isThrough) return expect(dieAt).toBeGreaterThan(5)
    }
  })

  test('the parent speaks for what is kept although nobody declares it, until it is gone', async () => {
    const { client, commit, restarted, reach, namespace } = await world()
    await using reconciler = restarted()
    commit(map('one'), of('ServiceAccount', 0).replace('wave: "0"', 'prune: confirm'))
    await reconciler.reconcile('app')
    commit(map('one'), map('two'))
    expect((await reconciler.reconcile('app')).plan?.blocked).toMatchObject([{ rule: 'prune-unconfirmed' }])
    expect((await reach()).kinds).toEqual(['ConfigMap', 'ServiceAccount'])
    const ref = { kind: 'ServiceAccount', namespace, name: 'ours' }
    await reconciler.reconcile('app', { confirm: [ref] })
    expect((await reach()).kinds).toEqual(['ConfigMap'])
    expect(client.violations).toEqual([])
  })

  test('an application in a namespace of its own making has its parent as soon as there is one', async () => {
    const name = freshName()
    const source = memorySource({
      files: files(
        `apiVersion: v1\nkind: Namespace\nmetadata: {name: ${name}}\n`,
        map('one'),
        of('ServiceAccount', -5),
      ),
    })
    const target = kubernetesTarget({ client: admin, owner: 'test', namespaces: { default: name }, applySet: true })
    const policy = { mode: 'automatic', prune: true } as const
    await using reconciler = createReconciler({
      ledger: memoryLedger(),
      applications: [{ name: 'app', source, target, policy }],
    })
    const result = await reconciler.reconcile('app')
    expect(result).toMatchObject({ outcome: 'applied' })
    expect(said(await parentIn(name), 'contains-group-kinds')).toEqual(['ConfigMap', 'Namespace', 'ServiceAccount'])
    expect((await reconciler.reconcile('app')).outcome).toBe('unchanged')
  })

  test('when the application goes, its parent goes last', async () => {
    const { client, commit, restarted, namespace } = await world()
    await using reconciler = restarted()
    commit(map('one'), of('ServiceAccount', 1))
    await reconciler.reconcile('app')
    await reconciler.remove('app', { cascade: true })
    expect(await parentIn(namespace)).toBeUndefined()
    expect(client.violations).toEqual([])
  })

  test('the parent of another tool is left to it, and nothing is written', async () => {
    const { client, commit, restarted, namespace } = await world()
    const metadata = { name: 'applyset-app', annotations: { [`${PREFIX}tooling`]: 'kubectl/v1.36.4' } }
    await make(`/api/v1/namespaces/${namespace}/secrets`, { metadata })
    commit(map('one'))
    await using reconciler = restarted()
    const { outcome, error } = await reconciler.reconcile('app')
    expect(outcome).toBe('failed')
    expect(error).toMatchObject({
      code: 'APPLY_CONFLICT',
      message: expect.stringContaining('kubectl/v1.36.4') as string,
    })
    expect(client.writes).toBe(0)
  })
}
