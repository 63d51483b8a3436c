import { generateKeyPairSync, verify } from 'node:crypto'
import { type Server, createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type Socket, connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createCall } from '../../../runtime/call.ts'
import { systemClock } from '../../../runtime/clock.ts'
import { type GitServer, startGitServer } from '../../../testing/git/git-server.ts'
import { localhostCertificate } from '../../../testing/git/localhost-certificate.ts'
import type { ServedRepository } from '../../../testing/git/served-repository.ts'
import { gitSource } from '../source.ts'
import type { CredentialsRequest } from './credentials.ts'
import { githubApp } from './github-app.ts'
import { basicCredentials, bearerToken, giteaToken, githubToken, gitlabToken } from './tokens.ts'

const secret = 'canary-secret-0f9a'
const basic = `Basic ${Buffer.from(`x-access-token:${secret}`).toString('base64')}`
const call = createCall()
const retry = { maxAttempts: 1 }
const cleanups: (() => void)[] = []
let server: GitServer
let repository: ServedRepository
beforeAll(async () => {
  server = await startGitServer({ authorize: (header) => header === basic })
  repository = await server.createRepository('private')
  await repository.commit({ a: '1' })
})
beforeEach(() => server.fail(undefined))
afterAll(async () => {
  await server.close()
  for (const clean of cleanups) clean()
})

async function listen(running: Server): Promise<string> {
  await new Promise<void>((resolve) => running.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => void running.close())
  const address = running.address()
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}

test('credentials are sent with the first request, and asked for again, once, when they are refused', async () => {
  const asked: CredentialsRequest[] = []
  const stale = { username: 'x-access-token', password: 'stale' }
  const credentials = (request: CredentialsRequest): typeof stale => {
    asked.push(request)
    return request.refused ? { ...stale, password: secret } : stale
  }
  await using source = gitSource({ url: repository.url, ref: 'main', credentials, retry })
  await source.resolve(call)
  expect(asked.slice(0, 2)).toEqual([
    { url: repository.url, service: 'git-upload-pack', refused: false },
    { url: repository.url, service: 'git-upload-pack', refused: true },
  ])
})

test('a refused server is asked at most once a minute after five refusals', async () => {
  await using source = gitSource({ url: repository.url, ref: 'main', retry })
  const before = server.requests.length
  for (let attempt = 0; attempt < 20; attempt++)
    await expect(source.resolve(call)).rejects.toMatchObject({ code: 'SOURCE_AUTH' })
  expect(server.requests.length - before).toBe(5)
})

test.each([
  ['githubToken', githubToken('t'), 'x-access-token:t'],
  ['gitlabToken', gitlabToken(async () => 't'), 'oauth2:t'],
  ['giteaToken', giteaToken('t'), 'git:t'],
  ['basicCredentials', basicCredentials('me', () => 't'), 'me:t'],
])('%s gives what its forge expects', async (_name, provider, pair) => {
  const given = await provider({ url: '', service: 'git-upload-pack', refused: false }, call)
  expect(given).toEqual({ username: pair.split(':')[0], password: 't' })
  expect(await bearerToken('t')({ url: '', service: 'git-upload-pack', refused: false }, call)).toEqual({ bearer: 't' })
})

test.each([
  ['another host', 'http://example.invalid/private.git/info/refs?service=git-upload-pack'],
  ['another port of the same host', 'http://127.0.0.1:1/private.git/info/refs?service=git-upload-pack'],
  ['another protocol', 'file:///etc/passwd'],
  ['credentials in the address', 'http://u:p@127.0.0.1/x'],
])('a redirect to %s is refused, and nobody there hears the token', async (_what, location) => {
  server.fail(() => ({ kind: 'status', status: 302, headers: { Location: location } }))
  await using source = gitSource({ url: repository.url, ref: 'main', credentials: githubToken(secret), retry })
  const error: unknown = await source.resolve(call).catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'DESTINATION_DENIED' })
  expect(JSON.stringify(error)).not.toContain(secret)
})

test('a redirect within the origin is followed, and what comes after goes to the new place', async () => {
  const renamed = repository.url.replace('private.git', 'old-name.git')
  const rule = ({
    path,
  }: {
    path: string
  }): { kind: 'status'; status: number; headers: Record<string, string> } | undefined =>
    path.startsWith('/old-name.git')
      ? { kind: 'status', status: 301, headers: { Location: path.replace('old-name', 'private') } }
      : undefined
  server.fail(rule)
  await using source = gitSource({ url: renamed, ref: 'main', credentials: githubToken(secret), retry })
  await expect(source.resolve(call)).resolves.toMatchObject({ name: 'main' })
})

test('a redirect in a circle ends', async () => {
  server.fail(({ path }) => ({ kind: 'status', status: 302, headers: { Location: path } }))
  await using source = gitSource({ url: repository.url, ref: 'main', retry })
  await expect(source.resolve(call)).rejects.toMatchObject({ code: 'SOURCE_PROTOCOL' })
})

