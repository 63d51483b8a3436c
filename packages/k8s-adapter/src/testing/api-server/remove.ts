import { isoTime, type Json, type JsonObject } from '@gitops-sdk/core'
import { type Answer, badRequest, conflict, notFound } from './answer.ts'
import { isObject, metadataOf, objectOf, textOf, textsOf, withMetadata } from '../../client/json.ts'
import type { Kind } from './kinds.ts'
import type { Request, ServerState } from './state.ts'
import { subjectOf } from './write.ts'

/** Kinds whose deletion is answered with what was deleted. */
const answeredWhole = [
  'Pod',
  'Service',
  'ServiceAccount',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'PodTemplate',
  'ResourceQuota',
]

/** Deletes an object, or marks it where finalizers or its children come first. */
export function remove(state: ServerState, request: Request): Answer {
  const live = state.store.get(request.kind, request.namespace, request.name)
  if (live === undefined) throw notFound(subjectOf(request))
  const options = optionsIn(request)
  assertPreconditions(live, options, request)
  const marked = markFor(live, propagationIn(options, request), request.kind, state.now())
  const dryRun = request.query.get('dryRun') === 'All'
  if (marked === undefined) {
    const last = dryRun ? live : removeNow(state, request.kind, live)
    return { status: 200, body: answeredWhole.includes(request.kind.kind) ? last : success(request.kind, live) }
  }
  return { status: 200, body: dryRun || marked === live ? marked : state.store.put(request.kind, marked) }
}

/** Takes an object out, with what it defined. */
export function removeNow({ store, kinds }: ServerState, kind: Kind, object: JsonObject): JsonObject {
  if (kind.kind === 'CustomResourceDefinition') kinds.undefine(object)
  return store.remove(kind, object)
}

function optionsIn({ body }: Request): JsonObject {
  if (body === '') return {}
  const value: unknown = JSON.parse(body)
  if (!isObject(value as JsonObject)) throw badRequest('the options of the deletion are no object')
  return value as JsonObject
}

function assertPreconditions(live: JsonObject, options: JsonObject, request: Request): void {
  const { uid, resourceVersion } = objectOf(options['preconditions'])
  const metadata = metadataOf(live)
  const subject = { ...subjectOf(request), resource: request.kind.kind, group: '' }
  const differ = (what: string, wanted: Json, is: Json, may: string): Error =>
    conflict(
      subject,
      `the ${what} in the precondition (${text(wanted)}) does not match the ${what} in record (${text(is)}). The object might have been ${may}`,
    )
  if (uid !== undefined && uid !== metadata['uid'])
    throw differ('UID', uid, metadata['uid'] ?? '', 'deleted and then recreated')
  if (resourceVersion !== undefined && resourceVersion !== metadata['resourceVersion'])
    throw differ('ResourceVersion', resourceVersion, metadata['resourceVersion'] ?? '', 'modified')
}

function text(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function propagationIn(options: JsonObject, { query }: Request): string {
  return textOf(options['propagationPolicy']) || query.get('propagationPolicy') || 'Background'
}

/** The object as it waits for its end; `undefined` where nothing has to be waited for. */
function markFor(live: JsonObject, propagation: string, kind: Kind, now: number): JsonObject | undefined {
  const metadata = metadataOf(live)
  const finalizers = new Set(textsOf(metadata['finalizers']))
  if (propagation === 'Foreground') finalizers.add('foregroundDeletion')
  if (propagation === 'Orphan') finalizers.add('orphan')
  // The contents of a namespace, and the objects of a definition, go before it.
  const hasContents = kind.kind === 'Namespace' || kind.kind === 'CustomResourceDefinition'
  if (kind.kind === 'CustomResourceDefinition') finalizers.add('customresourcecleanup.apiextensions.k8s.io')
  if (finalizers.size === 0 && !hasContents) return undefined
  if (metadata['deletionTimestamp'] !== undefined) return live
  const marked = withMetadata(live, {
    deletionTimestamp: isoTime(now).replace(/\.\d+Z$/, 'Z'),
    deletionGracePeriodSeconds: 0,
    finalizers: finalizers.size === 0 ? undefined : [...finalizers],
    ...(typeof metadata['generation'] === 'number' && { generation: metadata['generation'] + 1 }),
  })
  return kind.kind === 'Namespace'
    ? { ...marked, status: { ...objectOf(live['status']), phase: 'Terminating' } }
    : marked
}

function success({ group, resource }: Kind, object: JsonObject): JsonObject {
  const { name = '', uid = '' } = metadataOf(object)
  const details = { name, ...(group !== '' && { group }), kind: resource, uid }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details }
}
