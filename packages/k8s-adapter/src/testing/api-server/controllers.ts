import { isoTime, type JsonObject } from '@gitops-sdk/core'
import { metadataOf, objectOf, objectsOf, textOf, textsOf, withMetadata } from '../../client/json.ts'
import type { Kind } from './kinds.ts'
import { updateFields } from './managed.ts'
import { removeNow } from './remove.ts'
import type { ServerState } from './state.ts'
import { collectionOf, type StoreEvent } from './store.ts'

const controllerFinalizers = ['foregroundDeletion', 'orphan', 'customresourcecleanup.apiextensions.k8s.io']

/**
 * What the controller manager does about deletions: children go with their last owner, a namespace with its
 * contents, a definition with its objects. Works between requests; `stop` ends it.
 */
export function startControllers(state: ServerState): () => void {
  const pending: StoreEvent[] = []
  let isRunning = false
  const run = (): void => {
    isRunning = false
    for (const event of pending.splice(0)) settle(state, event)
  }
  return state.store.subscribe((event) => {
    pending.push(event)
    if (isRunning) return
    isRunning = true
    setImmediate(run)
  })
}

function settle(state: ServerState, { type, collection, object }: StoreEvent): void {
  const metadata = metadataOf(object)
  if (type === 'DELETED') {
    collect(state, textOf(metadata['uid']))
    checkContainers(state, collection, object)
  } else if (metadata['deletionTimestamp'] !== undefined) {
    finish(state, collection, object)
  }
}

/** Children whose owners are all gone go as well. */
function collect(state: ServerState, uid: string): void {
  for (const [collection, child] of state.store.dependents(uid)) {
    const owners = objectsOf(metadataOf(child)['ownerReferences'])
    const left = owners.filter((owner) => textOf(owner['uid']) !== uid && isThere(state, owner, child))
    const kind = kindOf(state, collection)
    if (kind === undefined) continue
    if (left.length === 0) begin(state, kind, child)
    else state.store.put(kind, withMetadata(child, { ownerReferences: left }))
  }
}

function isThere({ kinds, store }: ServerState, owner: JsonObject, child: JsonObject): boolean {
  const kind = kinds.named(textOf(owner['apiVersion']), textOf(owner['kind']))
  const namespace = kind?.namespaced === true ? textOf(metadataOf(child)['namespace']) : ''
  const found = kind && store.get(kind, namespace, textOf(owner['name']))
  return found !== undefined && metadataOf(found)['uid'] === owner['uid']
}

/** Begins the deletion of one object on behalf of a controller. */
function begin(state: ServerState, kind: Kind, object: JsonObject): void {
  const metadata = metadataOf(object)
  if (textsOf(metadata['finalizers']).length === 0) return void removeNow(state, kind, object)
  if (metadata['deletionTimestamp'] !== undefined) return
  const deletionTimestamp = timeOf(state)
  state.store.put(kind, withMetadata(object, { deletionTimestamp, deletionGracePeriodSeconds: 0 }))
}

/** Does what the finalizers of controllers ask for, and ends what nothing holds any more. */
function finish(state: ServerState, collection: string, given: JsonObject): void {
  const kind = kindOf(state, collection)
  const { namespace, name, uid } = metadataOf(given)
  const object = kind && state.store.get(kind, textOf(namespace), textOf(name))
  if (kind === undefined || object === undefined || metadataOf(object)['uid'] !== uid) return
  const finalizers = textsOf(metadataOf(object)['finalizers'])
  const left = finalizers.filter((each) => !controllerFinalizers.includes(each) || !isDone(state, object, each))
  if (kind.kind === 'Namespace') {
    if (left.length === 0 && emptied(state, object)) removeNow(state, kind, object)
  } else if (left.length === 0) removeNow(state, kind, object)
  else if (left.length < finalizers.length) state.store.put(kind, withMetadata(object, { finalizers: left }))
}

function isDone(state: ServerState, object: JsonObject, finalizer: string): boolean {
  const uid = textOf(metadataOf(object)['uid'])
  const children = state.store.dependents(uid)
  if (finalizer === 'orphan') {
    for (const [collection, child] of children) disown(state, collection, child, uid)
    return true
  }
  const contents = finalizer === 'foregroundDeletion' ? children : objectsDefinedBy(state, object)
  for (const [collection, each] of contents) {
    const kind = kindOf(state, collection)
    if (kind !== undefined) begin(state, kind, each)
  }
  return (
    contents.length === 0 ||
    (finalizer === 'foregroundDeletion' ? state.store.dependents(uid) : objectsDefinedBy(state, object)).length === 0
  )
}

