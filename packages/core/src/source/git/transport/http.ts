import type { Agent } from 'node:http'
import { type Call } from '../../../runtime/call.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import { type GitLimits } from '../limits.ts'
import { printable, protocolError } from '../protocol/pkt-line.ts'
import type { HttpAddress } from './address.ts'
import { type CredentialsProvider, authorization } from './credentials.ts'
import { type HttpAnswer, type HttpRequest, send } from './http-request.ts'
import type { GitTimeouts, Service, Transport } from './transport.ts'

/** What the HTTP transport needs besides an address. */
export interface HttpTransportOptions {
  readonly agent: Agent
  readonly timeouts: GitTimeouts
  readonly limits: GitLimits
  readonly credentials?: CredentialsProvider
  /** Send credentials without encryption to hosts other than this machine. */
  readonly allowPlainHttp: boolean
  /** The version of the protocol that is asked for. */
  readonly protocol: 0 | 1 | 2
}

const MAX_REDIRECTS = 3

/** Smart HTTP over kept-alive connections of its own. */
export function httpTransport(address: HttpAddress, options: HttpTransportOptions): Transport {
  const site: Site = { base: address.url, address, options }
  return {
    greet: (service, call) => greet(site, service, call),
    exchange: (service, body, call) => exchange(site, service, body, call),
    [Symbol.asyncDispose]: async () => options.agent.destroy(),
  }
}

/** Where the repository is now: a redirect of the greeting moves `base` for all that follows. */
interface Site {
  base: URL
  readonly address: HttpAddress
  readonly options: HttpTransportOptions
}

type Ask = Omit<HttpRequest, 'headers' | 'maxBytes'> & { readonly service: Service; readonly accept: string }

async function* greet(site: Site, service: Service, call: Call): AsyncGenerator<Buffer, void> {
  const suffix = `/info/refs?service=${service}`
  const accept = `application/x-${service}-advertisement`
  let url = new URL(site.base.href.replace(/\/$/, '') + suffix)
  for (let hops = 0; ; hops++) {
    const answer = await ask(site, { method: 'GET', url, service, accept }, call)
    const location = redirectOf(answer, url, hops)
    if (location === undefined) return yield* contentOf(answer, url, accept)
    await drain(answer)
    url = location
    if (url.href.endsWith(suffix)) site.base = new URL(url.href.slice(0, -suffix.length))
  }
}

async function* exchange(site: Site, service: Service, body: Buffer, call: Call): AsyncGenerator<Buffer, void> {
  const url = new URL(`${site.base.href.replace(/\/$/, '')}/${service}`)
  const accept = `application/x-${service}-result`
  const answer = await ask(site, { method: 'POST', url, service, accept, body }, call)
  if (redirectOf(answer, url, 0) !== undefined)
    throw protocolError(`${url.host} redirected a request in mid-conversation.`)
  yield* contentOf(answer, url, accept)
}

/** Sends with credentials; asks for fresh ones, once, when they are refused. */
async function ask(site: Site, request: Ask, call: Call): Promise<HttpAnswer> {
  for (const refused of [false, true]) {
    const headers = await headersFor(site, request, refused, call)
    const { agent, timeouts, limits } = site.options
    const answer = await send({ ...request, headers, maxBytes: limits.maxPackBytes }, agent, timeouts, call)
    if (answer.status !== 401 || refused || site.options.credentials === undefined) return answer
    await drain(answer)
  }
  throw new GitOpsError('INTERNAL', 'A request was neither answered nor refused.')
}

