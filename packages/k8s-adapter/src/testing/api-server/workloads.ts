import { type JsonObject, sameJson } from '@gitops-sdk/core'
import { metadataOf, objectOf, objectsOf, textOf } from '../../client/json.ts'
import type { ServerState } from './state.ts'

/**
 * Stands for the nodes of a cluster: everything that runs is ready at once, everything that ends is complete, every
 * claim is bound. `stop` ends it.
 */
export function startWorkloads(state: ServerState): () => void {
  return state.store.subscribe(({ type, collection, object }) => {
    if (type === 'DELETED' || statusFor[collection] === undefined) return
    setImmediate(() => settle(state, collection, object))
  })
}

function settle({ kinds, store }: ServerState, collection: string, { metadata }: JsonObject): void {
  const kind = kinds.all().find(({ group, resource }) => `${group}/${resource}` === collection)
  const { namespace, name } = objectOf(metadata)
  const object = kind && store.get(kind, textOf(namespace), textOf(name))
  if (kind === undefined || object === undefined) return
  const status = { ...objectOf(object['status']), ...statusFor[collection]?.(object) }
  if (!sameJson(status, object['status'] ?? {})) store.put(kind, { ...object, status })
}

const met = (type: string, reason = 'Simulated'): JsonObject => ({ type, status: 'True', reason, message: '' })
const replicasOf = (object: JsonObject): number => Number(objectOf(object['spec'])['replicas'] ?? 1)
const generationOf = (object: JsonObject): JsonObject => ({
  observedGeneration: metadataOf(object)['generation'] ?? 1,
})

const statusFor: Readonly<Record<string, (object: JsonObject) => JsonObject>> = {
  'apps/deployments': (object) => {
    const count = replicasOf(object)
    const counts = { replicas: count, updatedReplicas: count, readyReplicas: count, availableReplicas: count }
    return {
      ...generationOf(object),
      ...counts,
      conditions: [met('Available', 'MinimumReplicasAvailable'), met('Progressing', 'NewReplicaSetAvailable')],
    }
  },
  'apps/replicasets': (object) => {
    const count = replicasOf(object)
    return { ...generationOf(object), replicas: count, readyReplicas: count, availableReplicas: count }
  },
  'apps/statefulsets': (object) => {
    const count = replicasOf(object)
    const counts = { replicas: count, readyReplicas: count, currentReplicas: count, updatedReplicas: count }
    return { ...generationOf(object), ...counts, availableReplicas: count, currentRevision: '1', updateRevision: '1' }
  },
  'apps/daemonsets': (object) => {
    const counts = { currentNumberScheduled: 1, desiredNumberScheduled: 1, updatedNumberScheduled: 1 }
    return { ...generationOf(object), ...counts, numberReady: 1, numberAvailable: 1, numberMisscheduled: 0 }
  },
  'batch/jobs': () => ({ succeeded: 1, conditions: [met('Complete')] }),
  '/pods': (object) => ({
    phase: 'Running',
    conditions: [met('Ready'), met('ContainersReady'), met('PodScheduled')],
    containerStatuses: objectsOf(objectOf(object['spec'])['containers']).map((each) => ({
      name: each['name'] ?? '',
      ready: true,
      restartCount: 0,
      image: each['image'] ?? '',
      imageID: '',
      state: { running: {} },
    })),
  }),
  '/persistentvolumeclaims': () => ({ phase: 'Bound' }),
}
