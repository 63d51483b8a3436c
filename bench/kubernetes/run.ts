// Kubernetes on a real API server: requests of a run with nothing to do, time from an edit to its report and to
// its healing, the rate of applying against a bare loop and kubectl, and what watching costs in memory.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createCall, createReconciler, memoryLedger, memorySource, type JsonObject } from '@gitops-sdk/core'
import { httpClient, kubernetesTarget, type KubeClient } from '../../packages/k8s-adapter/src/index.ts'
import { type ControlPlane, findControlPlane, startControlPlane } from '../../packages/k8s-adapter/src/testing.ts'
import { watching } from './watching.ts'
import { type BenchmarkOptions, compare, count, figure, inParallel, missing, type Row } from '../harness.ts'

const call = createCall()
const OBJECTS = 1000

/** Every row; `missing` ones where there is no API server to start. */
export async function run({ pairs, say }: BenchmarkOptions): Promise<readonly Row[]> {
  if (findControlPlane() === undefined) {
    const reason = 'no API server: set KUBEBUILDER_ASSETS to a folder with kube-apiserver and etcd'
    return [missing('everything of Kubernetes', 'a real API server', reason)]
  }
  await using plane = await startControlPlane({ controllers: false })
  const rows: Row[] = []
  say('a run with nothing to do, and drift')
  rows.push(...(await idleAndDrift(plane)))
  say('applying, against a bare loop and kubectl')
  rows.push(...(await applying(plane, pairs)))
  say('memory of watching')
  // A server of its own: what was applied above would be watched as well.
  await using fresh = await startControlPlane({ controllers: false })
  rows.push(...(await watching(fresh)))
  return rows
}

