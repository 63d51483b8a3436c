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
import { afterAll, beforeAll, expect, test } from 'vitest'
import { httpClient, type KubeClient, kubernetesTarget, type KubeRequest } from '../src/index.ts'
import type { Plane } from './target-stories.ts'

const MARK = 'gitops-sdk/fence'

/** What keeps a write of a process that stood still from coming after one of whoever took over: told on any server. */
export function fenceStories(start: () => Promise<Plane>): void {
  let plane: Plane
  let admin: KubeClient
  beforeAll(async () => {
    plane = await start()
    admin = httpClient(plane.connection())
  })
  afterAll(async () => {
    await admin?.[Symbol.asyncDispose]?.()
    await plane?.[Symbol.asyncDispose]()
  })

  const call = createCall()
  const seal = createSeal(new Uint8Array(32))
  let count = 0

  /** An application in a namespace of its own, with the inventory that its processes share. */
  interface Stage {
    readonly namespace: string
    owned: Inventory
    previous: DesiredState | undefined
    get(name: string): Promise<JsonObject | undefined>
    edit(name: string, body: JsonObject, query?: Record<string, string>): Promise<void>
  }

  interface Pause {
    /** When its first write stands still. */
    readonly reached: Promise<void>
    readonly resume: () => void
  }

  /** One process that holds, or held, the application under a token. Its clock never tells it that it stood still. */
  interface Process extends AsyncDisposable {
    readonly target: Target
    readonly requests: KubeRequest[]
    /** Stands still before its next write. */
    suspend(): Pause
    plan(files: Record<string, string>): Promise<{ readonly plan: Plan; readonly desired: DesiredState }>
    deliver(files: Record<string, string>): Promise<Outcome[]>
  }

  async function stage(): Promise<Stage> {
    const namespace = `f${process.pid}-${++count}`
    await admin.send({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } }, call)
    const path = (name: string): string => `/api/v1/namespaces/${namespace}/configmaps/${name}`
    const contentType = 'application/merge-patch+json'
    return {
      namespace,
      owned: new Map(),
      previous: undefined,
      get: async (name) => (await admin.send({ method: 'GET', path: path(name) }, call).catch(() => undefined))?.body,
      edit: async (name, body, query = { fieldManager: 'kubectl-edit' }) =>
        void (await admin.send({ method: 'PATCH', path: path(name), query, body, contentType }, call)),
    }
  }

  function processOf(where: Stage, token: number | undefined): Process {
    let pause = { reach: (): void => {}, gate: Promise.resolve() }
    const requests: KubeRequest[] = []
    const client: KubeClient = {
      ...admin,
      id: `${admin.id} ${token}`,
      send: async (request, given) => {
        const isWrite = request.method !== 'GET' && request.query?.['dryRun'] === undefined
        if (isWrite) {
          pause.reach()
          await pause.gate
        }
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
      suspend: () => {
        const [reached, resumed] = [later(), later()]
        pause = { reach: reached.settle, gate: resumed.promise }
        return { reached: reached.promise, resume: resumed.settle }
      },
      deliver: async (files) => {
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
    const { reached, resume } = first.suspend()
    const late = first.deliver(maps('old', 'old', 'old'))
    await reached
    await second.deliver(maps('new', 'new', 'new'))
    resume()
    expect(said(await late)).toEqual(['failed LEDGER_FENCED', 'failed LEDGER_FENCED', 'failed LEDGER_FENCED'])
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
    const { reached, resume } = first.suspend()
    const late = first.deliver(maps('old'))
    await reached
    await second.deliver(maps('new', '1'))
    resume()
    expect(said(await late)).toEqual(['failed LEDGER_FENCED', 'skipped LEDGER_FENCED'])
    expect(await where.get('m1')).toBeDefined()
  })

  test('a late creation does not replace what a later holder created', async () => {
    const where = await stage()
    await using first = processOf(where, 1000)
    await using second = processOf(where, 2000)
    const { reached, resume } = first.suspend()
    const late = first.deliver(maps('old'))
    await reached
    await second.deliver(maps('new'))
    resume()
    expect(said(await late)).toEqual(['failed LEDGER_FENCED'])
    expect(await dataOf(where, 'm0')).toEqual({ a: 'new' })
  })

  test('a late removal does not remove what a later holder wrote', async () => {
    const where = await stage()
    await using first = processOf(where, 1000)
    await using second = processOf(where, 2000)
    await first.deliver(maps('1', '1'))
    const { reached, resume } = first.suspend()
    const late = first.deliver(maps('1'))
    await reached
    await second.deliver(maps('1', 'new'))
    resume()
    expect(said(await late)).toEqual(['failed LEDGER_FENCED'])
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
    const { reached, resume } = only.suspend()
    const late = only.deliver(maps('2'))
    await reached
    await where.edit('m0', { metadata: { labels: { seen: 'yes' } } })
    await where.edit('m1', { metadata: { labels: { seen: 'yes' } } })
    resume()
    expect(said(await late)).toEqual(['succeeded', 'succeeded'])
    expect(await dataOf(where, 'm0')).toEqual({ a: '2' })
    expect(await where.get('m1')).toBeUndefined()
  })

  test('an object that was there already is taken over as without a fence', async () => {
    const where = await stage()
    const path = `/api/v1/namespaces/${where.namespace}/configmaps`
    await using only = processOf(where, 1000)
    const { reached, resume } = only.suspend()
    const late = only.deliver(maps('1'))
    await reached
    await admin.send({ method: 'POST', path, body: { metadata: { name: 'm0' }, data: { b: 'theirs' } } }, call)
    resume()
    expect(await late).toMatchObject([{ status: 'succeeded', warnings: [expect.stringContaining('there already')] }])
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

function later() {
  let settle = (): void => {}
  const promise = new Promise<void>((resolve) => (settle = resolve))
  return { promise, settle }
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