test('credentials are not sent over plain HTTP to another machine', async () => {
  await using source = gitSource({ url: 'http://git.example.invalid/x', credentials: githubToken(secret), retry })
  await expect(source.resolve(call)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test.each([
  ['https://user:canary-secret-0f9a@example.com/x', 'USERINFO_IN_URL'],
  ['https://canary-secret-0f9a@example.com/x', 'USERINFO_IN_URL'],
  ['ssh://git:canary-secret-0f9a@example.com/x', 'USERINFO_IN_URL'],
  ['https://example.com/x?token=canary-secret-0f9a', 'CONFIG_INVALID'],
  ['file:///etc', 'CONFIG_INVALID'],
  ['ext::sh -c id', 'CONFIG_INVALID'],
  ['git://example.com/x', 'CONFIG_INVALID'],
  ['/a/folder', 'CONFIG_INVALID'],
  ['--upload-pack=x', 'CONFIG_INVALID'],
])('the address %s is refused when the source is made, without repeating a secret', (url, code) => {
  let error: unknown
  try {
    gitSource({ url })
  } catch (thrown) {
    error = thrown
  }
  expect(error).toMatchObject({ code })
  expect(String(error) + JSON.stringify(error)).not.toContain(secret)
})

test('a poll is one request on a connection that is kept', async () => {
  await using source = gitSource({ url: repository.url, ref: 'main', credentials: githubToken(secret), retry })
  await source.resolve(call)
  const before = server.requests.length
  for (let poll = 0; poll < 5; poll++) await source.resolve(call)
  expect(server.requests.slice(before).map(({ method }) => method)).toEqual(Array.from({ length: 5 }, () => 'POST'))
})

test('goes through a proxy that tunnels, and tells it who asks', async () => {
  const tunnels: { readonly target: string | undefined; readonly authorization: string | undefined }[] = []
  const proxy = createServer()
  proxy.on('connect', (request, client: Socket) => {
    tunnels.push({ target: request.url, authorization: request.headers['proxy-authorization'] })
    client.on('error', () => client.destroy())
    if (request.headers['proxy-authorization'] !== 'Basic abc') return void client.end('HTTP/1.1 407 No\r\n\r\n')
    const [host = '', port = ''] = (request.url ?? '').split(':')
    const far = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      far.pipe(client).pipe(far)
    })
    far.on('error', () => client.destroy())
  })
  const url = `http://${await listen(proxy)}`
  const options = { url: repository.url, ref: 'main', credentials: githubToken(secret), retry }
  await using allowed = gitSource({ ...options, network: { proxy: { url, authorization: 'Basic abc' } } })
  await expect(allowed.resolve(call)).resolves.toMatchObject({ name: 'main' })
  await using refused = gitSource({ ...options, network: { proxy: { url } } })
  await expect(refused.resolve(call)).rejects.toMatchObject({ code: 'SOURCE_AUTH' })
  expect(tunnels[0]).toEqual({ target: new URL(repository.url).host, authorization: 'Basic abc' })
})

test('trusts a given authority, shows a client certificate, and refuses a server that nobody vouches for', async () => {
  const { key, cert } = localhostCertificate
  const ca = cert
  const secure = createSecureServer(
    { key, cert, ca, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      response.writeHead(301, { Location: 'https://example.invalid/' }).end(String(request.url))
    },
  )
  const url = `https://${(await listen(secure as unknown as Server)).replace('127.0.0.1', 'localhost')}/x`
  const codeOf = async (network: object): Promise<unknown> => {
    await using source = gitSource({ url, network, retry })
    return source.resolve(call).catch((error: { code: string }) => error.code)
  }
  expect(await codeOf({ ca, key, cert })).toBe('DESTINATION_DENIED')
  expect(await codeOf({ ca })).toBe('SOURCE_UNREACHABLE')
  expect(await codeOf({ key, cert })).toBe('SOURCE_UNREACHABLE')
})

test('a look-up that denies an address keeps every connection away from it', async () => {
  const before = server.requests.length
  const url = repository.url.replace('127.0.0.1', 'localhost')
  const network = {
    lookup: (_host: string, _options: object, done: (error: Error, address: string) => void) =>
      done(new Error('denied'), ''),
  }
  await using source = gitSource({ url, network, retry })
  await expect(source.resolve(call)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
  expect(server.requests.length).toBe(before)
})

test('installation tokens of a GitHub App are made with a signed claim, kept, and renewed before they end', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  let made = 0
  let now = 1_800_000_000_000
  const api = createServer((request, response) => {
    const [content = '', signature = ''] = [
      request.headers.authorization?.slice(7).split('.').slice(0, 2).join('.'),
      request.headers.authorization?.split('.')[2],
    ]
    const good = verify('RSA-SHA256', Buffer.from(content), publicKey, Buffer.from(signature, 'base64url'))
    const status = good && request.url === '/app/installations/42/access_tokens' ? 201 : 401
    response
      .writeHead(status)
      .end(JSON.stringify({ token: `token-${++made}`, expires_at: new Date(now + 3_600_000).toISOString() }))
  })
  const app = {
    appId: '7',
    installationId: '42',
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  const provider = githubApp({ ...app, apiUrl: `http://${await listen(api)}` })
  const at = createCall({ clock: { ...systemClock, now: () => now } })
  const request = { url: '', service: 'git-upload-pack', refused: false } as const
  expect(await provider(request, at)).toEqual({ username: 'x-access-token', password: 'token-1' })
  expect(await provider(request, at)).toMatchObject({ password: 'token-1' })
  now += 55 * 60_000
  expect(await provider(request, at)).toMatchObject({ password: 'token-2' })
  expect(await provider({ ...request, refused: true }, at)).toMatchObject({ password: 'token-3' })
  const wrong = githubApp({
    ...app,
    installationId: '43',
    apiUrl: `http://${await listen(createServer((_q, a) => void a.writeHead(404).end()))}`,
  })
  await expect(wrong(request, at)).rejects.toMatchObject({ code: 'SOURCE_AUTH' })
})
