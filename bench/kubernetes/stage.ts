// What the benchmarks of Kubernetes share: objects, namespaces, and the kubectl to compare with.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import {
  type Call,
  type Ledger,
  type Reconciler,
  createCall,
  createReconciler,
  memoryLedger,
  memorySource,
} from '@gitops-sdk/core'
import { httpClient, kubernetesTarget } from '../../packages/k8s-adapter/src/index.ts'
import { type ControlPlane, findControlPlane } from '../../packages/k8s-adapter/src/testing.ts'

export const call: Call = createCall()
export const OBJECTS = 1000

/** So many objects in one file. */
export function maps(size: number): Record<string, string> {
  const one = (index: number): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map-${index}}\ndata: {index: "${index}", value: v}\n`
  return { 'maps.yaml': Array.from({ length: size }, (_, index) => one(index)).join('---\n') }
}

export async function namespaceIn(plane: ControlPlane, name: string): Promise<void> {
  const client = httpClient(plane.connection())
  await client.send({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } } }, call)
  await client[Symbol.asyncDispose]?.()
}

/** A platform that keeps `size` of them in `namespace`, with connections of its own. */
export function openPlatform(
  plane: ControlPlane,
  namespace: string,
  size: number,
  ledger: Ledger = memoryLedger(),
): Reconciler {
  const target = kubernetesTarget({
    connection: plane.connection(),
    owner: 'bench',
    namespaces: { default: namespace },
  })
  const application = {
    name: 'bench',
    source: memorySource({ files: maps(size) }),
    target,
    policy: { mode: 'automatic' },
  } as const
  return createReconciler({ ledger, applications: [application] })
}

/** Everything applied once. */
export async function applyOurs(
  plane: ControlPlane,
  namespace: string,
  size: number = OBJECTS,
  ledger?: Ledger,
): Promise<void> {
  await using reconciler = openPlatform(plane, namespace, size, ledger)
  const { outcome } = await reconciler.reconcile('bench')
  if (outcome !== 'applied') throw new Error(`Not applied: ${outcome}`)
}

/** kubectl, with a file of all objects. */
export interface Kubectl extends AsyncDisposable {
  /** Runs a command on the file. Rejects with its code and output when it ends with another code than 0. */
  run(namespace: string, ...command: readonly string[]): Promise<unknown>
}

/** Nothing where it is not installed. */
export async function openKubectl(plane: ControlPlane): Promise<Kubectl | undefined> {
  const program = findKubectl()
  if (program === undefined) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'gitops-bench-'))
  const [config, file] = [join(folder, 'kubeconfig'), join(folder, 'maps.yaml')]
  await writeFile(config, plane.kubeConfig, { mode: 0o600 })
  await writeFile(file, maps(OBJECTS)['maps.yaml'] ?? '')
  return {
    run: (namespace, ...command) =>
      promisify(execFile)(program, ['--kubeconfig', config, '-n', namespace, ...command, '-f', file], {
        maxBuffer: 2 ** 24,
      }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}

/** The one that `pnpm cluster:install` built beside the API server, or that of the machine. */
function findKubectl(): string | undefined {
  const built = join(dirname(findControlPlane()?.apiserver ?? ''), 'kubectl')
  return [built, '/usr/bin/kubectl'].find((path) => existsSync(path))
}
