import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Agent } from 'node:http'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { type Call, abortError, throwIfAborted } from '../../../runtime/call.ts'
import type { Timer } from '../../../runtime/clock.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import type { GitTimeouts } from './transport.ts'

/** One request to an HTTP server. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** The most bytes that are read of the answer. */
  readonly maxBytes: number
}

/** The answer: its head at once, its body as it comes. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Must be read to the end or left by `return`, which gives the connection up. */
  readonly body: AsyncIterable<Buffer>
}

/**
 * Sends `request` and resolves with the head of the answer. Rejects with `DEADLINE_EXCEEDED` or
 * `SOURCE_UNREACHABLE`; ends as soon as the call is aborted. Follows no redirect.
 */
export async function send(request: HttpRequest, agent: Agent, timeouts: GitTimeouts, call: Call): Promise<HttpAnswer> {
  throwIfAborted(call)
  const sender = request.url.protocol === 'https:' ? requestHttps : requestHttp
  const message = sender(request.url, { agent, method: request.method, headers: headersOf(request) })
  const watch = watchRequest(message, request.url, timeouts, call)
  try {
    const answer = await headOf(message, request)
    watch.heard()
    return { status: answer.statusCode ?? 0, headers: flatHeaders(answer), body: bodyOf(answer, request, watch) }
  } catch (error) {
    watch.end()
    if (wasClosedWhileIdle(message, error, request)) return send(request, agent, timeouts, call)
    throw translate(watch.failure() ?? error, request.url, call)
  }
}

/** The server closed a kept-alive connection just as it was used again. A read can be sent anew at once. */
function wasClosedWhileIdle(message: ClientRequest, error: unknown, { url }: HttpRequest): boolean {
  return message.reusedSocket && codeOf(error) === 'ECONNRESET' && !url.pathname.endsWith('/git-receive-pack')
}

function headersOf(request: HttpRequest): Record<string, string> {
  return request.body === undefined
    ? { ...request.headers }
    : { ...request.headers, 'Content-Length': String(request.body.byteLength) }
}

function headOf(message: ClientRequest, request: HttpRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    message.once('response', resolve)
    message.on('error', reject)
    message.end(request.body)
  })
}

function flatHeaders(answer: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
  )
}

/** The deadlines of one request, and the abort of its call. */
interface Watch {
  heard(): void
  end(): void
  /** Why the request was given up, when it was. */
  failure(): GitOpsError | undefined
  readonly call: Call
}

/** When something has to have happened. */
interface Deadline {
  readonly endsAtMs: number
  readonly afterMs: number
  readonly activity: string
}

/** One timer serves all deadlines of a request: most answers are there long before the first, and nothing is set anew. */
function watchRequest(message: ClientRequest, url: URL, timeouts: GitTimeouts, call: Call): Watch {
  const { clock, signal } = call
  let failure: GitOpsError | undefined
  let timer: Timer | undefined
  let ringsAtMs = Number.POSITIVE_INFINITY
  const within = (afterMs: number, activity: string): Deadline => ({
    endsAtMs: clock.monotonic() + afterMs,
    afterMs,
    activity,
  })
  const total = within(timeouts.totalMs, 'send its whole answer')
  let current = within(timeouts.connectMs, 'accept the connection')
  const giveUp = (error: GitOpsError): void => {
    failure ??= error
    message.destroy(error)
  }
  const arm = (): void => {
    const endsAtMs = Math.min(current.endsAtMs, total.endsAtMs)
    if (ringsAtMs <= endsAtMs) return
    timer?.cancel()
    ringsAtMs = endsAtMs
    timer = clock.setTimer(endsAtMs - clock.monotonic(), ring)
  }
  const ring = (): void => {
    ringsAtMs = Number.POSITIVE_INFINITY
    const nowMs = clock.monotonic()
    const missed = [total, current].find(({ endsAtMs }) => endsAtMs <= nowMs)
    if (missed === undefined) arm()
    else giveUp(tooSlow(url, missed))
  }
  const next = (afterMs: number, activity: string): void => {
    current = within(afterMs, activity)
    arm()
  }
  const onAbort = (): void => giveUp(abortError(signal))
  signal.addEventListener('abort', onAbort, { once: true })
  arm()
  onConnected(message, () => next(timeouts.firstByteMs, 'begin its answer'))
  return {
    call,
    failure: () => failure,
    heard: () => next(timeouts.silenceMs, 'go on with its answer'),
    end: () => {
      timer?.cancel()
      signal.removeEventListener('abort', onAbort)
    },
  }
}

