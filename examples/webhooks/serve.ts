import { createServer } from 'node:http'
import type { WebhookHandler } from '@gitops-sdk/core'
import { toNodeListener } from '@gitops-sdk/core/node'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'

/** A server that listens on this machine only. */
export interface Serving {
  readonly port: number
  close(): Promise<void>
}

/** Plain `node:http`. */
export function serveWithNode(handler: WebhookHandler): Promise<Serving> {
  return listen(createServer(toNodeListener(handler)))
}

/** Express: mounted before any body parser. */
export function serveWithExpress(handler: WebhookHandler): Promise<Serving> {
  const app = express()
  app.post('/hooks', toNodeListener(handler))
  app.use(express.json())
  return listen(createServer(app))
}

/** Fastify: a scope without body parsers, and the raw request and reply. */
export async function serveWithFastify(handler: WebhookHandler): Promise<Serving> {
  const app = fastify()
  const listener = toNodeListener(handler)
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    scope.post('/hooks', (request, reply) => {
      reply.hijack()
      listener(request.raw, reply.raw)
    })
  })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  return { port: Number(new URL(address).port), close: () => app.close() }
}

/** Hono speaks `Request` and `Response` itself. */
export function serveWithHono(handler: WebhookHandler): Promise<Serving> {
  const app = new Hono().post('/hooks', (context) => handler(context.req.raw))
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) =>
      resolve({ port, close: () => new Promise((done) => void server.close(() => done())) }),
    )
  })
}

function listen(server: ReturnType<typeof createServer>): Promise<Serving> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      resolve({ port, close: () => new Promise((done) => void server.close(() => done())) })
    })
  })
}
