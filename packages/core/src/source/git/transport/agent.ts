import { type Agent, Agent as HttpAgent, request } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { type Duplex, PassThrough } from 'node:stream'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { LookupFunction } from 'node:net'
import type { DestinationGuard } from '../../../runtime/destination/guard.ts'
import { GitOpsError } from '../../../runtime/errors.ts'

/** How connections are made: who is trusted, who we are, and what lies between. */
export interface GitNetwork {
  /** Certificates of authorities to trust instead of the well-known ones, PEM. */
  readonly ca?: string | Uint8Array
  /** Certificate of this client, PEM. */
  readonly cert?: string | Uint8Array
  /** Key of that certificate, PEM. */
  readonly key?: string | Uint8Array
  readonly passphrase?: string
  /** A proxy that connections are tunnelled through with CONNECT. */
  readonly proxy?: GitProxy
  /**
   * Judges where connections go, `destinationGuard` makes one: literal addresses are refused when the repository is
   * opened, names by what they resolve to, with `DESTINATION_DENIED`. Not for SSH, which resolves names itself.
   */
  readonly destinations?: DestinationGuard
  /** Looks host names up, in place of `destinations`. Answer with an error to deny an address. */
  readonly lookup?: LookupFunction
}

export interface GitProxy {
  /** `http://host:port`. Credentials in it are refused. */
  readonly url: string
  /** The value of the `Proxy-Authorization` header. */
  readonly authorization?: string
}

/** Kept-alive connections of their own for one repository; nothing of the global agent applies. */
export function createAgent(url: URL, network: GitNetwork): Agent {
  network.destinations?.assertHost(url.hostname)
  const secure = url.protocol === 'https:'
  const { proxy, ...tls } = network
  const options = { keepAlive: true, maxSockets: 8, ...tlsOptions(tls) }
  const agent = secure ? new HttpsAgent(options) : new HttpAgent(options)
  if (proxy !== undefined) tunnel(agent, parseProxy(proxy), tlsOptions(tls), url)
  return agent
}

type TlsOptions = Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase'> & { lookup?: LookupFunction }

function tlsOptions({ ca, cert, key, passphrase, ...network }: Omit<GitNetwork, 'proxy'>): TlsOptions {
  const lookup = network.lookup ?? network.destinations?.lookup
  const bytes = (value: string | Uint8Array): string | Buffer =>
    typeof value === 'string' ? value : Buffer.from(value)
  return {
    ...(ca === undefined ? {} : { ca: bytes(ca) }),
    ...(cert === undefined ? {} : { cert: bytes(cert) }),
    ...(key === undefined ? {} : { key: bytes(key) }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(lookup === undefined ? {} : { lookup }),
  }
}

interface Proxy {
  readonly url: URL
  readonly authorization: string | undefined
}

function parseProxy({ url, authorization }: GitProxy): Proxy {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== 'http:')
    throw new GitOpsError('CONFIG_INVALID', 'network.proxy.url must be http://host:port.')
  if (parsed.username !== '' || parsed.password !== '')
    throw new GitOpsError(
      'USERINFO_IN_URL',
      'network.proxy.url holds credentials. Give them as network.proxy.authorization.',
    )
  return { url: parsed, authorization }
}

/** Makes the agent open its connections through the proxy. */
function tunnel(agent: Agent, proxy: Proxy, tls: TlsOptions, target: URL): void {
  const secure = target.protocol === 'https:'
  const authority = `${target.hostname}:${target.port === '' ? (secure ? 443 : 80) : target.port}`
  const servername = target.hostname.replace(/^\[|\]$/g, '')
  agent.createConnection = (_options, done) => {
    openTunnel(proxy, authority, (error, socket) => {
      if (error !== null || !secure) done?.(error, socket)
      else done?.(null, connectTls({ ...tls, socket, servername }))
    })
    return undefined
  }
}

function openTunnel(proxy: Proxy, authority: string, done: (error: Error | null, socket: Duplex) => void): void {
  const { url, authorization } = proxy
  const headers = { Host: authority, ...(authorization === undefined ? {} : { 'Proxy-Authorization': authorization }) }
  const options = { host: url.hostname, port: Number(url.port || 80), method: 'CONNECT', path: authority, headers }
  const ask = request({ ...options, agent: false })
  const nothing = new PassThrough()
  // A second error of a connection that was given up already is nobody's.
  ask.on('error', (error) => done(error, nothing))
  ask.once('connect', ({ statusCode }, socket: Duplex) => {
    if (statusCode === 200) return done(null, socket)
    socket.destroy()
    const code = statusCode === 407 ? 'SOURCE_AUTH' : 'SOURCE_UNREACHABLE'
    const text = `The proxy ${url.host} refused a tunnel to ${authority} (HTTP ${statusCode}).`
    done(new GitOpsError(code, text), nothing)
  })
  ask.end()
}
