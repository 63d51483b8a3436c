import {
  createCall,
  createSeal,
  type DesiredState,
  GitOpsError,
  type Inventory,
  type JsonObject,
  memorySource,
  type Outcome,
  type Owned,
  type Plan,
  refKey,
  type RunCall,
  type Target,
} from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import { type KubeClient, kubernetesTarget, type KubeRequest } from '../src/index.ts'
import { type Plane, stagePlane } from './plane.ts'

const MARK = 'gitops-sdk/fence'

/** What keeps a write of a process that stood still from coming after one of whoever took over: told on any server. */
export function fenceStories(start: () => Promise<Plane>): void {
  const { admin, freshNamespace, make, edit, read } = stagePlane(start)
  const call = createCall()
  const seal = createSeal(new Uint8Array(32))

  /** An application in a namespace of its own, with the inventory that its processes share. */
  interface Stage {
    readonly namespace: string
    owned: Inventory
    previous: DesiredState | undefined
    get(name: string): Promise<JsonObject | undefined>
    edit(name: string, body: JsonObject): Promise<unknown>
  }

  /** One process that holds, or held, the application under a token. Its clock never tells it that it stood still. */
  interface Process extends AsyncDisposable {
    readonly target: Target
    readonly requests: KubeRequest[]
    plan(files: Record<string, string>): Promise<{ readonly plan: Plan; readonly desired: DesiredState }>
    /** Stands still before its first write while `meanwhile` happens. */
    deliver(files: Record<string, string>, meanwhile?: () => Promise<unknown>): Promise<Outcome[]>
  }

  async function stage(): Promise<Stage> {
    const namespace = await freshNamespace()
    const path = (name: string): string => `/api/v1/namespaces/${namespace}/configmaps/${name}`
    return {
      namespace,
      owned: new Map(),
      previous: undefined,
      get: (name) => read(path(name)),
      edit: (name, body) => edit(path(name), body),
    }
  }

  function processOf(where: Stage, token: number | undefined): Process {
    let standStill = async (): Promise<unknown> => undefined
    const requests: KubeRequest[] = []
    const client: KubeClient = {
      ...admin,
      id: `${admin.id} ${token}`,
      send: async (request, given) => {
        const isWrite = request.method !== 'GET' && request.query?.['dryRun'] === undefined
        if (isWrite) await standStill()
        requests.push(request)
        return admin.send(request, given)
      },
    }
    const target = kubernetesTarget({ client, owner: 'test', namespaces: { default: where.namespace } })
    const fence = token === undefined ? {} : { fence: { token, assertHeld: () => {} } }
    const run: RunCall = { ...call, application: 'app', inputs: {}, ...fence }
    const plan = async (files: Record<string, string>) => {
      const source = memorySource({ files })
      const desired = await target.declare(await source.snapshot(await source.resolve(call), call), run)
      const actual = await target.observe(desired, where.owned, run)
      const previous = where.previous === undefined ? {} : { previous: where.previous }
      const request = { application: 'app', mode: 'converge', prune: true, ignore: [], seal } as const
      return { desired, plan: await target.plan(desired, actual, { ...request, owned: where.owned, ...previous }, run) }
    }
    return {
      target,
      requests,
      plan,
      deliver: async (files, meanwhile = async () => {}) => {
        let happening: Promise<unknown> | undefined
        standStill = () => (happening ??= meanwhile())
        const { plan: made, desired } = await plan(files)
        const outcomes: Outcome[] = []
        for await (const outcome of target.apply(made, desired, run)) outcomes.push(outcome)
        where.owned = ownedAfter(where.owned, made, desired, outcomes)
        where.previous = desired
        return outcomes
      },
      [Symbol.asyncDispose]: async () => target[Symbol.asyncDispose]?.(),
    }
  }

  const maps = (...values: readonly string[]): Record<string, string> => ({
    'a.yaml': values
      .map((value, index) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m${index}}\ndata: {a: "${value}"}\n`)
      .join('---\n'),
  })
  const said = (outcomes: readonly Outcome[]): string[] =>
    outcomes.map(({ status, error }) => `${status}${error === undefined ? '' : ` ${error.code}`}`)
  const dataOf = async (where: Stage, name: string) => (await where.get(name))?.['data']
  const markOf = async (where: Stage, name: string): Promise<unknown> =>
    ((await where.get(name)) as { metadata: { annotations: JsonObject } }).metadata.annotations[MARK]

  test('a process that stood still before its write overwrites nothing that a later holder wrote', async () => {
    const where = await stage()
    await using first = processOf(where, 1000)
    await using second = processOf(where, 2000)
    await first.deliver(maps('1', '1', '1'))
    const outcomes = await first.deliver(maps('old', 'old', 'old'), () => second.deliver(maps('new', 'new', 'new')))
    expect(said(outcomes)).toEqual(['failed LEDGER_FENCED', 'failed LEDGER_FENCED', 'failed LEDGER_FENCED'])
    expect(await Promise.all(['m0', 'm1', 'm2'].map((name) => dataOf(where, name)))).toEqual(
      Array.from({ length: 3 }, () => ({ a: 'new' })),
    )
    expect(await markOf(where, 'm0')).toBe('2000')
  })

  test('once the server has said so, nothing more is written, also nothing that nobody else wrote', async () => {
    const where = await stage()
    await using first = processOf(where, 1000)
    await using second = processOf(where, 2000)
    await first.deliver(maps('1', '1'))
    const outcomes = await first.deliver(maps('old'), () => second.deliver(maps('new', '1')))
    expect(said(outcomes)).toEqual(['failed LEDGER_FENCED', 'skipped LEDGER_FENCED'])
    expect(await where.get('m1')).toBeDefined()
  })

  test('a late creation does not replace what a later holder created', async () => {
    const where = await stage()
    await using first = processOf(where, 1000)
    await using second = processOf(where, 2000)
    const outcomes = await first.deliver(maps('old'), () => second.deliver(maps('new')))
    expect(said(outcomes)).toEqual(['failed LEDGER_FENCED'])
    expect(await dataOf(where, 'm0')).toEqual({ a: 'new' })
  })

  test('a late removal does not remove what a later holder wrote', async () => {
    const where = await stage()
    await using first = processOf(where, 1000)
    await using second = processOf(where, 2000)
    await first.deliver(maps('1', '1'))
    const outcomes = await first.deliver(maps('1'), () => second.deliver(maps('1', 'new')))
    expect(said(outcomes)).toEqual(['failed LEDGER_FENCED'])
    expect(await dataOf(where, 'm1')).toEqual({ a: 'new' })
  })

  test('a process that stood still before it looked takes what a later holder made for no drift', async () => {
    const where = await stage()
    await using first = processOf(where, 1000)
    await using second = processOf(where, 2000)
    await first.deliver(maps('1'))
    await second.deliver(maps('new'))
    await expect(looking(() => first.plan(maps('1')))).rejects.toMatchObject({
      code: 'LEDGER_FENCED',
      details: { token: 1000, current: 2000 },
    })
  })

  /** The watch may need a moment, and until it tells the closer look does. */
  async function looking<T>(look: () => Promise<T>): Promise<T> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const { plan } = (await look()) as { plan: Plan }
      if (plan.changes.length > 0) throw new GitOpsError('INTERNAL', 'It was taken for drift.')
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    return look()
  }

  test('what somebody else wrote in between is no reason to give up', async () => {
    const where = await stage()
    await using only = processOf(where, 1000)
    await only.deliver(maps('1', '1'))
    const outcomes = await only.deliver(maps('2'), async () => {
      await where.edit('m0', { metadata: { labels: { seen: 'yes' } } })
      await where.edit('m1', { metadata: { labels: { seen: 'yes' } } })
    })
    expect(said(outcomes)).toEqual(['succeeded', 'succeeded'])
    expect(await dataOf(where, 'm0')).toEqual({ a: '2' })
    expect(await where.get('m1')).toBeUndefined()
  })

  test('an object that was there already is taken over as without a fence', async () => {
    const where = await stage()
    const path = `/api/v1/namespaces/${where.namespace}/configmaps`
    await using only = processOf(where, 1000)
    const outcomes = await only.deliver(maps('1'), () =>
      make(path, { metadata: { name: 'm0' }, data: { b: 'theirs' } }),
    )
    expect(outcomes).toMatchObject([{ status: 'succeeded', warnings: [expect.stringContaining('there already')] }])
    expect(await dataOf(where, 'm0')).toEqual({ a: '1', b: 'theirs' })
  })

  test('the token costs no request', async () => {
    const sent = async (token: number | undefined): Promise<string[]> => {
      const where = await stage()
      await using only = processOf(where, token)
      await only.deliver(maps('1', '1'))
      await only.deliver(maps('2'))
      return only.requests.map(({ method, query }) => `${method} ${query?.['dryRun'] ?? ''}`).toSorted()
    }
    expect(await sent(1000)).toEqual(await sent(undefined))
  })

  test('without a fence nothing of it is sent', async () => {
    const where = await stage()
    await using only = processOf(where, undefined)
    await only.deliver(maps('1', '1'))
    await only.deliver(maps('2'))
    const bodies = JSON.stringify(only.requests.map(({ body }) => body ?? null))
    expect(bodies).not.toContain(MARK)
    expect(bodies).not.toContain('resourceVersion')
  })

  test('a token that rises, is removed or is edited is no change and no drift, and an edited one fences nobody', async () => {
    const where = await stage()
    await using first = processOf(where, 1000)
    await using second = processOf(where, 2000)
    await using third = processOf(where, undefined)
    await first.deliver(maps('1'))
    const nothing = { changes: [], drift: [], ignored: [] }
    expect((await second.plan(maps('1'))).plan).toMatchObject(nothing)
    await where.edit('m0', { metadata: { annotations: { [MARK]: '999999999999999' } } })
    await where.edit('m0', { metadata: { labels: { seen: 'yes' } } })
    for (const each of [first, second, third]) expect((await each.plan(maps('1'))).plan).toMatchObject(nothing)
    expect(said(await second.deliver(maps('2')))).toEqual(['succeeded'])
    expect(await markOf(where, 'm0')).toBe('2000')
    const plain = processOf(where, undefined)
    expect((await plain.plan(maps('2'))).plan).toMatchObject(nothing)
    const { plan } = await third.plan(maps('3'))
    expect(plan.changes.flatMap(({ fields }) => fields.map(({ path }) => path))).toEqual(['/data/a'])
    await plain[Symbol.asyncDispose]()
  })

  test('a declaration cannot say who may write', async () => {
    const where = await stage()
    await using only = processOf(where, 1000)
    const map = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m0, annotations: {${MARK}: "999999999999999"}}\n`
    expect(said(await only.deliver({ 'a.yaml': map }))).toEqual(['succeeded'])
    expect(await markOf(where, 'm0')).toBe('1000')
  })
}

function ownedAfter(owned: Inventory, plan: Plan, desired: DesiredState, outcomes: readonly Outcome[]): Inventory {
  const after = new Map<string, Owned>(owned)
  const digests = new Map(desired.resources.map((each) => [refKey(each.ref), each.digest]))
  for (const { ref, action, status, uid, note } of outcomes) {
    const key = refKey(ref)
    if (status !== 'succeeded') continue
    after.delete(key)
    if (action === 'delete' || uid === undefined) continue
    const known = { ...(note !== undefined && { note }), digest: digests.get(key) ?? '' }
    after.set(key, { ref, state: 'applied', revision: plan.revision.id, uid, ...known })
  }
  return after
}
