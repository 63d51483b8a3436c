// What watching many objects takes in memory, against an informer that keeps them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createCall, type JsonObject } from '@gitops-sdk/core'
import { httpClient, type KubeClient } from '../../packages/k8s-adapter/src/index.ts'
import type { ControlPlane } from '../../packages/k8s-adapter/src/testing.ts'
import { count, figure, inParallel, missing, type Row } from '../harness.ts'
import type { Generated } from '../shapes/generate.ts'
import { watchedObjects, watchedPaths } from './watched.ts'

const WATCHED = 10_000
const PAIRS = 3
const IN_FLIGHT = 8

/** Megabytes above the same process before it watches, ours and the informer's in turn. */
export async function watching(plane: ControlPlane): Promise<readonly Row[]> {
  await createObjects(plane)
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < PAIRS; round++) {
    ours.push(await megabytesOf('watch.ts', plane))
    theirs.push(await megabytesOf('informer.ts', plane))
  }
  const name = `memory of ${WATCHED} watched objects above an idle process`
  const peer = '@kubernetes/client-node informer'
  if ([...ours, ...theirs].some(Number.isNaN)) return [missing(name, peer, 'a process that watches failed')]
  const ratio = figure(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)))
  return [
    count(name, figure(ours).median, 'MB', 100),
    {
      name,
      peer,
      unit: 'MB',
      ours: figure(ours),
      theirs: figure(theirs),
      ratio,
      goal: '≤ 0.2×',
      reached: ratio.median <= 0.2,
    },
  ]
}

/** In a process of its own, so that nothing else is counted. */
async function megabytesOf(program: string, plane: ControlPlane): Promise<number> {
  const env = { ...process.env, GITOPS_BENCH_KUBECONFIG: plane.kubeConfig, GITOPS_BENCH_OBJECTS: String(WATCHED) }
  const loader = ['--expose-gc', '--import=tsx', '--conditions=@gitops-sdk/source']
  const child = spawn(process.execPath, [...loader, `bench/kubernetes/${program}`], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString('utf8')))
  await once(child, 'exit')
  return printed === '' ? Number.NaN : Number(printed.trim())
}

async function createObjects(plane: ControlPlane): Promise<void> {
  const client = httpClient(plane.connection())
  const objects = watchedObjects(WATCHED)
  const namespaces = [...new Set(objects.map(({ namespace }) => namespace))]
  await inParallel(IN_FLIGHT, namespaces, (name) => post(client, '/api/v1/namespaces', { metadata: { name } }))
  await inParallel(IN_FLIGHT, objects, (object) => apply(client, object))
  await client[Symbol.asyncDispose]?.()
}

function apply(client: KubeClient, { kind, namespace, name, body }: Generated): Promise<unknown> {
  const path = `${(watchedPaths[kind] ?? '').replace('NAMESPACE', namespace)}/${name}`
  const query = { fieldManager: 'gitops-sdk' }
  return client.send({ method: 'PATCH', path, query, body, contentType: 'application/apply-patch+yaml' }, createCall())
}

function post(client: KubeClient, path: string, body: JsonObject): Promise<unknown> {
  return client.send({ method: 'POST', path, body }, createCall())
}
