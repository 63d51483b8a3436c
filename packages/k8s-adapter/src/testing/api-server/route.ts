import { isoTime, type JsonObject } from '@gitops-sdk/core'
import { mayDo, type User, userInfo } from './access.ts'
import { type Answer, answerOf, forbidden, noPage, refusal, status } from './answer.ts'
import { objectOf, textOf } from '../../client/json.ts'
import { discoveryOf, groupListOf, type Kind, resourceListOf } from './kinds.ts'
import { list, read } from './read.ts'
import { remove } from './remove.ts'
import type { Request, ServerState } from './state.ts'
import { assertMatch } from './watch.ts'
import { apply, create, patch, subjectOf, update } from './write.ts'

/** What came in over HTTP. */
export interface Incoming {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly accept: string
  readonly contentType: string
  readonly body: string
  readonly user: User
  readonly agent: string
}

/** An answer, or a watch that is to be opened. */
export type Routed = { readonly answer: Answer } | { readonly watch: Request }

/** Finds what a request is about, whether it is permitted, and the answer. */
export function route(state: ServerState, incoming: Incoming): Routed {
  try {
    const fixed = fixedAnswer(state, incoming)
    if (fixed !== undefined) return { answer: fixed }
    const request = requestFor(state, incoming)
    if (request === undefined) return { answer: nothingAt(state, incoming) }
    assertMay(state, request)
    if (isWatch(request)) {
      assertMatch(request.query)
      return { watch: request }
    }
    return { answer: handle(state, request) }
  } catch (thrown) {
    const answer = answerOf(thrown)
    if (answer === undefined) throw thrown
    return { answer }
  }
}

const version = { major: '1', minor: '36', gitVersion: 'v1.36.0-memory', platform: 'memory' }
const probes = ['/readyz', '/livez', '/healthz']

function fixedAnswer({ kinds }: ServerState, { path, accept, method }: Incoming): Answer | undefined {
  if (method !== 'GET') return undefined
  if (probes.includes(path)) return { status: 200, body: 'ok' }
  if (path === '/version') return { status: 200, body: version }
  const all = kinds.all()
  const aggregated = /g=apidiscovery\.k8s\.io;v=(v2\w*)/.exec(accept)?.[1]
  if (path === '/api' || path === '/apis') {
    const core = path === '/api'
    const served = all.filter(({ group }) => (group === '') === core)
    if (aggregated !== undefined) return { status: 200, body: discoveryOf(served, aggregated) }
    return { status: 200, body: core ? { kind: 'APIVersions', versions: ['v1'] } : groupListOf(served) }
  }
  const apiVersion = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))$/
    .exec(path)
    ?.slice(1)
    .find((each) => each !== undefined)
  const served = all.filter((each) => each.apiVersion === apiVersion)
  return apiVersion === undefined || served.length === 0
    ? undefined
    : { status: 200, body: resourceListOf(served, apiVersion) }
}

/** A known group answers that it does not know; below an unknown one there is nobody to answer. */
function nothingAt({ kinds }: ServerState, { path }: Incoming): Answer {
  const apiVersion = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))\//
    .exec(path)
    ?.slice(1)
    .find((each) => each !== undefined)
  const isServed = kinds.all().some((each) => each.apiVersion === apiVersion)
  return isServed ? bare(404, 'NotFound', 'the server could not find the requested resource') : noPage
}

function bare(code: number, reason: string, message: string): Answer {
  const answer = status(code, reason, message)
  return { ...answer, body: { ...(answer.body as JsonObject), details: {} } }
}

/** The object or the collection a path names; `undefined` for a path of nothing that is served. */
function requestFor({ kinds }: ServerState, incoming: Incoming): Request | undefined {
  const [root, ...rest] = incoming.path.slice(1).split('/').map(decodeURIComponent)
  const apiVersion = root === 'api' ? rest.shift() : root === 'apis' ? rest.splice(0, 2).join('/') : undefined
  if (apiVersion === undefined) return undefined
  const isInside = rest[0] === 'namespaces' && rest.length > 2 && !['status', 'finalize'].includes(rest[2] ?? '')
  const namespace = isInside ? (rest.splice(0, 2)[1] ?? '') : ''
  const [resource = '', name = '', subresource = '', ...more] = rest
  const kind = kinds.find(apiVersion, resource)
  if (kind === undefined || more.length > 0 || !fits(kind, namespace, name, subresource)) return undefined
  const { method, query, body, user, agent } = incoming
  const contentType = incoming.contentType.split(';')[0]?.trim() ?? ''
  return { method, kind, namespace, name, subresource, query, body, contentType, user, agent }
}

