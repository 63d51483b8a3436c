// Watches many objects with the target and prints how many megabytes that took. A process of its own, started by watching.ts.
import { createCall, desiredState, memorySource, resource, type Resource, type RunCall } from '@gitops-sdk/core'
import { kubernetesTarget } from '../../packages/k8s-adapter/src/index.ts'
import { watchedObjects } from './watched.ts'
import { settledMemory } from '../settled-memory.ts'

const objects = Number(process.env['GITOPS_BENCH_OBJECTS'])
const call: RunCall = { ...createCall(), application: 'bench', inputs: {} }
const revision = await memorySource({ files: { a: 'a' } }).resolve(call)
const target = kubernetesTarget({ kubeConfig: process.env['GITOPS_BENCH_KUBECONFIG'] ?? '', owner: 'bench' })
const wanted = oneOfEach()
const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } }
// Everything is loaded and connected before the first measurement.
await target.observe(
  desiredState(revision, [resource({ ref: { kind: 'Namespace', name: 'default' }, body: namespace })]),
  new Map(),
  call,
)
const before = settledMemory().rss
const actual = await target.observe(desiredState(revision, wanted), new Map(), call)
if (actual.resources.size !== wanted.length) throw new Error(`${actual.resources.size} seen, not ${wanted.length}.`)
console.log(((settledMemory().rss - before) / 1e6).toFixed(1))
process.exit(0)

/** One object of each kind in each namespace is asked for, and all of the kind are watched. */
function oneOfEach(): readonly Resource[] {
  const each = new Map<string, Resource>()
  for (const { kind, namespace: place, name, body } of watchedObjects(objects)) {
    const apiVersion = typeof body['apiVersion'] === 'string' ? body['apiVersion'] : ''
    const [group] = apiVersion.split('/')
    const ref = { ...(group !== 'v1' && { group }), kind, namespace: place, name }
    each.set(`${kind} ${place}`, resource({ ref, body: { apiVersion, kind } }))
  }
  return [...each.values()]
}
