import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import { abortError, type Call, GitOpsError, type Json, type JsonObject, throwIfAborted } from '@gitops-sdk/core'
import { errorFor } from './errors.ts'
import { collect, exchange } from './exchange.ts'
import { isObject } from './json.ts'
import { linesOf } from './lines.ts'
import { throughProxy } from './proxy.ts'
import type { KubeAnswer, KubeClient, KubeRequest } from './port.ts'

/** Where an API server is and how it is spoken to. */
export interface HttpClientOptions {
  /** Address of the server, such as `https://10.0.0.1:6443`. */
  readonly server: string
  /** PEM of the authorities that are trusted. @defaultValue those of Node */
  readonly ca?: string | Uint8Array
  /** PEM of a client certificate, and its key. */
  readonly cert?: string | Uint8Array
  readonly key?: string | Uint8Array
  /** The name in the certificate of the server, where it is not the host of the address. */
  readonly serverName?: string
  /** Address of a proxy, such as `http://proxy:3128`; connections are tunnels through it. @defaultValue none */
  readonly proxy?: string
  /** Trusts any certificate. @defaultValue false */
  readonly insecureSkipVerify?: boolean
  /** A bearer token, asked for before every request. `renew` is true after the server refused the last one. */
  readonly token?: (renew: boolean, call: Call) => Promise<string | undefined>
  readonly impersonate?: Impersonation
  /** Becomes the name of who changed a field, for writes that are no apply. @defaultValue 'gitops-sdk' */
  readonly userAgent?: string
  /** @defaultValue 30_000 */
  readonly timeoutMs?: number
  /** Connections for requests; every watch has one of its own. @defaultValue 32 */
  readonly maxConnections?: number
}

/** On whose behalf requests are made. The identity of the client needs the right to impersonate. */
export interface Impersonation {
  readonly user: string
  readonly groups?: readonly string[]
  readonly uid?: string
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** A client over `node:https` that keeps its connections. Watches never wait for a free one. */
export function httpClient(options: HttpClientOptions): KubeClient {
  const { server, impersonate, timeoutMs = 30_000 } = options
  // An empty name would make the request with the rights of the client itself.
  if (impersonate !== undefined && impersonate.user.trim() === '')
    throw new GitOpsError('CONFIG_INVALID', 'impersonate.user is empty. Name the user, or leave impersonate out.')
  const connection = connect(options)
  const send = async (request: KubeRequest, call: Call, renew = false): Promise<KubeAnswer> => {
    throwIfAborted(call)
    const activity = `${request.method} ${request.path}`
    const broken = (cause: unknown): GitOpsError => brokenConnection(server, cause, call)
    const begin = (): Promise<ClientRequest> => connection.begin(request, 'request', renew, call)
    const { response, text } = await exchange(begin, { activity, timeoutMs, broken }, call)
    if (response.statusCode === 401 && !renew && options.token !== undefined) return send(request, call, true)
    return answer(request, response, text)
  }
  return {
    id: `${server}${impersonate === undefined ? '' : ` as ${impersonate.user}`}`,
    send,
    async *stream(request, call, opened) {
      const response = await responseTo(await connection.begin(request, 'stream', false, call), server, call)
      const status = response.statusCode ?? 0
      if (status >= 300) answer(request, response, await read(response, call))
      opened?.()
      yield* objectsOf(response, call)
    },
    async [Symbol.asyncDispose]() {
      connection.close()
    },
  }
}

interface Connection {
  begin(request: KubeRequest, use: 'request' | 'stream', renew: boolean, call: Call): Promise<ClientRequest>
  close(): void
}

function connect(options: HttpClientOptions): Connection {
  const base = new URL(options.server)
  const secure = base.protocol === 'https:'
  const tls = tlsOf(options)
  const agentOf = (maxSockets: number): HttpAgent | HttpsAgent => {
    const settings = { keepAlive: true, maxSockets }
    const agent = secure ? new HttpsAgent({ ...settings, ...tls }) : new HttpAgent(settings)
    return options.proxy === undefined ? agent : throughProxy(agent, options.proxy, secure)
  }
  const agents = { request: agentOf(options.maxConnections ?? 32), stream: agentOf(Infinity) }
  const start = secure ? httpsRequest : httpRequest
  const prefix = base.pathname.replace(/\/$/, '')
  // Options and not a URL for each request: making and taking apart one costs as much as the request.
  const place = { hostname: base.hostname.replace(/^\[|\]$/g, ''), ...(base.port !== '' && { port: base.port }) }
  const always = headersAlways(options)
  const begin: Connection['begin'] = async (request, use, renew, call) => {
    const token = await options.token?.(renew, call)
    throwIfAborted(call)
    // Text and not bytes: Node then writes the head and the body as one.
    const body = request.body === undefined ? undefined : JSON.stringify(request.body)
    const headers = {
      ...always,
      Accept: request.accept ?? 'application/json',
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(body !== undefined && {
        'Content-Type': request.contentType ?? 'application/json',
        'Content-Length': String(Buffer.byteLength(body)),
      }),
    }
    const path = `${prefix}${request.path}${queryOf(request)}`
    const outgoing = start({ ...place, path, method: request.method, headers, agent: agents[use] })
    outgoing.end(body)
    return outgoing
  }
  return { begin, close: () => Object.values(agents).forEach((agent) => agent.destroy()) }
}

/** The beginning of the answer. An aborted call ends the request, and later the answer. */
function responseTo(outgoing: ClientRequest, server: string, call: Call): Promise<IncomingMessage> {
  // Not the option `signal`: it listens for every way a stream can end, which costs more than the rest.
  const onAbort = (): void => void outgoing.destroy(abortError(call.signal))
  call.signal.addEventListener('abort', onAbort, { once: true })
  outgoing.once('close', () => call.signal.removeEventListener('abort', onAbort))
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve)
    // One after the response has begun belongs to the response.
    outgoing.on('error', (cause) => reject(brokenConnection(server, cause, call)))
  })
}

