import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import { gunzipSync } from 'node:zlib'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { gitEnvironment } from './git-command.ts'
import { type ServedRepository, createServedRepository } from './served-repository.ts'

/** A Git server on this machine: the real `git http-backend` behind smart HTTP, which can be made to fail. */
export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly url: string
  /** Where the repositories are on disk. */
  readonly folder: string
  /** Every request so far. */
  readonly requests: readonly ServedRequest[]
  /** Connections that were opened so far. */
  readonly connections: number
  createRepository(name: string, options?: { readonly objectFormat?: 'sha1' | 'sha256' }): Promise<ServedRepository>
  /** Resolves when no answer is on its way any more. */
  idle(): Promise<void>
  /** Decides what happens to each request from now on; `undefined` serves it well. */
  fail(fault: FaultRule | undefined): void
  close(): Promise<void>
}

/** One request as the server saw it. */
export interface ServedRequest {
  readonly method: string
  readonly path: string
  readonly service: string
  readonly headers: IncomingMessage['headers']
  /** The body that was sent. */
  readonly body: Buffer
  /** Bytes of the body of the answer so far. */
  sentBytes: number
}

/** Chooses a fault for a request, or none. */
export type FaultRule = (request: ServedRequest) => Fault | undefined

/** What goes wrong with one request. */
export type Fault =
  /** Answers with this status and nothing of git. */
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: string
    }
  /** Sends the first `afterBytes` of the body and ends as if that were all. */
  | { readonly kind: 'truncate'; readonly afterBytes: number }
  /** Changes one bit of the byte at this position of the body. */
  | { readonly kind: 'flip'; readonly atByte: number }
  /** Sends the first `afterBytes` and breaks the connection. */
  | { readonly kind: 'reset'; readonly afterBytes: number }
  /** Sends the first `afterBytes` and then nothing more, until the client leaves. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  /** Serves the request well, but later. */
  | { readonly kind: 'delay'; readonly until: Promise<void> }
  /** Sends what this makes of the whole body. */
  | { readonly kind: 'rewrite'; readonly rewrite: (body: Buffer) => Buffer }

/** What a server is started with. */
export interface GitServerOptions {
  /** Refuses everyone who does not send this `Authorization` header, or one that passes. */
  readonly authorize?: string | ((authorization: string | undefined) => boolean)
  /** Highest protocol version the server speaks. @defaultValue 2 */
  readonly protocol?: 0 | 1 | 2
  /**
   * `http-backend`, as a web server runs it, or `upload-pack` without the detour, which starts one
   * process less for each request. @defaultValue `http-backend`
   */
  readonly backend?: 'http-backend' | 'upload-pack'
}

/** Starts a server on a free port of the loopback interface. Needs the git of this machine. */
export async function startGitServer(options: GitServerOptions = {}): Promise<GitServer> {
  const folder = await mkdtemp(join(tmpdir(), 'gitops-sdk-git-'))
  const requests: ServedRequest[] = []
  let rule: FaultRule | undefined
  const answers = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    const answer = new Promise<void>((resolve) => response.once('close', resolve)).then(
      () => void answers.delete(answer),
    )
    answers.add(answer)
    serve(request, response, { folder, options, requests, fault: (served) => rule?.(served) }).catch(() =>
      response.destroy(),
    )
  })
  // A client that takes its time between two requests keeps its connection: tests count them.
  server.keepAliveTimeout = 60_000
  let connections = 0
  server.on('connection', () => connections++)
  const url = `http://127.0.0.1:${await listen(server)}`
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await rm(folder, { recursive: true, force: true })
  }
  return {
    url,
    folder,
    requests,
    get connections() {
      return connections
    },
    createRepository: (name, { objectFormat } = {}) =>
      createServedRepository(join(folder, `${name}.git`), name, `${url}/${name}.git`, objectFormat),
    idle: async () => void (await Promise.all(answers)),
    fail: (next) => (rule = next),
    close,
    [Symbol.asyncDispose]: close,
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}

interface Serving {
  readonly folder: string
  readonly options: GitServerOptions
  readonly requests: ServedRequest[]
  readonly fault: FaultRule
}

async function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const served = await readRequest(request)
  serving.requests.push(served)
  const fault = serving.fault(served)
  if (fault?.kind === 'status') return void response.writeHead(fault.status, fault.headers).end(fault.body ?? '')
  if (fault?.kind === 'delay') await fault.until
  if (!isAuthorized(served, serving.options))
    return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end()
  if (serving.options.backend === 'upload-pack') await runService(served, response, serving, fault)
  else await runBackend(served, response, serving, fault)
}

async function readRequest(request: IncomingMessage): Promise<ServedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  const path = request.url ?? '/'
  const service = /git-(?:upload|receive)-pack/.exec(path)?.[0] ?? ''
  return {
    method: request.method ?? 'GET',
    path,
    service,
    headers: request.headers,
    body: request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes,
    sentBytes: 0,
  }
}

function isAuthorized({ headers }: ServedRequest, { authorize }: GitServerOptions): boolean {
  if (authorize === undefined) return true
  return typeof authorize === 'string' ? headers.authorization === authorize : authorize(headers.authorization)
}

