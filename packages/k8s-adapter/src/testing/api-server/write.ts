import { randomUUID } from 'node:crypto'
import { isoTime, type Json, type JsonObject, sameJson } from '@gitops-sdk/core'
import { decodeDocuments } from '@gitops-sdk/core/files'
import {
  alreadyExists,
  type Answer,
  badRequest,
  conflict,
  forbidden,
  invalid,
  notFound,
  refusal,
  status,
  type Subject,
} from './answer.ts'
import { faultsIn } from './check.ts'
import { withDefaults } from './defaults.ts'
import { tidied } from './tidy.ts'
import { isObject, metadataOf, objectOf, textOf, textsOf, withMetadata, without } from '../../client/json.ts'
import type { Kind } from './kinds.ts'
import { applyFields, type Rival, updateFields, type Writer } from './managed.ts'
import { patched } from './patch.ts'
import { changeFaultsOf, countsGenerations, faultsOf, generationPart, quotaFault } from './rules.ts'
import type { Request, ServerState } from './state.ts'

/** Creates an object; `generateName` is completed. */
export function create(state: ServerState, request: Request): Answer {
  const body = identified(objectIn(request), request)
  const warnings = checkFields(body, request)
  if (state.store.get(request.kind, request.namespace, nameIn(body)) !== undefined)
    throw alreadyExists(subjectOf(request, nameIn(body)))
  const named = { ...request, name: nameIn(body) }
  const bare = withMetadata(body, { managedFields: undefined, resourceVersion: undefined, uid: undefined })
  const fresh = without(born(state, named, bare), ...(hasStatus(request.kind) ? ['status'] : []))
  const whole = withDefaults(tidied(fresh, request.kind), request.kind)
  const owned = updateFields(undefined, whole, request.kind.shape, writerOf(state, request))
  return { status: 201, body: save(state, named, undefined, owned), headers: warnings }
}

/** Replaces an object, or the part of it that a subresource is. */
export function update(state: ServerState, request: Request): Answer {
  const body = objectIn(request)
  if (nameIn(body) !== request.name)
    throw badRequest(`the name of the object (${nameIn(body)}) does not match the name on the URL (${request.name})`)
  const warnings = checkFields(body, request)
  const live = state.store.get(request.kind, request.namespace, request.name)
  if (live === undefined) throw notFound(subjectOf(request))
  assertSame(live, body, request)
  return { status: 200, body: changeTo(state, request, live, body), headers: warnings }
}

/** Changes an object by a patch that is no apply. */
export function patch(state: ServerState, request: Request): Answer {
  const live = state.store.get(request.kind, request.namespace, request.name)
  if (live === undefined) throw notFound(subjectOf(request))
  const body = patched(live, parse(request.body), request.contentType, request.kind.shape)
  const warnings = checkFields(body, request)
  assertSame(live, body, request)
  return { status: 200, body: changeTo(state, request, live, body), headers: warnings }
}

/** Server-side apply: creates what is not there. */
export function apply(state: ServerState, request: Request): Answer {
  const manager = request.query.get('fieldManager') ?? ''
  const options: Subject = { group: 'meta.k8s.io', resource: 'patchoptions', kind: 'PatchOptions', name: '' }
  if (manager === '')
    throw invalid(options, [
      { field: 'fieldManager', reason: 'FieldValueRequired', message: 'Required value: is required for apply patch' },
    ])
  const body = appliedBody(request)
  const live = state.store.get(request.kind, request.namespace, request.name)
  const uid = textOf(metadataOf(body)['uid'])
  if (live === undefined && uid !== '')
    throw conflict(
      subjectOf(request),
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    )
  assertVersion(live, body, request)
  const base =
    live ??
    born(state, request, {
      apiVersion: request.kind.apiVersion,
      kind: request.kind.kind,
      metadata: { name: request.name, ...(request.kind.namespaced && { namespace: request.namespace }) },
    })
  const stripped = withMetadata(body, { creationTimestamp: undefined, resourceVersion: undefined })
  const content = without(stripped, ...ignoredParts(request))
  const applied = applyFields(base, content, request.kind.shape, writerOf(state, request, manager), isForced(request))
  if ('conflicts' in applied) throw conflictOf(applied.conflicts)
  const next = tidied(applied.object, request.kind)
  return { status: live === undefined ? 201 : 200, body: save(state, request, live, next) }
}

