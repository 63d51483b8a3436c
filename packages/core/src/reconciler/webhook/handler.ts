import { type Call, createCall } from '../../runtime/call.ts'
import type { Clock } from '../../runtime/clock.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { type Logger, structuredLog } from '../../runtime/log.ts'
import { sha256Hex } from '../../runtime/sha256.ts'
import { type BodyLimits, readBody } from './body.ts'
import { type Coalescer, createCoalescer } from './coalesce.ts'
import { repositoryKey } from './payload.ts'
import type { WebhookProvider } from './provider.ts'
import { type ReplayMemory, createReplayMemory } from './replay.ts'

/** What a webhook handler listens to and what it sets off. */
export interface WebhookOptions {
  /** What is told. A webhook is a hint that never carries data: it has the source asked sooner, nothing else. */
  readonly reconciler: { trigger(application: string): void }
  /** Who may send. */
  readonly providers: readonly WebhookProvider[]
  /** The applications to look at, by address of their repository (`https://…` or `git@…`). */
  readonly repositories: Readonly<Record<string, readonly string[]>>
  /** @defaultValue those of `webhookLimits` */
  readonly limits?: Partial<WebhookLimits>
  /** @defaultValue the clock of the machine */
  readonly clock?: Clock
  /** @defaultValue silent */
  readonly log?: Logger
}

/** How much a sender may ask for. */
export interface WebhookLimits {
  /** @defaultValue 1_048_576 */
  readonly maxBytes: number
  /** For a whole body. @defaultValue 10_000 */
  readonly timeMs: number
  /** Requests whose bodies are read at the same time; more are asked to come back. @defaultValue 32 */
  readonly maxConcurrent: number
  /** Repeated deliveries within this time, and deliveries that say they are older, are dropped. @defaultValue 3_600_000 */
  readonly windowMs: number
  /** An application is triggered again only after this time. @defaultValue 2_000 */
  readonly spacingMs: number
  /** All applications together. @defaultValue 50 */
  readonly perSecond: number
}

/** The limits where none are given. */
export const webhookLimits: WebhookLimits = {
  maxBytes: 1_048_576,
  timeMs: 10_000,
  maxConcurrent: 32,
  windowMs: 3_600_000,
  spacingMs: 2_000,
  perSecond: 50,
}

const REPLAY_CAPACITY = 20_000

/** A standard request handler. Never rejects. */
export type WebhookHandler = (request: Request) => Promise<Response>

/**
 * Receives webhooks and has the sources they name asked sooner.
 *
 * Answers 202 to everything that is properly signed and readable, whether the repository is known or
 * not; 401 to everything that is not signed by a configured provider. The request must arrive with
 * its raw body: mount it before any body parser. Throws `CONFIG_INVALID` for options that cannot be meant.
 */
export function createWebhookHandler(options: WebhookOptions): WebhookHandler {
  const limits = { ...webhookLimits, ...options.limits }
  const call = createCall({
    ...(options.clock === undefined ? {} : { clock: options.clock }),
    ...(options.log === undefined ? {} : { log: structuredLog(options.log) }),
  })
  const desk: Desk = {
    call,
    limits,
    providers: options.providers,
    applications: indexRepositories(options.repositories),
    replays: createReplayMemory(call.clock, limits.windowMs, REPLAY_CAPACITY),
    coalescer: createCoalescer(call.clock, limits, (name) => trigger(options, name, call)),
  }
  let reading = 0
  return async (request) => {
    if (reading >= limits.maxConcurrent) return refuse(503, 'Too many requests at once.', { 'retry-after': '5' })
    reading++
    try {
      return await receive(request, desk)
    } catch (error) {
      call.log.error('A webhook could not be handled.', { error })
      return refuse(500, 'The webhook could not be handled.')
    } finally {
      reading--
    }
  }
}

