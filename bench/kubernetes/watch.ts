// Watches many objects and prints how many megabytes that took. A process of its own, started by run.ts.
import { createCall, desiredState, memorySource, resource, type RunCall } from '@gitops-sdk/core'
import { kubernetesTarget } from '../../packages/k8s-adapter/src/index.ts'

const objects = Number(process.env['GITOPS_BENCH_OBJECTS'])
const call: RunCall = { ...createCall(), application: 'bench', inputs: {} }
const refs = Array.from({ length: objects }, (_, index) => ({
  kind: 'ConfigMap',
  namespace: 'watched',
  name: `map-${index}`,
}))
const revision = await memorySource({ files: { a: 'a' } }).resolve(call)
const target = kubernetesTarget({ kubeConfig: process.env['GITOPS_BENCH_KUBECONFIG'] ?? '', owner: 'bench' })
const one = desiredState(revision, [
  resource({
    ref: { kind: 'ConfigMap', namespace: 'default', name: 'none' },
    body: { apiVersion: 'v1', kind: 'ConfigMap' },
  }),
])
// Everything is loaded and connected before the first measurement.
await target.observe(one, new Map(), call)
const before = settledBytes()
const desired = desiredState(revision, [resource({ ref: refs[0]!, body: { apiVersion: 'v1', kind: 'ConfigMap' } })])
await target.observe(desired, new Map(), call)
console.log(((settledBytes() - before) / 1e6).toFixed(1))
process.exit(0)

function settledBytes(): number {
  for (let round = 0; round < 5; round++) globalThis.gc?.()
  return process.memoryUsage().rss
}
