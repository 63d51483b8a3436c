import { type Call, GitOpsError, type JsonObject, type ResourceRef } from '@gitops-sdk/core'
import type { ServedKind } from './discovery.ts'
import { isNotFound } from './errors.ts'
import type { KubeAnswer, KubeClient } from './port.ts'

/** One object of a server. */
export interface ObjectPlace {
  readonly served: ServedKind
  readonly namespace: string | undefined
  readonly name: string
}

/** The place of an object of a kind that is served: one of the cluster has no namespace, whatever is declared. */
export function placeOf(served: ServedKind, { namespace, name }: ResourceRef): ObjectPlace {
  return { served, namespace: served.namespaced ? namespace : undefined, name }
}

/** The path of a collection; of all namespaces where none is given. */
export function collectionPath({ apiVersion, group, resource, namespaced }: ServedKind, namespace?: string): string {
  const root = group === '' ? `/api/${apiVersion}` : `/apis/${apiVersion}`
  const inside = namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${inside}/${resource}`
}

/** The path of one object. */
export function objectPath({ served, namespace, name }: ObjectPlace): string {
  return `${collectionPath(served, namespace)}/${encodeURIComponent(name)}`
}

/** The object, or `undefined` when the server says that it is not there. */
export async function getObject(client: KubeClient, place: ObjectPlace, call: Call): Promise<JsonObject | undefined> {
  try {
    return (await client.send({ method: 'GET', path: objectPath(place) }, call)).body
  } catch (thrown) {
    if (isNotFound(thrown)) return undefined
    throw thrown
  }
}

/** How an object is applied. */
export interface ApplyRequest {
  readonly manager: string
  /** Takes fields over from other managers. */
  readonly force: boolean
  readonly dryRun?: boolean
}

/** Server-side apply. Unknown fields are refused. */
export function applyObject(
  client: KubeClient,
  place: ObjectPlace,
  body: JsonObject,
  request: ApplyRequest,
  call: Call,
): Promise<KubeAnswer> {
  const { manager, force, dryRun = false } = request
  const query = {
    fieldManager: manager,
    fieldValidation: 'Strict',
    force: String(force),
    ...(dryRun && { dryRun: 'All' }),
  }
  return client.send(
    { method: 'PATCH', path: objectPath(place), query, body, contentType: 'application/apply-patch+yaml' },
    call,
  )
}

/** How an object is deleted. */
export interface DeleteRequest {
  readonly uid: string | undefined
  /** The version it has to be at. @defaultValue any */
  readonly version?: string | undefined
  readonly propagation: 'Background' | 'Foreground' | 'Orphan'
}

/** Asks for the deletion of exactly this object. `undefined` when it is gone already. */
export async function deleteObject(
  client: KubeClient,
  place: ObjectPlace,
  { uid, version, propagation }: DeleteRequest,
  call: Call,
): Promise<JsonObject | undefined> {
  const preconditions = {
    ...(uid !== undefined && { uid }),
    ...(version !== undefined && { resourceVersion: version }),
  }
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy: propagation,
    ...(Object.keys(preconditions).length > 0 && { preconditions }),
  }
  try {
    return (await client.send({ method: 'DELETE', path: objectPath(place), body }, call)).body
  } catch (thrown) {
    if (isNotFound(thrown)) return undefined
    throw thrown
  }
}

/** A whole collection, page by page, and the version it was read at. */
export async function* listPages(
  client: KubeClient,
  path: string,
  limit: number,
  call: Call,
): AsyncIterable<{ readonly items: readonly JsonObject[]; readonly version: string }> {
  let token = ''
  do {
    const query = { limit: String(limit), ...(token !== '' && { continue: token }) }
    const { body } = await client.send({ method: 'GET', path, query }, call)
    const { items, metadata } = body as {
      items?: JsonObject[] | null
      metadata?: { resourceVersion?: string; continue?: string }
    }
    if (typeof metadata?.resourceVersion !== 'string')
      throw new GitOpsError('TARGET_INTERNAL', `The answer to GET ${path} is no list.`)
    yield { items: items ?? [], version: metadata.resourceVersion }
    token = metadata.continue ?? ''
  } while (token !== '')
}