interface Desk {
  readonly call: Call
  readonly limits: WebhookLimits & BodyLimits
  readonly providers: readonly WebhookProvider[]
  readonly applications: ReadonlyMap<string, readonly string[]>
  readonly replays: ReplayMemory
  readonly coalescer: Coalescer
}

function indexRepositories(repositories: WebhookOptions['repositories']): Desk['applications'] {
  const applications = new Map<string, readonly string[]>()
  for (const [address, names] of Object.entries(repositories)) {
    const key = repositoryKey(address)
    if (key === undefined)
      throw new GitOpsError('CONFIG_INVALID', `repositories: ${JSON.stringify(address)} is no address of a repository.`)
    applications.set(key, [...new Set([...(applications.get(key) ?? []), ...names])])
  }
  return applications
}

function trigger({ reconciler }: WebhookOptions, application: string, call: Call): void {
  try {
    reconciler.trigger(application)
  } catch (error) {
    // Removed meanwhile: the sender has nothing to do with that.
    call.log.warn(`The webhook of ${application} had no effect.`, { error })
  }
}

/** Cheapest check first: nothing is read before somebody known claims it, nothing parsed before it is proved. */
async function receive(request: Request, desk: Desk): Promise<Response> {
  if (request.method !== 'POST') return refuse(405, 'Send a POST request.', { allow: 'POST' })
  const claiming = desk.providers.filter((provider) => provider.claims(request.headers))
  if (claiming.length === 0) return unauthorized(desk, 'no configured provider')
  if (!/^(identity)?$/i.test(request.headers.get('content-encoding') ?? ''))
    return refuse(415, 'Send the body uncompressed.')
  const body = await readBody(request, desk.limits, desk.call)
  if (typeof body === 'number') return refuse(body, 'The body is too large or too slow.')
  for (const provider of claiming)
    if (await provider.verify(request.headers, body)) return handleVerified(provider, request.headers, body, desk)
  return unauthorized(desk, claiming.map(({ name }) => name).join(' or '))
}

function handleVerified(provider: WebhookProvider, headers: Headers, body: Uint8Array, desk: Desk): Response {
  const payload = parse(body)
  if (payload === undefined) return refuse(400, 'The body is not a JSON object.')
  const repositories = provider.repositories(headers, payload)
  if (repositories === undefined) return accepted()
  const keys = repositories.map(repositoryKey).filter((key) => key !== undefined)
  if (keys.length === 0) return refuse(400, 'The body names no repository.')
  if (isStale(provider, headers, payload, desk)) return refuse(400, 'The delivery is too old.')
  if (desk.replays.isReplay(deliveryKeys(provider, headers, body))) return accepted()
  const names = new Set(keys.flatMap((key) => desk.applications.get(key) ?? []))
  for (const name of names) desk.coalescer.request(name)
  return accepted()
}

function parse(body: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    // Not JSON, or not UTF-8: the caller answers 400.
    return undefined
  }
}

function isStale(provider: WebhookProvider, headers: Headers, payload: unknown, { call, limits }: Desk): boolean {
  const sentAt = provider.sentAt(headers, payload)
  return sentAt !== undefined && Math.abs(call.clock.now() - sentAt) > limits.windowMs
}

/** The id stands in a header that is not signed, so that the body counts as well. */
function deliveryKeys(provider: WebhookProvider, headers: Headers, body: Uint8Array): readonly string[] {
  const id = provider.deliveryId(headers)?.slice(0, 200)
  const digest = `${provider.name} body ${sha256Hex(body)}`
  return id === undefined ? [digest] : [digest, `${provider.name} id ${id}`]
}

function unauthorized({ call }: Desk, who: string): Response {
  call.log.debug('A webhook was refused: it is not signed as it should be.', { provider: who })
  return refuse(401, 'Not signed by a sender that is known here.')
}

function accepted(): Response {
  return new Response(null, { status: 202 })
}

function refuse(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json({ code: 'WEBHOOK_REJECTED', message }, { status, headers })
}