function disown(state: ServerState, collection: string, child: JsonObject, uid: string): void {
  const kind = kindOf(state, collection)
  if (kind === undefined) return
  const left = objectsOf(metadataOf(child)['ownerReferences']).filter((owner) => owner['uid'] !== uid)
  const next = withMetadata(child, { ownerReferences: left.length === 0 ? undefined : left, managedFields: undefined })
  const { shape, apiVersion } = kind
  const writer = { manager: 'kube-controller-manager', apiVersion, subresource: '', now: state.now(), reset: [] }
  state.store.put(kind, updateFields(child, next, shape, writer))
}

function objectsDefinedBy({ store }: ServerState, definition: JsonObject): (readonly [string, JsonObject])[] {
  const spec = objectOf(definition['spec'])
  const collection = `${textOf(spec['group'])}/${textOf(objectOf(spec['names'])['plural'])}`
  return store.all().filter(([each]) => each === collection)
}

/** Whether nothing is left in a namespace; what is left says in its conditions why it stays. */
function emptied(state: ServerState, namespace: JsonObject): boolean {
  const name = textOf(metadataOf(namespace)['name'])
  const contents = (): (readonly [string, JsonObject])[] =>
    state.store.all().filter(([, each]) => metadataOf(each)['namespace'] === name)
  for (const [collection, each] of contents()) {
    const kind = kindOf(state, collection)
    if (kind !== undefined) begin(state, kind, each)
  }
  const left = contents()
  const kind = state.kinds.find('v1', 'namespaces')
  if (left.length > 0 && kind !== undefined) remark(state, kind, namespace, left)
  return left.length === 0
}

function remark(
  state: ServerState,
  kind: Kind,
  namespace: JsonObject,
  left: readonly (readonly [string, JsonObject])[],
): void {
  const held = left.flatMap(([, each]) => textsOf(metadataOf(each)['finalizers']))
  const condition = (type: string, reason: string, message: string): JsonObject => ({
    type,
    status: 'True',
    lastTransitionTime: timeOf(state),
    reason,
    message,
  })
  const conditions = [
    condition('NamespaceContentRemaining', 'SomeResourcesRemain', `Some resources are remaining: ${left.length}`),
    condition(
      'NamespaceFinalizersRemaining',
      'SomeFinalizersRemain',
      `Some content in the namespace has finalizers remaining: ${held.join(', ')}`,
    ),
  ]
  const status = objectOf(namespace['status'])
  if (status['conditions'] === undefined) state.store.put(kind, { ...namespace, status: { ...status, conditions } })
}

/** What waited for this object to go may end now. */
function checkContainers(state: ServerState, collection: string, object: JsonObject): void {
  const namespaces = state.kinds.find('v1', 'namespaces')
  const name = textOf(metadataOf(object)['namespace'])
  const around = namespaces && name !== '' ? state.store.get(namespaces, '', name) : undefined
  if (around !== undefined && metadataOf(around)['deletionTimestamp'] !== undefined)
    finish(state, '/namespaces', around)
  for (const owner of objectsOf(metadataOf(object)['ownerReferences'])) finishOwner(state, owner, object)
  const definitions = state.kinds.find('apiextensions.k8s.io/v1', 'customresourcedefinitions')
  const [group, resource] = collection.split('/')
  const definition = definitions && state.store.get(definitions, '', `${resource}.${group}`)
  if (definition !== undefined && metadataOf(definition)['deletionTimestamp'] !== undefined)
    finish(state, 'apiextensions.k8s.io/customresourcedefinitions', definition)
}

function finishOwner(state: ServerState, owner: JsonObject, child: JsonObject): void {
  const kind = state.kinds.named(textOf(owner['apiVersion']), textOf(owner['kind']))
  const namespace = kind?.namespaced === true ? textOf(metadataOf(child)['namespace']) : ''
  const found = kind && state.store.get(kind, namespace, textOf(owner['name']))
  if (kind !== undefined && found !== undefined && metadataOf(found)['deletionTimestamp'] !== undefined)
    finish(state, collectionOf(kind), found)
}

function kindOf({ kinds }: ServerState, collection: string): Kind | undefined {
  return kinds.all().find((each) => each.kept && collectionOf(each) === collection)
}

function timeOf({ now }: ServerState): string {
  return isoTime(now()).replace(/\.\d+Z$/, 'Z')
}
