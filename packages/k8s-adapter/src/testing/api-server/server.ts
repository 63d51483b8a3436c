import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Json, JsonObject } from '@gitops-sdk/core'
import { type HttpClientOptions } from '../../client/http.ts'
import type { TestUser } from '../control-plane.ts'
import { mayDo, type User } from './access.ts'
import { type Answer, answerOf, forbidden, status } from './answer.ts'
import { startControllers } from './controllers.ts'
import { metadataOf, textOf, withMetadata } from '../../client/json.ts'
import { createKinds, type Kind } from './kinds.ts'
import { type Incoming, route } from './route.ts'
import type { Admission, Request, ServerState } from './state.ts'
import { createStore } from './store.ts'
import { watch, type Watching } from './watch.ts'
import { startWorkloads } from './workloads.ts'

/** How a server in memory is made. */
export interface MemoryApiServerOptions {
  /** Besides `admin`, who may do everything; others may what roles and bindings on the server say. */
  readonly users?: readonly TestUser[]
  /** Stands for webhooks and policies. */
  readonly admit?: Admission
  /** Whether children, contents of namespaces and objects of definitions are collected. @defaultValue true */
  readonly controllers?: boolean
  /** Whether what runs is ready at once, as if there were nodes. @defaultValue false: nothing ever runs */
  readonly runsWorkloads?: boolean
  /** Every answer waits this long. @defaultValue 0 */
  readonly latencyMs?: number
  /** How often a quiet watch is told so. @defaultValue 60_000 */
  readonly bookmarkMs?: number
  /** Epoch milliseconds for what is stored. @defaultValue the time of this machine */
  readonly now?: () => number
  /** Speaks TLS with this certificate and its key, both PEM. @defaultValue none: plain HTTP */
  readonly certificate?: { readonly cert: string; readonly key: string }
  /** Whether a watch may begin with a streamed list. @defaultValue true */
  readonly streamsLists?: boolean
  /** Whether discovery is answered for all groups at once. @defaultValue true */
  readonly aggregatesDiscovery?: boolean
}

/** Something that goes wrong with requests. */
export interface ServerFault {
  /** Which ones. @defaultValue all */
  readonly when?: (request: FaultyRequest) => boolean
  /** How often. @defaultValue 1 */
  readonly times?: number
  /** The request waits this long before anything else. */
  readonly delayMs?: number
  /** What is answered in the place of the true answer; nothing is done. */
  readonly answer?: Answer
  /** The connection breaks: before anything is done, after it is done and unanswered, or in the middle of a line. */
  readonly cut?: 'before' | 'after' | 'middle'
}

/** What a fault is told about a request. */
export interface FaultyRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly user: string
}

/** A server in memory that speaks the HTTP API of Kubernetes on loopback. */
export interface MemoryApiServer extends AsyncDisposable {
  readonly address: string
  /** How to reach it as a user. @defaultValue as admin */
  connection(user?: string): HttpClientOptions
  /** A kubeconfig of the admin. */
  readonly kubeConfig: string
  /** Every request so far, such as `PATCH /api/v1/namespaces/shop/configmaps/x`. */
  readonly requests: readonly string[]
  /** An object as it is stored: `get('v1', 'ConfigMap', 'x', 'shop')`. */
  get(apiVersion: string, kind: string, name: string, namespace?: string): JsonObject | undefined
  /** Puts an object in its place past every rule, as a controller or a backup would; a namespace it needs is made. */
  put(object: JsonObject): JsonObject
  /** Makes requests go wrong. Returns what ends it. */
  inject(fault: ServerFault): () => void
  /** Ends every watch that is open. */
  closeWatches(): void
  /** Forgets what happened: watches and lists from before are expired. */
  compact(): void
  /** Tells every watch that asked for it where it is. */
  bookmark(): void
}

/**
 * A server in memory: discovery, CRUD, server-side apply with managed fields and conflicts, dry runs, lists in
 * pages, watches, definitions, status, finalizers and owners, roles. What it answers is compared with a
 * real server by the vectors of this package. No program ever runs.
 */
