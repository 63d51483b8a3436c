// What it costs to find what differs, against kubectl.
import { memoryLedger } from '@gitops-sdk/core'
import { httpClient } from '../../packages/k8s-adapter/src/index.ts'
import type { ControlPlane } from '../../packages/k8s-adapter/src/testing.ts'
import { type Row, compare, missing } from '../harness.ts'
import { type Kubectl, OBJECTS, applyOurs, call, namespaceIn, openKubectl, openPlatform } from './stage.ts'

const EDITED = 10
const name = `find ${EDITED} edits among ${OBJECTS} objects, nothing watched yet`

/** Ours lists what there is and compares; kubectl reads each object and asks the server what applying it would make of it. */
export async function diffing(plane: ControlPlane): Promise<Row> {
  await using kubectl = await openKubectl(plane)
  if (kubectl === undefined) return missing(name, 'kubectl diff', 'there is no kubectl: run pnpm cluster:install')
  const namespace = 'differences'
  const ledger = memoryLedger()
  await namespaceIn(plane, namespace)
  await applyOurs(plane, namespace, OBJECTS, ledger)
  await editSome(plane, namespace)
  const ours = async (): Promise<void> => {
    await using reconciler = openPlatform(plane, namespace, OBJECTS, ledger)
    const { drift } = await reconciler.plan('bench')
    if (drift.length !== EDITED) throw new Error(`${drift.length} edits were found.`)
  }
  const theirs = (): Promise<void> => differencesOf(kubectl, namespace)
  return await compare({ name, peer: 'kubectl diff --server-side', pairs: 3, ours, theirs, warmup: 0, atMost: 1 })
}

async function editSome(plane: ControlPlane, namespace: string): Promise<void> {
  const client = httpClient(plane.connection())
  for (let index = 0; index < EDITED; index++) {
    const path = `/api/v1/namespaces/${namespace}/configmaps/map-${index}`
    const body = { data: { value: 'edited' } }
    const contentType = 'application/merge-patch+json'
    await client.send({ method: 'PATCH', path, query: { fieldManager: 'kubectl-edit' }, body, contentType }, call)
  }
  await client[Symbol.asyncDispose]?.()
}

/** It ends with 1 when something differs. */
async function differencesOf(kubectl: Kubectl, namespace: string): Promise<void> {
  try {
    await kubectl.run(namespace, 'diff', '--server-side', '--force-conflicts')
  } catch (error) {
    const { code, stdout } = error as { readonly code?: number; readonly stdout?: string }
    const found = stdout?.match(/^\+ {2}value: v$/gm)?.length ?? 0
    if (code === 1 && found === EDITED) return
    throw error
  }
  throw new Error('kubectl found no edits.')
}