function fits(kind: Kind, namespace: string, name: string, subresource: string): boolean {
  if (subresource !== '' && !kind.subresources.includes(subresource)) return false
  if (!kind.namespaced) return namespace === ''
  return namespace !== '' || name === ''
}

function isWatch({ method, query, name }: Request): boolean {
  return method === 'GET' && name === '' && ['1', 'true'].includes(query.get('watch') ?? '')
}

const verbs: Readonly<Record<string, string>> = { POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

function verbOf(request: Request): string {
  if (isWatch(request)) return 'watch'
  if (request.method === 'GET') return request.name === '' ? 'list' : 'get'
  return verbs[request.method] ?? ''
}

function assertMay({ kinds, store }: ServerState, request: Request): void {
  const { kind, user, namespace, name, subresource } = request
  const resource = subresource === '' ? kind.resource : `${kind.resource}/${subresource}`
  const verb = verbOf(request)
  // Everybody may ask who they are and what they may.
  if (kind.kind.startsWith('Self')) return
  if (mayDo(user, { verb, group: kind.group, resource, namespace, name }, kinds, store)) return
  const where = kind.namespaced && namespace !== '' ? `in the namespace "${namespace}"` : 'at the cluster scope'
  throw forbidden(
    { ...subjectOf(request), resource },
    `User "${user.name}" cannot ${verb} resource "${resource}" in API group "${kind.group}" ${where}`,
  )
}

function handle(state: ServerState, request: Request): Answer {
  const { method, kind, name, subresource } = request
  if (!kind.kept) return askedAnswer(state, request)
  if (subresource === 'scale')
    return { status: 405, body: status(405, 'MethodNotAllowed', 'the server in memory has no scale').body }
  if (method === 'GET') return name === '' ? list(state, request) : read(state, request)
  if (method === 'POST' && name === '') return create(state, request)
  if (method === 'PUT' && name !== '') return update(state, request)
  if (method === 'DELETE' && name !== '') return remove(state, request)
  if (method === 'PATCH' && name !== '') return patchAnswer(state, request)
  throw refusal(bare(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource'))
}

const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
]

function patchAnswer(state: ServerState, request: Request): Answer {
  if (request.contentType === 'application/apply-patch+yaml') return apply(state, request)
  const isStrategic = request.contentType === 'application/strategic-merge-patch+json'
  if (!patchTypes.includes(request.contentType) || (isStrategic && request.kind.custom)) {
    if (!isStrategic) throw refusal(bare(415, 'UnsupportedMediaType', '415: Unsupported Media Type'))
    const known = [...patchTypes.slice(0, 2), 'application/apply-patch+yaml'].join(', ')
    const message = `the body of the request was in an unknown format - accepted media types include: ${known}`
    throw refusal(status(415, 'UnsupportedMediaType', message))
  }
  return patch(state, request)
}

/** Answers to questions that are asked by creating something that is not kept. */
function askedAnswer({ kinds, store, now }: ServerState, { kind, user, body }: Request): Answer {
  const asked: JsonObject = {
    ...(JSON.parse(body === '' ? '{}' : body) as JsonObject),
    kind: kind.kind,
    apiVersion: kind.apiVersion,
  }
  const metadata = { creationTimestamp: isoTime(now()).replace(/\.\d+Z$/, 'Z') }
  if (kind.kind === 'SelfSubjectReview')
    return { status: 201, body: { ...asked, metadata, status: { userInfo: userInfo(user) } } }
  if (kind.kind !== 'SelfSubjectAccessReview') return noPage
  const wanted = objectOf(objectOf(asked['spec'])['resourceAttributes'])
  const part = textOf(wanted['subresource'])
  const attempt = {
    verb: textOf(wanted['verb']),
    group: textOf(wanted['group']),
    resource: part === '' ? textOf(wanted['resource']) : `${textOf(wanted['resource'])}/${part}`,
    namespace: textOf(wanted['namespace']),
    name: textOf(wanted['name']),
  }
  return { status: 201, body: { ...asked, status: { allowed: mayDo(user, attempt, kinds, store) } } }
}