export async function memoryApiServer(options: MemoryApiServerOptions = {}): Promise<MemoryApiServer> {
  const state: ServerState = {
    kinds: createKinds(),
    store: createStore(),
    now: options.now ?? Date.now,
    admit: options.admit,
    pages: new Map(),
  }
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) putNamespace(state, name)
  const session: Session = { options, state, users: usersOf(options), faults: [], requests: [], watches: new Set() }
  const stopControllers = options.controllers === false ? (): void => {} : startControllers(state)
  const stopWorkloads = options.runsWorkloads === true ? startWorkloads(state) : (): void => {}
  const sockets = new Set<Socket>()
  const listener = (request: IncomingMessage, response: ServerResponse): void => void serve(session, request, response)
  const { certificate } = options
  const server = certificate === undefined ? createServer(listener) : createSecureServer(certificate, listener)
  server.on('tlsClientError', () => {})
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
  })
  const address = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${await listening(server)}`
  const heart = setInterval(() => session.watches.forEach((each) => each.bookmark()), options.bookmarkMs ?? 60_000)
  heart.unref()
  return {
    ...handleOf(session, address),
    async [Symbol.asyncDispose]() {
      clearInterval(heart)
      stopControllers()
      stopWorkloads()
      if (!server.listening) return
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

interface Session {
  readonly options: MemoryApiServerOptions
  readonly state: ServerState
  readonly users: ReadonlyMap<string, User>
  readonly faults: { readonly fault: ServerFault; left: number }[]
  readonly requests: string[]
  readonly watches: Set<Watching & { end(): void }>
}

function handleOf(session: Session, address: string): Omit<MemoryApiServer, typeof Symbol.asyncDispose> {
  const { state, requests, watches, faults } = session
  const ca = session.options.certificate?.cert
  return {
    address,
    requests,
    connection: (user = 'admin') => ({ server: address, token: async () => tokenOf(user), ...(ca && { ca }) }),
    kubeConfig: kubeConfigOf(address, ca),
    get: (apiVersion, kind, name, namespace = 'default') => {
      const found = state.kinds.named(apiVersion, kind)
      return found && state.store.get(found, found.namespaced ? namespace : '', name)
    },
    put: (object) => put(state, object),
    inject: (fault) => {
      const entry = { fault, left: fault.times ?? 1 }
      faults.push(entry)
      return () => {
        entry.left = 0
      }
    },
    closeWatches: () => watches.forEach((each) => each.end()),
    compact: () => {
      state.pages.clear()
      state.store.compact()
    },
    bookmark: () => watches.forEach((each) => each.bookmark()),
  }
}

function tokenOf(user: string): string {
  return `token-of-${user}`
}

function usersOf({ users = [] }: MemoryApiServerOptions): Map<string, User> {
  const all: readonly TestUser[] = [{ name: 'admin', groups: ['system:masters'] }, ...users]
  return new Map(
    all.map(({ name, groups = [] }) => [
      tokenOf(name),
      { name, groups: [...groups, 'system:authenticated'], uid: `uid-of-${name}`, extra: {} },
    ]),
  )
}

function put(state: ServerState, object: JsonObject): JsonObject {
  const kind = state.kinds.named(textOf(object['apiVersion']), textOf(object['kind']))
  if (kind === undefined) throw new Error(`${textOf(object['apiVersion'])} ${textOf(object['kind'])} is not served.`)
  const namespace = kind.namespaced ? textOf(metadataOf(object)['namespace']) || 'default' : undefined
  if (namespace !== undefined) putNamespace(state, namespace)
  const before = state.store.get(kind, namespace ?? '', textOf(metadataOf(object)['name']))
  const uid = metadataOf(before ?? object)['uid'] ?? crypto.randomUUID()
  const stored = state.store.put(kind, withMetadata(object, { namespace, uid }))
  if (kind.kind === 'CustomResourceDefinition') state.kinds.define(stored)
  return stored
}

function putNamespace(state: ServerState, name: string): void {
  const kind = state.kinds.find('v1', 'namespaces') as Kind
  if (state.store.get(kind, '', name) !== undefined) return
  const metadata = { name, uid: crypto.randomUUID(), labels: { 'kubernetes.io/metadata.name': name } }
  const rest = { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }
  state.store.put(kind, { apiVersion: 'v1', kind: 'Namespace', metadata, ...rest })
}

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The machine gave no port.')
  return address.port
}

async function serve(session: Session, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const body = await textIn(incoming)
    const url = new URL(incoming.url ?? '/', 'http://memory')
    const method = incoming.method ?? 'GET'
    session.requests.push(`${method} ${url.pathname}`)
    const user = identify(session, incoming)
    if ('status' in user) return send(response, user)
    const fault = take(session, { method, path: url.pathname, query: url.searchParams, user: user.name })
    await pause((session.options.latencyMs ?? 0) + (fault?.delayMs ?? 0))
    if (fault?.cut === 'before') return void response.destroy()
    if (fault?.answer !== undefined) return send(response, fault.answer)
    if (body === undefined) return send(response, { status: 413, body: 'Request entity too large: limit is 3145728' })
    answer(session, toIncoming(session, incoming, url, body, user), response, fault)
  } catch (thrown) {
    // A mistake of ours must not look like an answer of a server.
    response.destroy(thrown instanceof Error ? thrown : undefined)
    throw thrown
  }
}

const MAX_BODY = 3_145_728

/** `undefined` for a body that is too large. */
async function textIn(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming) {
    size += (chunk as Buffer).length
    if (size <= MAX_BODY) chunks.push(chunk as Buffer)
  }
  return size > MAX_BODY ? undefined : Buffer.concat(chunks).toString('utf8')
}

function identify({ users, state }: Session, { headers, headersDistinct }: IncomingMessage): User | Answer {
  const user = users.get((headers.authorization ?? '').replace(/^Bearer /, ''))
  if (user === undefined) return status(401, 'Unauthorized', 'Unauthorized')
  const name = headers['impersonate-user']
  if (typeof name !== 'string') return user
  if (
    !mayDo(user, { verb: 'impersonate', group: '', resource: 'users', namespace: '', name }, state.kinds, state.store)
  ) {
    const why = `User "${user.name}" cannot impersonate resource "users" in API group "" at the cluster scope`
    return (
      answerOf(forbidden({ group: '', resource: 'users', kind: 'User', name }, why)) ?? status(403, 'Forbidden', why)
    )
  }
  const extra = Object.entries(headersDistinct)
    .filter(([header]) => header.startsWith('impersonate-extra-'))
    .map(([header, values]) => [decodeURIComponent(header.slice('impersonate-extra-'.length)), values ?? []] as const)
  const groups = [...(headersDistinct['impersonate-group'] ?? []), 'system:authenticated']
  const uid = headers['impersonate-uid']
  return { name, groups, uid: typeof uid === 'string' ? uid : '', extra: Object.fromEntries(extra) }
}

function take({ faults }: Session, request: FaultyRequest): ServerFault | undefined {
  const found = faults.find(({ fault, left }) => left > 0 && (fault.when?.(request) ?? true))
  if (found !== undefined) found.left--
  return found?.fault
}

function pause(delayMs: number): Promise<void> | undefined {
  return delayMs <= 0 ? undefined : new Promise((resolve) => setTimeout(resolve, delayMs))
}

function toIncoming({ options }: Session, incoming: IncomingMessage, url: URL, body: string, user: User): Incoming {
  const { headers, method = 'GET' } = incoming
  const agent = (headers['user-agent'] ?? 'unknown').split('/')[0] ?? 'unknown'
  return {
    method,
    path: url.pathname,
    query: url.searchParams,
    accept: options.aggregatesDiscovery === false ? 'application/json' : (headers.accept ?? ''),
    contentType: headers['content-type'] ?? 'application/json',
    body,
    user,
    agent,
  }
}

function answer(session: Session, incoming: Incoming, response: ServerResponse, fault: ServerFault | undefined): void {
  const routed = route(session.state, incoming)
  if ('watch' in routed) return openWatch(session, routed.watch, response, fault)
  if (fault?.cut === 'after') return void response.destroy()
  if (fault?.cut === 'middle') return cutAnswer(routed.answer, response)
  send(response, routed.answer)
}

function send(response: ServerResponse, { status: code, body, headers = {} }: Answer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json'
  response.writeHead(code, { 'Content-Type': type, 'Audit-Id': crypto.randomUUID(), ...headers })
  response.end(text)
}

function cutAnswer({ status: code, body }: Answer, response: ServerResponse): void {
  const text = JSON.stringify(body as Json)
  response.writeHead(code, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
  response.write(text.slice(0, text.length / 2), () => response.destroy())
}

function openWatch(session: Session, request: Request, response: ServerResponse, fault: ServerFault | undefined): void {
  if (session.options.streamsLists === false && request.query.get('sendInitialEvents') === 'true')
    return send(
      response,
      status(
        422,
        'Invalid',
        'ListOptions.meta.k8s.io "" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
      ),
    )
  const end = (): void => void response.end()
  const write = (line: string): void => {
    if (fault?.cut !== 'middle' || line.includes('"BOOKMARK"')) return void response.write(line)
    response.write(line.slice(0, line.length / 2), () => response.destroy())
  }
  response.on('error', () => {})
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.flushHeaders()
  const watching = { ...watch(session.state, request, { write, end }), end }
  session.watches.add(watching)
  const seconds = Number(request.query.get('timeoutSeconds') ?? 1800)
  const timer = setTimeout(end, seconds * 1000)
  timer.unref()
  response.on('close', () => {
    clearTimeout(timer)
    watching.stop()
    session.watches.delete(watching)
  })
}

function kubeConfigOf(server: string, ca: string | undefined): string {
  const trust = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'memory', cluster: { server, ...trust } }],
    users: [{ name: 'admin', user: { token: tokenOf('admin') } }],
    contexts: [{ name: 'memory', context: { cluster: 'memory', user: 'admin' } }],
    'current-context': 'memory',
  })
}