function tooSlow(url: URL, { afterMs, activity }: Deadline): GitOpsError {
  const text = `${url.host} took longer than ${afterMs} ms to ${activity}.`
  return new GitOpsError('DEADLINE_EXCEEDED', text, { details: { host: url.host, afterMs } })
}

function onConnected(message: ClientRequest, run: () => void): void {
  message.once('socket', (socket: Socket) => {
    if (message.reusedSocket || isConnected(socket)) return run()
    socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', run)
  })
}

/** A request that waited for a connection gets one that others used, and a tunnel is one before it is asked for. */
function isConnected(socket: Socket): boolean {
  return !socket.connecting && (!(socket instanceof TLSSocket) || socket.authorized)
}

async function* bodyOf(answer: IncomingMessage, request: HttpRequest, watch: Watch): AsyncGenerator<Buffer, void> {
  let received = 0
  let failed = true
  try {
    for await (const chunk of answer.iterator({ destroyOnReturn: false })) {
      if (!Buffer.isBuffer(chunk)) continue
      watch.heard()
      received += chunk.length
      if (received > request.maxBytes) throw tooLarge(request)
      failed = false
      yield chunk
      failed = true
    }
    failed = false
  } catch (error) {
    throw translate(watch.failure() ?? error, request.url, watch.call)
  } finally {
    watch.end()
    if (failed) answer.destroy()
    else if (!answer.readableEnded) finishBeside(answer, watch.call)
  }
}

/** What may come behind the part that a reader wanted, and how long it may take. */
const MAX_REST_BYTES = 65_536
const MAX_REST_MS = 5_000

/**
 * Git says that it has finished before it ends, a moment later. The reader goes on at once; the end is waited for beside
 * it, because only then can the connection be used again. Also an end that came is told only to who reads that far.
 */
function finishBeside(answer: IncomingMessage, { clock }: Call): void {
  let restBytes = 0
  const timer = clock.setTimer(MAX_REST_MS, () => answer.destroy())
  timer.detach?.()
  answer.once('close', () => timer.cancel())
  // The reader has all it wanted: that the rest did not come is nobody's failure, it only costs the connection.
  answer.on('error', () => {})
  answer.on('data', (chunk: Buffer) => {
    restBytes += chunk.length
    if (restBytes > MAX_REST_BYTES) answer.destroy()
  })
}

function tooLarge({ url, maxBytes }: HttpRequest): GitOpsError {
  return new GitOpsError('SOURCE_LIMIT', `The answer of ${url.host} exceeds limits.maxPackBytes (${maxBytes}).`, {
    details: { limit: 'maxPackBytes', allowed: maxBytes },
  })
}

function translate(error: unknown, url: URL, call: Call): GitOpsError {
  if (error instanceof GitOpsError) return error
  if (call.signal.aborted) return abortError(call.signal)
  const code = codeOf(error)
  const text = `${url.host} could not be reached${code === undefined ? '' : ` (${code})`}.`
  return new GitOpsError('SOURCE_UNREACHABLE', text, {
    cause: error,
    details: { host: url.host, ...(code === undefined ? {} : { code }) },
  })
}

/** The machine-readable code of a network error: `ECONNREFUSED`. */
function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
