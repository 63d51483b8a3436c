// Kubernetes on a real API server: requests of a run with nothing to do, time from an edit to its report and to
// its healing, the rate of applying against a bare loop and kubectl, and what watching costs in memory.
import { createReconciler, memoryLedger, memorySource, type JsonObject } from '@gitops-sdk/core'
import { httpClient, kubernetesTarget, type KubeClient } from '../../packages/k8s-adapter/src/index.ts'
import { type ControlPlane, findControlPlane, startControlPlane } from '../../packages/k8s-adapter/src/testing.ts'
import { type BenchmarkOptions, count, figure, missing, type Row } from '../harness.ts'
import { applying, growth } from './applying.ts'
import { diffing } from './diffing.ts'
import { OBJECTS, call, maps, namespaceIn } from './stage.ts'
import { watching } from './watching.ts'

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
  say('applying 10, 100 and 1,000 objects')
  rows.push(...(await growth(plane)))
  say('finding differences, against kubectl')
  rows.push(await diffing(plane))
  say('memory of watching')
  // A server of its own: what was applied above would be watched as well.
  await using fresh = await startControlPlane({ controllers: false })
  rows.push(...(await watching(fresh)))
  return rows
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