function maps(size: number): Record<string, string> {
  const one = (index: number): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-${index}}\ndata: {index: "${index}", value: v}\n`
  return { 'maps.yaml': Array.from({ length: size }, (_, index) => one(index)).join('---\n') }
}

async function namespaceIn(plane: ControlPlane, name: string): Promise<void> {
  const client = httpClient(plane.connection())
  await client.send({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } } }, call)
  await client[Symbol.asyncDispose]?.()
}

async function idleAndDrift(plane: ControlPlane): Promise<Row[]> {
  const namespace = 'idle'
  await namespaceIn(plane, namespace)
  const admin = httpClient(plane.connection())
  let requests = 0
  const client: KubeClient = {
    ...admin,
    send: (each, within) => (requests++, admin.send(each, within)),
    stream: (each, within, opened) => (requests++, admin.stream(each, within, opened)),
  }
  const target = kubernetesTarget({ client, owner: 'bench', namespaces: { default: namespace } })
  const application = {
    name: 'bench',
    source: memorySource({ files: maps(OBJECTS) }),
    target,
    policy: { mode: 'automatic', selfHeal: true },
  } as const
  await using reconciler = createReconciler({ ledger: memoryLedger(), applications: [application] })
  await reconciler.reconcile('bench')
  requests = 0
  const idle: number[] = []
  for (let round = 0; round < 20; round++) {
    const start = performance.now()
    await reconciler.reconcile('bench')
    idle.push(performance.now() - start)
  }
  const idleRequests = requests
  const { seen, healed } = await drifts(admin, namespace, reconciler)
  await admin[Symbol.asyncDispose]?.()
  return [
    count(`requests of 20 runs with nothing to do, ${OBJECTS} objects`, idleRequests, 'requests', 0),
    { name: `a run with nothing to do, ${OBJECTS} objects`, unit: 'ms', ours: figure(idle) },
    p99('drift is reported after the edit, p99 of 100', seen, 100),
    p99('drift is healed after the edit, p99 of 100', healed, 300),
  ]
}

function p99(name: string, values: readonly number[], atMostMs: number): Row {
  const worst = values.toSorted((left, right) => left - right)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN
  return {
    ...count(name, worst, 'ms', atMostMs),
    ours: { median: worst, min: Math.min(...values), max: Math.max(...values) },
  }
}

async function drifts(
  admin: KubeClient,
  namespace: string,
  reconciler: ReturnType<typeof createReconciler>,
): Promise<{ seen: number[]; healed: number[] }> {
  const seen: number[] = []
  const healed: number[] = []
  let onDrift = (): void => {}
  reconciler.on('drifted', () => onDrift())
  for (let round = 0; round < 100; round++) {
    const path = `/api/v1/namespaces/${namespace}/configmaps/map-${round}`
    const drifted = new Promise<void>((resolve) => (onDrift = resolve))
    const healing = untilValue(admin, path, namespace, `map-${round}`)
    await healing.watching
    const start = performance.now()
    await admin.send(
      {
        method: 'PATCH',
        path,
        query: { fieldManager: 'kubectl-edit' },
        body: { data: { value: 'edited' } },
        contentType: 'application/merge-patch+json',
      },
      call,
    )
    const edited = performance.now()
    await drifted
    seen.push(performance.now() - edited)
    await healing.healed
    healed.push(performance.now() - start)
  }
  return { seen, healed }
}

/** Watches one object from outside until the edit is undone. */
function untilValue(
  admin: KubeClient,
  path: string,
  namespace: string,
  name: string,
): { watching: Promise<void>; healed: Promise<void> } {
  const ending = new AbortController()
  let opened = (): void => {}
  const watching = new Promise<void>((resolve) => (opened = resolve))
  const follow = async (): Promise<void> => {
    const query = { watch: '1', fieldSelector: `metadata.name=${name}`, resourceVersion: '0' }
    let edited = false
    for await (const event of admin.stream(
      { method: 'GET', path: `/api/v1/namespaces/${namespace}/configmaps`, query },
      { ...call, signal: ending.signal },
      opened,
    )) {
      const value = ((event['object'] as JsonObject)['data'] as JsonObject)['value']
      if (value === 'edited') edited = true
      else if (edited) return ending.abort()
    }
  }
  return { watching, healed: follow().catch(() => {}) }
}

async function applying(plane: ControlPlane, pairs: number): Promise<Row[]> {
  const name = `apply ${OBJECTS} ConfigMaps`
  let number = 0
  let namespace = ''
  const before = async (): Promise<void> => {
    namespace = `apply-${number++}`
    await namespaceIn(plane, namespace)
    await namespaceIn(plane, `${namespace}-theirs`)
  }
  const ours = (): Promise<unknown> => applyOurs(plane, namespace)
  // The loop of a script: the next request when the one before is answered.
  const plain = await compare({
    name,
    peer: 'bare node:https loop, one after another',
    pairs,
    before,
    ours,
    theirs: () => bareLoop(plane, `${namespace}-theirs`, { inFlight: 1 }),
    atMost: 1 / 0.9,
  })
  const bare = await compare({
    name,
    peer: 'bare node:https loop, 8 at a time',
    pairs,
    before,
    ours,
    theirs: () => bareLoop(plane, `${namespace}-theirs`),
    atMost: 1 / 0.9,
  })
  // What a claim on each object and a watch of them cost the server, whoever asks for it.
  const claiming = await compare({
    name,
    peer: 'the same loop with a claim on each object and a watch',
    pairs,
    warmup: 0,
    before,
    ours,
    theirs: () => bareLoop(plane, `${namespace}-theirs`, { claims: true }),
  })
  const kubectlPath = findKubectl()
  if (kubectlPath === undefined)
    return [
      plain,
      bare,
      claiming,
      missing(name, 'kubectl apply --server-side', 'there is no kubectl: run pnpm cluster:install'),
    ]
  const folder = await mkdtemp(join(tmpdir(), 'gitops-bench-'))
  try {
    await writeFile(join(folder, 'kubeconfig'), plane.kubeConfig, { mode: 0o600 })
    await writeFile(join(folder, 'maps.yaml'), maps(OBJECTS)['maps.yaml'] ?? '')
    const kubectl = (): Promise<unknown> =>
      promisify(execFile)(
        kubectlPath,
        [
          '--kubeconfig',
          join(folder, 'kubeconfig'),
          '-n',
          `${namespace}-theirs`,
          'apply',
          '--server-side',
          '-f',
          join(folder, 'maps.yaml'),
        ],
        { maxBuffer: 2 ** 24 },
      )
    return [
      plain,
      bare,
      claiming,
      await compare({
        name,
        peer: 'kubectl apply --server-side',
        pairs: Math.min(pairs, 3),
        warmup: 0,
        before,
        ours,
        theirs: kubectl,
        atMost: 0.5,
      }),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The one that `pnpm cluster:install` built beside the API server, or that of the machine. */
function findKubectl(): string | undefined {
  const built = join(dirname(findControlPlane()?.apiserver ?? ''), 'kubectl')
  return [built, '/usr/bin/kubectl'].find((path) => existsSync(path))
}

async function applyOurs(plane: ControlPlane, namespace: string): Promise<void> {
  const target = kubernetesTarget({
    connection: plane.connection(),
    owner: 'bench',
    namespaces: { default: namespace },
  })
  const application = {
    name: 'bench',
    source: memorySource({ files: maps(OBJECTS) }),
    target,
    policy: { mode: 'automatic' },
  } as const
  await using reconciler = createReconciler({ ledger: memoryLedger(), applications: [application] })
  const { outcome } = await reconciler.reconcile('bench')
  if (outcome !== 'applied') throw new Error(`Not applied: ${outcome}`)
}

/** What somebody would write in an afternoon: no check of anything. @defaultValue as many requests at once as we send */
async function bareLoop(
  plane: ControlPlane,
  namespace: string,
  { inFlight = 8, claims = false }: { readonly inFlight?: number; readonly claims?: boolean } = {},
): Promise<void> {
  const { server, ca, token } = plane.connection()
  const ending = new AbortController()
  if (claims) await watchMaps(plane, namespace, ending.signal)
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight, ...(ca !== undefined && { ca: Buffer.from(ca) }) })
  const authorization = `Bearer ${await token?.(false, call)}`
  const apply = async (index: number): Promise<void> => {
    const body = JSON.stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `map-${index}`, namespace, ...(claims && claimOf(namespace, index)) },
      data: { index: String(index), value: 'v' },
    })
    const strict = claims ? '&fieldValidation=Strict' : ''
    const url = `${server}/api/v1/namespaces/${namespace}/configmaps/map-${index}?fieldManager=bare&force=true${strict}`
    const headers = {
      authorization,
      'content-type': 'application/apply-patch+yaml',
      'content-length': Buffer.byteLength(body),
    }
    const outgoing = request(url, { method: 'PATCH', agent, headers })
    outgoing.end(body)
    const [response] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream]
    for await (const chunk of response) void chunk
  }
  await inParallel(inFlight, Array(OBJECTS).keys(), apply)
  agent.destroy()
  ending.abort()
}

function claimOf(namespace: string, index: number): JsonObject {
  return { annotations: { 'gitops-sdk/owned-by': `bench/bench ConfigMap/${namespace}/map-${index}` } }
}

async function watchMaps(plane: ControlPlane, namespace: string, signal: AbortSignal): Promise<void> {
  const client = httpClient(plane.connection())
  const path = `/api/v1/namespaces/${namespace}/configmaps`
  await new Promise<void>((opened, failed) => {
    const follow = async (): Promise<void> => {
      const request = { method: 'GET', path, query: { watch: '1' } } as const
      for await (const event of client.stream(request, { ...call, signal }, opened)) void event
    }
    // Its end, by the signal, comes after it was opened and rejects nothing any more.
    follow().catch(failed)
  })
  signal.addEventListener('abort', () => void client[Symbol.asyncDispose]?.())
}
