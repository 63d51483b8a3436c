// What applying costs, against a bare loop and kubectl, and how it grows.
import { once } from 'node:events'
import { Agent, request } from 'node:https'
import type { JsonObject } from '@gitops-sdk/core'
import { httpClient } from '../../packages/k8s-adapter/src/index.ts'
import type { ControlPlane } from '../../packages/k8s-adapter/src/testing.ts'
import { type Row, compare, elapsedMs, figure, growthRow, inParallel, missing } from '../harness.ts'
import { OBJECTS, applyOurs, call, namespaceIn, openKubectl } from './stage.ts'

export async function applying(plane: ControlPlane, pairs: number): Promise<Row[]> {
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
  await using kubectl = await openKubectl(plane)
  const peer = 'kubectl apply --server-side'
  if (kubectl === undefined)
    return [plain, bare, claiming, missing(name, peer, 'there is no kubectl: run pnpm cluster:install')]
  const whole = await compare({
    name,
    peer,
    pairs: Math.min(pairs, 3),
    warmup: 0,
    before,
    ours,
    theirs: () => kubectl.run(`${namespace}-theirs`, 'apply', '--server-side'),
    atMost: 0.5,
  })
  return [plain, bare, claiming, whole]
}

/** How the time of applying grows with the number of objects, connections and all. */
export async function growth(plane: ControlPlane): Promise<Row[]> {
  const sizes = [10, 100, 1_000]
  const rows: Row[] = []
  for (const size of sizes) {
    const times: number[] = []
    for (let round = 0; round < 3; round++) {
      const namespace = `growth-${size}-${round}`
      await namespaceIn(plane, namespace)
      times.push(await elapsedMs(() => applyOurs(plane, namespace, size)))
    }
    rows.push({ name: `apply ${size} ConfigMaps, from opening the first connection`, unit: 'ms', ours: figure(times) })
  }
  return [...rows, growthRow('applying ConfigMaps', sizes, rows, 1.05)]
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
