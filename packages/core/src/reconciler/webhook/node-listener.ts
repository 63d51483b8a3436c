import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { WebhookHandler } from './handler.ts'

/** A request listener of `node:http`. Frameworks that are built on it take it as well. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => void

/**
 * Serves `handler` from `node:http`, Express, Fastify (`request.raw`, `reply.raw`) and the like. The
 * body must not have been read yet, unless a parser left the raw bytes in `request.body`.
 */
export function toNodeListener(handler: WebhookHandler): NodeListener {
  return (request, response) => {
    answer(handler, request, response).catch(() => response.destroy())
  }
}

async function answer(handler: WebhookHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, headers, body } = await handler(toRequest(request))
  // What is left of a refused body is not waited for: the connection ends with the answer.
  const isDone = request.complete
  response.writeHead(status, { ...Object.fromEntries(headers), ...(isDone ? {} : { connection: 'close' }) })
  response.end(body === null ? undefined : Buffer.from(await new Response(body).arrayBuffer()))
  if (!isDone) response.once('finish', () => request.destroy())
}

function toRequest(request: IncomingMessage): Request {
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers))
    for (const one of [value ?? []].flat()) headers.append(name, one)
  const method = request.method ?? 'GET'
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const body = hasBody ? { body: bodyOf(request), duplex: 'half' as const } : {}
  return new Request('http://webhook.invalid/', { method, headers, ...body })
}

function bodyOf(request: IncomingMessage): ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> {
  const raw: unknown = 'body' in request ? request.body : undefined
  if (raw instanceof Uint8Array) return new Uint8Array(raw)
  // The two declarations of the same class, of Node and of the web, do not know each other.
  return Readable.toWeb(request) as ReadableStream<Uint8Array>
}