/** Runs `git http-backend` as a web server would: a CGI program. */
async function runBackend(
  served: ServedRequest,
  response: ServerResponse,
  serving: Serving,
  fault: Fault | undefined,
): Promise<void> {
  const child = spawn('git', ['http-backend'], {
    env: backendEnvironment(served, serving),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  response.on('close', () => child.kill())
  child.stdin.on('error', () => {})
  child.stdin.end(served.body)
  let head: Buffer | undefined = Buffer.alloc(0)
  const send = createFaultySender(response, fault, served)
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    if (head === undefined) {
      await send.body(chunk)
      continue
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) continue
    writeHead(response, head.toString('latin1', 0, end))
    await send.body(head.subarray(end + 4))
    head = undefined
  }
  await send.end()
}

/** Runs `git upload-pack` or `git receive-pack` itself. */
async function runService(
  served: ServedRequest,
  response: ServerResponse,
  serving: Serving,
  fault: Fault | undefined,
): Promise<void> {
  const url = new URL(served.path, 'http://localhost')
  const greeting = served.method === 'GET'
  const name = decodeURIComponent(url.pathname).replace(/\/(info\/refs|git-(upload|receive)-pack)$/, '')
  const args = [served.service.slice('git-'.length), '--stateless-rpc', ...(greeting ? ['--advertise-refs'] : []), '.']
  const cwd = join(serving.folder, name)
  if (!isInside(cwd, serving.folder) || served.service === '') return void response.writeHead(404).end()
  const child = spawn('git', args, { cwd, env: backendEnvironment(served, serving), stdio: ['pipe', 'pipe', 'ignore'] })
  child.on('error', () => response.destroy())
  response.on('close', () => child.kill())
  child.stdin.on('error', () => {})
  child.stdin.end(served.body)
  const type = `application/x-${served.service}-${greeting ? 'advertisement' : 'result'}`
  response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-cache' })
  const send = createFaultySender(response, fault, served)
  const line = `# service=${served.service}\n`
  if (greeting) await send.body(Buffer.from(`${(line.length + 4).toString(16).padStart(4, '0')}${line}0000`))
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) await send.body(chunk)
  await send.end()
}

function isInside(path: string, folder: string): boolean {
  return path.startsWith(folder + sep) && existsSync(path)
}

function writeHead(response: ServerResponse, text: string): void {
  const pairs = text
    .split('\r\n')
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const)
  const status = pairs.find(([name]) => name.toLowerCase() === 'status')?.[1]
  const headers = Object.fromEntries(pairs.filter(([name]) => name.toLowerCase() !== 'status'))
  response.writeHead(status === undefined ? 200 : Number.parseInt(status, 10), headers)
}

function backendEnvironment(served: ServedRequest, { folder, options }: Serving): Record<string, string> {
  const url = new URL(served.path, 'http://localhost')
  const wanted = /^version=(\d)$/.exec(String(served.headers['git-protocol'] ?? ''))?.[1] ?? '0'
  const protocol = Math.min(Number(wanted), options.protocol ?? 2)
  return gitEnvironment({
    GIT_PROJECT_ROOT: folder,
    GIT_HTTP_EXPORT_ALL: '1',
    REMOTE_USER: 'test',
    REMOTE_ADDR: '127.0.0.1',
    REQUEST_METHOD: served.method,
    PATH_INFO: decodeURIComponent(url.pathname),
    QUERY_STRING: url.search.slice(1),
    CONTENT_TYPE: served.headers['content-type'] ?? '',
    CONTENT_LENGTH: served.method === 'POST' ? String(served.body.length) : '',
    ...(protocol === 0 ? {} : { GIT_PROTOCOL: `version=${protocol}` }),
  })
}

/** Passes the body on, with the fault in it. */
function createFaultySender(
  response: ServerResponse,
  fault: Fault | undefined,
  served: ServedRequest,
): {
  body(chunk: Buffer): Promise<void>
  end(): Promise<void>
} {
  let sent = 0
  const held: Buffer[] = []
  const write = async (chunk: Buffer): Promise<void> => {
    served.sentBytes += chunk.length
    if (chunk.length > 0 && !response.write(chunk)) await drained(response)
  }
  const limit = fault !== undefined && 'afterBytes' in fault ? fault.afterBytes : Number.POSITIVE_INFINITY
  return {
    body: async (chunk) => {
      if (fault?.kind === 'rewrite') return void held.push(chunk)
      const start = sent
      sent += chunk.length
      const part = chunk.subarray(0, Math.max(0, limit - start))
      await write(fault?.kind === 'flip' ? flipBit(part, fault.atByte - start) : part)
    },
    end: async () => {
      if (fault?.kind === 'rewrite') await write(fault.rewrite(Buffer.concat(held)))
      if (fault?.kind === 'reset') return void response.destroy()
      if (fault?.kind !== 'stall') response.end()
    },
  }
}

function flipBit(chunk: Buffer, at: number): Buffer {
  if (at < 0 || at >= chunk.length) return chunk
  const changed = Buffer.from(chunk)
  changed[at] = (changed[at] ?? 0) ^ 1
  return changed
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}