async function headersFor(site: Site, request: Ask, refused: boolean, call: Call): Promise<Record<string, string>> {
  const { service, url } = request
  const credentials = await site.options.credentials?.({ url: site.address.id, service, refused }, call)
  if (credentials !== undefined) assertPrivate(url, site.options)
  return {
    Accept: `${request.accept}, */*`,
    'Accept-Encoding': 'identity',
    'User-Agent': 'git/2.40.0 (gitops-sdk)',
    ...(site.options.protocol > 0 ? { 'Git-Protocol': `version=${site.options.protocol}` } : {}),
    ...(request.method === 'POST' ? { 'Content-Type': `application/x-${service}-request` } : {}),
    ...(credentials === undefined ? {} : { Authorization: authorization(credentials) }),
  }
}

function assertPrivate(url: URL, options: HttpTransportOptions): void {
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
  if (url.protocol === 'https:' || here || options.allowPlainHttp) return
  throw new GitOpsError(
    'CONFIG_INVALID',
    `Credentials are not sent to ${url.host} without encryption. Use https, or set \`allowPlainHttp\`.`,
  )
}

/** The place to ask next. Another origin is refused: credentials and trust belong to one origin. */
function redirectOf(answer: HttpAnswer, from: URL, hops: number): URL | undefined {
  if (![301, 302, 303, 307, 308].includes(answer.status)) return undefined
  const location = answer.headers['location']
  if (location === undefined || !URL.canParse(location, from.href))
    throw protocolError(`${from.host} redirected to nowhere.`)
  const to = new URL(location, from.href)
  if (to.origin !== from.origin || to.username !== '' || to.password !== '')
    throw new GitOpsError(
      'DESTINATION_DENIED',
      `${from.host} redirected to another origin (${to.protocol}//${to.host}). Configure that address if it is meant.`,
      { details: { from: from.origin, to: to.origin } },
    )
  if (hops >= MAX_REDIRECTS) throw protocolError(`${from.host} redirected more than ${MAX_REDIRECTS} times.`)
  return to
}

async function* contentOf(answer: HttpAnswer, url: URL, expected: string): AsyncGenerator<Buffer, void> {
  if (answer.status !== 200) throw await refusal(answer, url)
  const type = answer.headers['content-type']?.split(';')[0]?.trim()
  if (type !== expected) {
    await drain(answer)
    throw protocolError(
      `${url.host} answered with ${printable(type ?? 'no content type')} instead of the Git protocol.`,
    )
  }
  yield* answer.body
}

/** The error for a status other than 200. */
async function refusal(answer: HttpAnswer, url: URL): Promise<GitOpsError> {
  await drain(answer)
  const { status } = answer
  const details = { status, host: url.host }
  const retryAfterMs = retryAfter(answer)
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (status === 401 || status === 403)
    return new GitOpsError('SOURCE_AUTH', `${url.host} refused the credentials (HTTP ${status}).`, { details })
  if (status === 404 || status === 410)
    return new GitOpsError('SOURCE_NOT_FOUND', `${url.host} has no such repository, or hides it (HTTP ${status}).`, {
      details,
    })
  if (status === 429 || (status === 503 && retryAfterMs !== undefined))
    return new GitOpsError('SOURCE_THROTTLED', `${url.host} asked to be left alone for a while (HTTP ${status}).`, {
      details,
      ...wait,
    })
  if (status >= 500)
    return new GitOpsError('SOURCE_UNREACHABLE', `${url.host} failed (HTTP ${status}).`, { details, ...wait })
  return new GitOpsError('SOURCE_PROTOCOL', `${url.host} answered HTTP ${status}.`, { details })
}

/** `Retry-After` in milliseconds, when it counts seconds. A date needs a clock that agrees with the server's. */
function retryAfter(answer: HttpAnswer): number | undefined {
  const value = answer.headers['retry-after']
  return value !== undefined && /^\d{1,7}$/.test(value) ? Number(value) * 1000 : undefined
}

/** Reads a short body to its end, so that the connection can be used again; gives a long one up. */
async function drain(answer: HttpAnswer): Promise<void> {
  let bytes = 0
  for await (const chunk of answer.body) {
    bytes += chunk.length
    if (bytes > 65_536) return
  }
}