function tlsOf({ ca, cert, key, serverName, insecureSkipVerify }: HttpClientOptions): SecureContextOptions {
  const pem = (value: string | Uint8Array): string | Buffer => (typeof value === 'string' ? value : Buffer.from(value))
  return {
    ...(ca !== undefined && { ca: pem(ca) }),
    ...(cert !== undefined && { cert: pem(cert) }),
    ...(key !== undefined && { key: pem(key) }),
    ...(serverName !== undefined && { servername: serverName }),
    ...(insecureSkipVerify === true && { rejectUnauthorized: false }),
  }
}

function queryOf({ query }: KubeRequest): string {
  let text = ''
  for (const name in query) text += `${text === '' ? '?' : '&'}${name}=${encodeURIComponent(query[name] ?? '')}`
  return text
}

/** What every request carries. */
function headersAlways({ impersonate, userAgent }: HttpClientOptions): Record<string, string | string[]> {
  const extra = Object.entries(impersonate?.extra ?? {}).map(
    ([name, values]) => [`Impersonate-Extra-${encodeURIComponent(name)}`, [...values]] as const,
  )
  return {
    'User-Agent': userAgent ?? 'gitops-sdk',
    ...(impersonate && { 'Impersonate-User': impersonate.user }),
    ...(impersonate?.groups && { 'Impersonate-Group': [...impersonate.groups] }),
    ...(impersonate?.uid && { 'Impersonate-Uid': impersonate.uid }),
    ...Object.fromEntries(extra),
  }
}

async function read(response: IncomingMessage, call: Call): Promise<string> {
  try {
    return await new Promise<string>((resolve, reject) => collect(response, resolve, reject))
  } catch (cause) {
    throw brokenConnection('The API server', cause, call)
  }
}

async function* objectsOf(response: IncomingMessage, call: Call): AsyncIterable<JsonObject> {
  try {
    for await (const line of linesOf(response)) yield parseObject(line)
  } catch (cause) {
    throw brokenConnection('The API server', cause, call)
  } finally {
    response.destroy()
  }
}

function answer({ method, path }: KubeRequest, response: IncomingMessage, text: string): KubeAnswer {
  const status = response.statusCode ?? 0
  const what = `${method} ${path}`
  const isJson = (response.headers['content-type'] ?? '').includes('json')
  if (status >= 200 && status < 300)
    return { status, body: isJson ? parseAnswer(text, what) : { text }, warnings: warningsOf(response) }
  const body = isJson ? parseAnswer(text, what) : text
  const retryAfter = Number(response.headers['retry-after'])
  const auditId = response.headers['audit-id']
  throw errorFor({
    method,
    path,
    status,
    body,
    ...(Number.isFinite(retryAfter) && { retryAfterMs: retryAfter * 1000 }),
    ...(typeof auditId === 'string' && { auditId }),
  })
}

function parseAnswer(text: string, what: string): JsonObject {
  try {
    return parseObject(text)
  } catch (cause) {
    const message = `The answer to ${what} is no JSON object: something stands between us and the API server, or it was cut off.`
    throw new GitOpsError('TARGET_UNREACHABLE', message, { cause })
  }
}

function parseObject(text: string): JsonObject {
  const value = JSON.parse(text) as Json
  if (!isObject(value)) throw new TypeError('The answer is no object.')
  return value
}

function warningsOf({ headers }: IncomingMessage): string[] {
  const raw = headers['warning']
  return raw === undefined
    ? []
    : [...raw.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]!.replace(/\\(.)/g, '$1'))
}

function brokenConnection(server: string, cause: unknown, call: Call): GitOpsError {
  if (call.signal.aborted) return abortError(call.signal)
  if (cause instanceof GitOpsError) return cause
  const reason = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : String(cause)
  return new GitOpsError('TARGET_UNREACHABLE', `${server} could not be reached, or the connection broke: ${reason}.`, {
    cause,
  })
}