function appliedBody(request: Request): JsonObject {
  const body = objectIn(request)
  const { kind, name } = request
  if (metadataOf(body)['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil')
  if (nameIn(body) !== name && nameIn(body) !== '')
    throw badRequest(`the name of the object (${nameIn(body)}) does not match the name on the URL (${name})`)
  const place = `${textOf(metadataOf(body)['namespace'])}/${name}`
  const [fault] = faultsIn(body, kind.shape)
  if (fault === undefined) return body
  const what = `${place}; ${kind.group}/${kind.version}, Kind=${kind.kind}`
  throw refusal(status(500, '', `failed to create typed patch object (${what}): ${fault}`))
}

function isForced({ query }: Request): boolean {
  return query.get('force') === 'true'
}

function conflictOf(rivals: readonly Rival[]): Error {
  const said = ({ manager, operation, subresource, apiVersion }: Rival): string =>
    `"${manager}"${subresource === '' ? '' : ` with subresource "${subresource}"`}${operation === 'Update' ? ` using ${apiVersion}` : ''}`
  const causes = rivals.map((rival) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${said(rival)}`,
    field: rival.field,
  }))
  const one = rivals.length === 1
  const groups = [...new Set(rivals.map(said))].map((who) => {
    const fields = rivals.filter((rival) => said(rival) === who).map(({ field }) => field)
    return one ? `conflict with ${who}: ${fields[0]}` : `conflicts with ${who}:\n- ${fields.join('\n- ')}`
  })
  const message = `Apply failed with ${rivals.length} conflict${one ? '' : 's'}: ${groups.join('\n')}`
  return refusal(status(409, 'Conflict', message, { causes }))
}

/** What somebody wants a live object to be, as far as this way of writing reaches. */
function changeTo(state: ServerState, request: Request, live: JsonObject, body: JsonObject): JsonObject {
  const kept = withDefaults(tidied(keptParts(request, live, body), request.kind), request.kind)
  const next = updateFields(live, kept, request.kind.shape, writerOf(state, request))
  return save(state, request, live, next)
}

function keptParts({ kind, subresource }: Request, live: JsonObject, body: JsonObject): JsonObject {
  const identity = withMetadata(body, {
    uid: metadataOf(live)['uid'],
    namespace: metadataOf(live)['namespace'],
    creationTimestamp: metadataOf(live)['creationTimestamp'] ?? '',
    deletionTimestamp: metadataOf(live)['deletionTimestamp'],
    generation: metadataOf(live)['generation'],
  })
  if (subresource === 'status') return { ...live, metadata: identity['metadata'] ?? {}, ...pick(body, 'status') }
  if (!hasStatus(kind)) return identity
  return { ...without(identity, 'status'), ...pick(live, 'status') }
}

function pick(object: JsonObject, field: string): JsonObject {
  return object[field] === undefined ? {} : { [field]: object[field] }
}

function hasStatus({ subresources }: Kind): boolean {
  return subresources.includes('status')
}

function ignoredParts({ kind, subresource }: Request): string[] {
  if (subresource === 'status')
    return Object.keys(kind.shape.type === 'struct' ? Object.fromEntries(kind.shape.fields) : {}).filter(
      (field) => !['apiVersion', 'kind', 'metadata', 'status'].includes(field),
    )
  return hasStatus(kind) ? ['status'] : []
}

/** Branches that a door does not lead to. */
const statusOnly: Writer['reset'] = [['f:spec'], ['f:metadata', 'f:labels']]
const kept: Writer['reset'] = [['f:status']]
const finalized: Writer['reset'] = [['f:spec', 'f:finalizers']]

function writerOf({ now }: ServerState, { kind, subresource, query, agent }: Request, manager?: string): Writer {
  const reset =
    subresource === 'status'
      ? statusOnly
      : hasStatus(kind)
        ? [...kept, ...(kind.kind === 'Namespace' ? finalized : [])]
        : []
  const name = manager ?? (query.get('fieldManager') || agent)
  return { manager: name, apiVersion: kind.apiVersion, subresource, now: now(), reset }
}

/** The object as it begins: with an identity of its own. */
function born({ now }: ServerState, { kind }: Request, body: JsonObject): JsonObject {
  return withMetadata(body, {
    uid: randomUUID(),
    creationTimestamp: isoTime(now()).replace(/\.\d+Z$/, 'Z'),
    deletionTimestamp: undefined,
    ...(countsGenerations(kind) && { generation: 1 }),
  })
}

/** Fills in, checks, asks whoever admits, and stores; a dry run stops before that. */
function save(state: ServerState, request: Request, live: JsonObject | undefined, given: JsonObject): JsonObject {
  const { kind, query } = request
  if (live === undefined) assertNamespace(state, request)
  const admitted = admit(state, request, live, withDefaults(given, kind))
  const faults = [...faultsOf(admitted, kind), ...(live === undefined ? [] : changeFaultsOf(live, admitted, kind))]
  if (faults.length > 0) throw invalid(subjectOf(request), faults)
  if (live === undefined) assertQuota(state, request)
  const next = counted(live, admitted, kind)
  if (live !== undefined && sameJson(next, live)) return live
  if (query.get('dryRun') === 'All') return next
  if (isOver(next)) return (state.store.remove(kind, next), next)
  const stored = state.store.put(kind, next)
  if (kind.kind === 'CustomResourceDefinition') return establish(state, kind, stored)
  return stored
}

/** Being deleted, with nothing left that holds it. */
function isOver(object: JsonObject): boolean {
  const metadata = metadataOf(object)
  return (
    metadata['deletionTimestamp'] !== undefined &&
    textsOf(metadata['finalizers']).length === 0 &&
    object['kind'] !== 'Namespace'
  )
}

function counted(live: JsonObject | undefined, next: JsonObject, kind: Kind): JsonObject {
  const before = live === undefined ? undefined : metadataOf(live)
  const version = before?.['resourceVersion']
  const changed = live !== undefined && countsGenerations(kind) && !sameJson(generationPart(live), generationPart(next))
  const generation = changed ? Number(before?.['generation'] ?? 0) + 1 : metadataOf(next)['generation']
  return withMetadata(next, { resourceVersion: version, generation })
}

function establish(state: ServerState, kind: Kind, definition: JsonObject): JsonObject {
  const isKnown = Array.isArray(objectOf(definition['status'])['conditions'])
  state.kinds.define(definition)
  if (isKnown) return definition
  const spec = objectOf(definition['spec'])
  const condition = (type: string, reason: string, message: string): JsonObject => ({
    type,
    status: 'True',
    lastTransitionTime: isoTime(state.now()).replace(/\.\d+Z$/, 'Z'),
    reason,
    message,
  })
  const conditions = [
    condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
    condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
  ]
  const stored = (spec['versions'] as JsonObject[])
    .filter((each) => each['storage'] === true)
    .map((each) => each['name'] ?? '')
  state.store.put(kind, {
    ...definition,
    status: { conditions, acceptedNames: spec['names'] ?? {}, storedVersions: stored },
  })
  return definition
}

function assertNamespace({ kinds, store }: ServerState, request: Request): void {
  if (!request.kind.namespaced) return
  const namespaces = kinds.find('v1', 'namespaces')
  const found = namespaces && store.get(namespaces, '', request.namespace)
  if (found === undefined) throw notFound({ group: '', resource: 'namespaces', name: request.namespace })
  if (metadataOf(found)['deletionTimestamp'] === undefined) return
  const why = `unable to create new content in namespace ${request.namespace} because it is being terminated`
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${request.namespace} is being terminated`,
    field: 'metadata.namespace',
  }
  throw forbidden(subjectOf(request), why, [cause])
}

function assertQuota({ kinds, store }: ServerState, request: Request): void {
  const quotas = kinds.find('v1', 'resourcequotas')
  if (quotas === undefined || !request.kind.namespaced) return
  const limits = store.list(quotas, request.namespace)
  if (limits.length === 0) return
  const why = quotaFault(limits, request.kind, store.list(request.kind, request.namespace).length)
  if (why !== undefined) throw forbidden(subjectOf(request), why)
}

function admit(
  { admit: judge }: ServerState,
  request: Request,
  live: JsonObject | undefined,
  object: JsonObject,
): JsonObject {
  const { kind, namespace, name, user, query } = request
  if (judge === undefined) return object
  const verdict = judge({
    operation: live === undefined ? 'CREATE' : 'UPDATE',
    kind: kind.kind,
    apiVersion: kind.apiVersion,
    namespace,
    name,
    user: user.name,
    dryRun: query.get('dryRun') === 'All',
    object,
  })
  if (verdict === undefined) return object
  if (typeof verdict['denied'] !== 'string') return verdict as JsonObject
  const { denied, code = 403 } = verdict as { readonly denied: string; readonly code?: number }
  if (code === 403) throw forbidden(subjectOf(request), denied)
  throw refusal(status(code, code === 422 ? 'Invalid' : code >= 500 ? 'InternalError' : 'BadRequest', denied))
}

/** Fields nobody knows: refused, remarked or dropped, as the request wants. */
function checkFields(body: JsonObject, { kind, query }: Request): Record<string, string> {
  const wanted = query.get('fieldValidation') ?? 'Warn'
  const faults = faultsIn(body, kind.shape)
  const unknown = faults
    .filter((each) => each.endsWith('field not declared in schema'))
    .map((each) => each.split(': ')[0]!.slice(1))
  const wrong = faults.find((each) => !each.endsWith('field not declared in schema'))
  if (wrong !== undefined)
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: json: cannot unmarshal ${wrong}`,
    )
  if (unknown.length === 0 || wanted === 'Ignore') return {}
  const texts = unknown.map((path) => `unknown field "${path}"`)
  if (wanted === 'Strict')
    throw badRequest(
      `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${texts.join(', ')}`,
    )
  return { Warning: texts.map((text) => `299 - ${JSON.stringify(text)}`).join(', ') }
}

function assertSame(live: JsonObject, body: JsonObject, request: Request): void {
  const wanted = textOf(metadataOf(body)['uid'])
  const { uid } = metadataOf(live)
  if (wanted !== '' && wanted !== uid)
    throw conflict(
      subjectOf(request),
      `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${textOf(uid)}`,
    )
  assertVersion(live, body, request)
}

function assertVersion(live: JsonObject | undefined, body: JsonObject, request: Request): void {
  const wanted = textOf(metadataOf(body)['resourceVersion'])
  if (wanted === '' || live === undefined || wanted === metadataOf(live)['resourceVersion']) return
  throw conflict(
    subjectOf(request),
    'the object has been modified; please apply your changes to the latest version and try again',
  )
}

/** The object with its name; one that only begins a name gets the rest. */
function identified(body: JsonObject, { kind, namespace }: Request): JsonObject {
  const prefix = textOf(metadataOf(body)['generateName'])
  const name = nameIn(body) || (prefix === '' ? '' : `${prefix}${randomUUID().slice(0, 5)}`)
  if (name === '')
    throw invalid({ ...kind, name: '' }, [
      {
        field: 'metadata.name',
        reason: 'FieldValueRequired',
        message: 'Required value: name or generateName is required',
      },
    ])
  const whole = { ...body, apiVersion: kind.apiVersion, kind: kind.kind }
  return withMetadata(whole, { name, ...(kind.namespaced && { namespace }) })
}

function objectIn(request: Request): JsonObject {
  const { kind, body, contentType, namespace } = request
  const value = contentType === 'application/apply-patch+yaml' ? parseYaml(body) : parse(body)
  if (!isObject(value)) throw badRequest('the body of the request is no object')
  const [apiVersion, name] = [value['apiVersion'] ?? kind.apiVersion, value['kind'] ?? kind.kind]
  if ((apiVersion !== kind.apiVersion || name !== kind.kind) && contentType === 'application/apply-patch+yaml') {
    const given = textOf(apiVersion)
    throw badRequest(`invalid object type: ${given.includes('/') ? given : `/${given}`}, Kind=${textOf(name)}`)
  }
  if (apiVersion !== kind.apiVersion || name !== kind.kind)
    throw badRequest(
      `the API version in the data (${String(apiVersion as string)}) does not match the expected API version (${kind.apiVersion})`,
    )
  const place = textOf(metadataOf(value)['namespace'])
  if (kind.namespaced && place !== '' && place !== namespace)
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`)
  return { ...value, apiVersion: kind.apiVersion, kind: kind.kind }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw badRequest('the body of the request is no JSON')
  }
}

function parseYaml(text: string): Json {
  if (text.trimStart().startsWith('{')) return parse(text)
  try {
    for (const { body } of decodeDocuments(new TextEncoder().encode(text), 'body', { format: 'yaml' })) return body
  } catch {
    throw badRequest('error decoding YAML')
  }
  return {}
}

function nameIn(body: JsonObject): string {
  return textOf(metadataOf(body)['name'])
}

/** The object of a request, as refusals speak of it. */
export function subjectOf({ kind, name }: Request, given?: string): Subject {
  return { group: kind.group, resource: kind.resource, kind: kind.kind, name: given ?? name }
}
