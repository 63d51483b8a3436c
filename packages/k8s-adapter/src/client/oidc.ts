import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type Call, GitOpsError, type Json, type JsonObject, withDeadline } from '@gitops-sdk/core'
import { isObject, textOf } from './json.ts'
import { type Credential, sharedUntilExpiry, type Token } from './token.ts'

const TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 1_048_576

/**
 * A token from `auth-provider: oidc` of a kubeconfig, renewed at its issuer when it ends. `issuers` are those that may
 * be asked: a kubeconfig that names an address makes us send a refresh token there. Throws `CONFIG_INVALID`.
 */
export function oidcToken(config: JsonObject, issuers: readonly string[]): Token {
  const issuer = textOf(config['idp-issuer-url'])
  if (!issuers.includes(issuer)) throw refused(`the issuer ${issuer || '(none)'} is not among oidcIssuers`)
  const known = textOf(config['id-token'])
  const first = known === '' ? undefined : { token: known, expiresAt: endOf(known) }
  // Issuers may rotate it: the last one they gave counts.
  let refreshToken = textOf(config['refresh-token'])
  const fetch = async (call: Call): Promise<Credential> => {
    if (refreshToken === '') throw failed(`the token of ${issuer} has ended and there is no refresh token`)
    const answer = await withDeadline(call, TIMEOUT_MS, `Renewing the token of ${issuer}`, (within) =>
      refresh(issuer, config, refreshToken, within),
    )
    const token = textOf(answer['id_token'])
    if (token === '') throw failed(`${issuer} gave no id_token`)
    refreshToken = textOf(answer['refresh_token']) || refreshToken
    return { token, expiresAt: endOf(token) }
  }
  return sharedUntilExpiry(fetch, first)
}

async function refresh(issuer: string, config: JsonObject, refreshToken: string, call: Call): Promise<JsonObject> {
  const authority = textOf(config['idp-certificate-authority-data'])
  const ca = authority === '' ? undefined : Buffer.from(authority, 'base64')
  const found = await ask(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, undefined, ca, call)
  const endpoint = textOf(found['token_endpoint'])
  if (!URL.canParse(endpoint)) throw failed(`${issuer} names no token_endpoint`)
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: textOf(config['client-id']),
    client_secret: textOf(config['client-secret']),
  })
  return ask(endpoint, form.toString(), ca, call)
}

async function ask(address: string, form: string | undefined, ca: Buffer | undefined, call: Call): Promise<JsonObject> {
  const url = new URL(address)
  const start = url.protocol === 'https:' ? httpsRequest : httpRequest
  const outgoing = start(url, {
    method: form === undefined ? 'GET' : 'POST',
    headers: {
      Accept: 'application/json',
      ...(form !== undefined && {
        'Content-Type': 'application/x-www-form-urlencoded',
        'Content-Length': String(Buffer.byteLength(form)),
      }),
    },
    signal: call.signal,
    ...(ca && { ca }),
  })
  outgoing.end(form)
  try {
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    const text = await textIn(response)
    // What an issuer says may repeat what it was sent.
    if (response.statusCode !== 200) throw failed(`${url.origin} answered with ${response.statusCode ?? 0}`)
    return parse(text, url.origin)
  } catch (cause) {
    if (cause instanceof GitOpsError) throw cause
    throw new GitOpsError('TARGET_UNREACHABLE', `${url.origin} could not be reached to renew a token.`, { cause })
  }
}

async function textIn(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of response) {
    chunks.push(chunk as Buffer)
    size += (chunk as Buffer).length
    if (size > MAX_ANSWER_BYTES) throw failed('the issuer answered with more than a mebibyte')
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** When a token ends, from its own words; they need no proof, because only we rely on them. */
function endOf(token: string): number | undefined {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as JsonObject
    return typeof exp === 'number' ? exp * 1000 : undefined
  } catch {
    return undefined
  }
}

function parse(text: string, origin: string): JsonObject {
  try {
    const value = JSON.parse(text) as Json
    if (isObject(value)) return value
  } catch {
    // The cause would quote the text.
  }
  throw failed(`${origin} did not answer with a JSON object`)
}

function refused(why: string): GitOpsError {
  return new GitOpsError('CONFIG_INVALID', `The kubeconfig cannot be used: ${why}.`)
}

function failed(why: string): GitOpsError {
  return new GitOpsError('TARGET_AUTH', `The login could not be renewed: ${why}. Log in again.`)
}
