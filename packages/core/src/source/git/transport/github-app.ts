import { createPrivateKey, createSign } from 'node:crypto'
import type { Call } from '../../../runtime/call.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import { createAgent, type GitNetwork } from './agent.ts'
import type { CredentialsProvider } from './credentials.ts'
import { send } from './http-request.ts'
import { defaultTimeouts } from './transport.ts'

/** A GitHub App that is installed where the repository is. */
export interface GitHubApp {
  /** Client id or number of the app. */
  readonly appId: string
  readonly installationId: string
  /** The private key of the app, PEM. */
  readonly privateKey: string
  /** @defaultValue `https://api.github.com` */
  readonly apiUrl?: string
  readonly network?: GitNetwork
}

interface InstallationToken {
  readonly token: string
  readonly expiresAt: number
}

/** A token is renewed this long before it ends, so that none ends in the middle of a fetch. */
const RENEW_BEFORE_MS = 10 * 60_000
const JWT_LIFETIME_S = 540
/** The clock of the server may be behind. */
const CLOCK_SKEW_S = 60
const MAX_ANSWER_BYTES = 65_536

/** Installation tokens, made when they are needed and renewed before they end or when they are refused. */
export function githubApp(app: GitHubApp): CredentialsProvider {
  const api = new URL(app.apiUrl ?? 'https://api.github.com')
  const agent = createAgent(api, app.network ?? {})
  let current: Promise<InstallationToken> | undefined
  return async ({ refused }, call) => {
    const known = await current?.catch(() => undefined)
    if (refused || known === undefined || call.clock.now() > known.expiresAt - RENEW_BEFORE_MS)
      current = requestToken(app, api, agent, call)
    const { token } = await (current ?? requestToken(app, api, agent, call))
    return { username: 'x-access-token', password: token }
  }
}

async function requestToken(
  app: GitHubApp,
  api: URL,
  agent: ReturnType<typeof createAgent>,
  call: Call,
): Promise<InstallationToken> {
  const path = `${api.pathname.replace(/\/$/, '')}/app/installations/${encodeURIComponent(app.installationId)}/access_tokens`
  const headers = {
    Accept: 'application/vnd.github+json',
    Authorization: `Bearer ${jsonWebToken(app, call)}`,
    'User-Agent': 'gitops-sdk',
  }
  const url = new URL(path, api)
  const answer = await send(
    { method: 'POST', url, headers, body: Buffer.alloc(0), maxBytes: MAX_ANSWER_BYTES },
    agent,
    defaultTimeouts,
    call,
  )
  const chunks: Buffer[] = []
  for await (const chunk of answer.body) chunks.push(chunk)
  if (answer.status !== 201) throw refusal(answer.status, url)
  return parseToken(Buffer.concat(chunks).toString('utf8'), url)
}

function jsonWebToken({ appId, privateKey }: GitHubApp, call: Call): string {
  const now = Math.floor(call.clock.now() / 1000)
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iat: now - CLOCK_SKEW_S, exp: now + JWT_LIFETIME_S, iss: appId }
  const content = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}`
  return `${content}.${createSign('RSA-SHA256').update(content).sign(readKey(privateKey), 'base64url')}`
}

function readKey(pem: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(pem)
  } catch (cause) {
    throw new GitOpsError('CONFIG_INVALID', 'The private key of the GitHub App cannot be read; it must be PEM.', {
      cause,
    })
  }
}

function refusal(status: number, url: URL): GitOpsError {
  const code = status >= 500 ? 'SOURCE_UNREACHABLE' : 'SOURCE_AUTH'
  return new GitOpsError(code, `${url.host} gave no installation token (HTTP ${status}).`, { details: { status } })
}

function parseToken(text: string, url: URL): InstallationToken {
  try {
    const { token, expires_at: expiresAt } = JSON.parse(text) as { token?: unknown; expires_at?: unknown }
    // oxlint-disable-next-line no-restricted-globals -- reads a date, does not ask for the time
    if (typeof token === 'string' && typeof expiresAt === 'string') return { token, expiresAt: Date.parse(expiresAt) }
  } catch {
    // The error below says what came, without repeating what may hold a secret.
  }
  throw new GitOpsError('SOURCE_PROTOCOL', `${url.host} answered with something that is not an installation token.`)
}
