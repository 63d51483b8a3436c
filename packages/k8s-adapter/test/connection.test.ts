import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import {
  createCall,
  createReconciler,
  desiredState,
  type JsonObject,
  memoryLedger,
  memorySource,
  type RunCall,
  type Target,
} from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import {
  httpClient,
  type HttpClientOptions,
  inClusterOptions,
  kubeConfigOptions,
  kubernetesCluster,
  kubernetesTarget,
} from '../src/index.ts'
import { type FaultyRequest, memoryApiServer } from '../src/testing.ts'
import { selfSigned } from './certificate.ts'

const call = createCall()
const who = async (connection: HttpClientOptions): Promise<unknown> => {
  const client = httpClient(connection)
  const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
  try {
    const { body } = await client.send({ method: 'POST', path, body: {} }, call)
    return (body['status'] as JsonObject)['userInfo']
  } finally {
    await client[Symbol.asyncDispose]?.()
  }
}

test('acts as somebody else, with their groups, identity and extra', async () => {
  await using server = await memoryApiServer()
  const impersonate = {
    user: 'ada',
    groups: ['team', 'ops'],
    uid: '7',
    extra: { scopes: ['read', 'write'], 'a/b': ['c'] },
  }
  expect(await who({ ...server.connection(), impersonate })).toEqual({
    username: 'ada',
    uid: '7',
    groups: ['team', 'ops', 'system:authenticated'],
    extra: { scopes: ['read', 'write'], 'a/b': ['c'] },
  })
})

test('trusts the authority it is given, and no other', async () => {
  const certificate = selfSigned()
  await using server = await memoryApiServer({ certificate })
  expect(await who(server.connection())).toMatchObject({ username: 'admin' })
  expect(await who(await kubeConfigOptions(server.kubeConfig))).toMatchObject({ username: 'admin' })
  const stranger = selfSigned().cert
  await expect(who({ ...server.connection(), ca: stranger })).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' })
  const { ca: _, ...untrusting } = server.connection()
  await expect(who(untrusting)).rejects.toMatchObject({ code: 'TARGET_UNREACHABLE' })
  expect(await who({ ...untrusting, insecureSkipVerify: true })).toMatchObject({ username: 'admin' })
})

interface Proxy extends AsyncDisposable {
  readonly address: string
  readonly asked: string[]
  readonly credentials: (string | undefined)[]
}

async function proxyServer(): Promise<Proxy> {
  const asked: string[] = []
  const credentials: (string | undefined)[] = []
  const server = createServer()
  server.on('connect', (request: IncomingMessage, socket, head: Buffer) => {
    asked.push(request.url ?? '')
    credentials.push(request.headers['proxy-authorization'])
    const [host = '', port] = (request.url ?? '').split(':')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.write(head)
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: `http://127.0.0.1:${port}`,
    asked,
    credentials,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

test('goes through a proxy where one is named, for requests and for watches', async () => {
  await using proxy = await proxyServer()
  await using server = await memoryApiServer({ certificate: selfSigned() })
  const address = proxy.address.replace('http://', 'http://me:se%3Acret@')
  const connection = { ...server.connection(), proxy: address }
  expect(await who(connection)).toMatchObject({ username: 'admin' })
  await using client = httpClient(connection) as AsyncDisposable & ReturnType<typeof httpClient>
  const query = { watch: '1', resourceVersion: '0' }
  for await (const event of client.stream({ method: 'GET', path: '/api/v1/namespaces', query }, call)) {
    expect(event['type']).toBe('ADDED')
    break
  }
  expect(proxy.asked).toEqual([new URL(server.address).host, new URL(server.address).host])
  expect(proxy.credentials[0]).toBe(`Basic ${Buffer.from('me:se:cret').toString('base64')}`)
  await expect(who({ ...connection, proxy: 'http://127.0.0.1:1' })).rejects.toMatchObject({
    code: 'TARGET_UNREACHABLE',
  })
  expect(() => httpClient({ ...connection, proxy: 'socks5://x' })).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID' }),
  )
})

const kubeconfig = (user: object, cluster: object): string =>
  JSON.stringify({
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster }],
    users: [{ name: 'x', user }],
  })

test('a proxy in a kubeconfig is refused unless proxies are allowed, and never left out in silence', async () => {
  const text = kubeconfig({ token: 't' }, { server: 'https://kube.example', 'proxy-url': 'http://proxy:3128' })
  await expect(kubeConfigOptions(text)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('proxy-url') as string,
  })
  expect(await kubeConfigOptions(text, { allowProxy: true })).toMatchObject({ proxy: 'http://proxy:3128' })
})

interface Issuer extends AsyncDisposable {
  readonly address: string
  readonly forms: string[]
}

/** An issuer of tokens; each login may be renewed with the last refresh token only. */
async function issuerOf(tokens: readonly string[]): Promise<Issuer> {
  const forms: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { port } = server.address() as AddressInfo
      const token_endpoint = `http://127.0.0.1:${port}/token`
      if (request.url !== '/token') return response.end(JSON.stringify({ token_endpoint }))
      forms.push(Buffer.concat(chunks).toString('utf8'))
      const id_token = tokens[forms.length - 1]
      if (id_token === undefined) return response.writeHead(400).end('{"error":"refresh-1 is used up"}')
      return response.end(JSON.stringify({ id_token, refresh_token: `refresh-${forms.length + 1}` }))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forms,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const tokenUntil = (seconds: number): string =>
  `x.${Buffer.from(JSON.stringify({ exp: seconds })).toString('base64url')}.y`

test('renews a login of OIDC once for all who wait, keeps what it gets, and says when it cannot', async () => {
  const now = call.clock.now() / 1000
  const [ended, next] = [tokenUntil(now - 10), tokenUntil(now + 3600)]
  await using issuer = await issuerOf([next, next])
  const config = {
    'idp-issuer-url': issuer.address,
    'client-id': 'me',
    'id-token': ended,
    'refresh-token': 'refresh-1',
  }
  const text = kubeconfig({ 'auth-provider': { name: 'oidc', config } }, { server: 'https://kube.example' })
  await expect(kubeConfigOptions(text)).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  await expect(kubeConfigOptions(text, { oidcIssuers: ['https://other.example'] })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
  const { token } = await kubeConfigOptions(text, { oidcIssuers: [issuer.address] })
  expect(await Promise.all([token?.(false, call), token?.(false, call), token?.(false, call)])).toEqual([
    next,
    next,
    next,
  ])
  expect(await token?.(false, call)).toBe(next)
  expect(issuer.forms).toEqual(['grant_type=refresh_token&refresh_token=refresh-1&client_id=me&client_secret='])
  // The server refused it: it is renewed with the refresh token that came with it.
  expect(await token?.(true, call)).toBe(next)
  expect(issuer.forms[1]).toContain('refresh_token=refresh-2')
  const refused = await token?.(true, call).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'TARGET_AUTH', message: expect.stringContaining('400') as string })
  expect(JSON.stringify(refused)).not.toContain('refresh-1')
})

test('takes a KubeConfig of client-node, and asks it again for every token', async () => {
  const certificate = selfSigned()
  await using server = await memoryApiServer({ certificate })
  let asked = 0
  const kubeConfig = {
    getCurrentCluster: () => ({ name: 'memory', server: server.address, skipTLSVerify: false }),
    async applyToHTTPSOptions(options: { ca?: Buffer; headers?: Record<string, string> }) {
      asked++
      options.ca = Buffer.from(certificate.cert)
      options.headers = {
        ...options.headers,
        Authorization: `Bearer ${await server.connection().token?.(false, call)}`,
      }
    },
  }
  const target = kubernetesTarget({ kubeConfig, owner: 'test' })
  expect(kubernetesCluster({ kubeConfig }).id).toBe(server.address)
  const source = memorySource({ files: { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n' } })
  const policy = { mode: 'automatic' } as const
  await using reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [{ name: 'app', source, target, policy }],
  })
  expect((await reconciler.reconcile('app')).outcome).toBe('applied')
  expect(asked).toBeGreaterThan(2)
})

test('a token that is refused is fetched anew, once', async () => {
  await using server = await memoryApiServer()
  const renewals: boolean[] = []
  const token = async (renew: boolean): Promise<string> => {
    renewals.push(renew)
    return renew ? 'token-of-admin' : 'old'
  }
  expect(await who({ server: server.address, token })).toMatchObject({ username: 'admin' })
  expect(renewals).toEqual([false, true])
  await expect(who({ server: server.address, token: async () => 'old' })).rejects.toMatchObject({ code: 'TARGET_AUTH' })
})

test('a token that ends in the middle of a run is renewed there, in the next run too, and every object is written', async () => {
  const groups = ['system:masters']
  await using server = await memoryApiServer({ users: ['t1', 't2', 't3'].map((name) => ({ name, groups })) })
  let valid = 1
  let writesLeft = 10
  const isOver = ({ user, method }: FaultyRequest): boolean => {
    // The first writes of each run are made with a token that the server takes, the rest needs the next one.
    if (method === 'PATCH' && --writesLeft === 0) valid++
    return user !== `t${valid}`
  }
  const body = { kind: 'Status', code: 401, reason: 'Unauthorized', message: 'Unauthorized' }
  server.inject({ when: isOver, times: Infinity, answer: { status: 401, body } })
  let held = 1
  const renewals: number[] = []
  const token = async (renew: boolean): Promise<string> => {
    // As an exec plugin or an issuer: a new one only when the one that was held is refused, once for all who wait.
    if (renew && held < valid) renewals.push(++held)
    return `token-of-t${held}`
  }
  const maps = (value: string): string =>
    Array.from(
      { length: 19 },
      (_, index) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m${index}}\ndata: {a: "${value}"}\n`,
    ).join('---\n')
  const source = memorySource({ files: { 'a.yaml': maps('1') } })
  const target = kubernetesTarget({ connection: { server: server.address, token }, owner: 'test' })
  const policy = { mode: 'automatic' } as const
  await using reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [{ name: 'app', source, target, policy }],
  })
  expect((await reconciler.reconcile('app')).outcome).toBe('applied')
  expect(renewals).toEqual([2])
  source.commit({ 'a.yaml': maps('2') })
  writesLeft = 30
  expect((await reconciler.reconcile('app')).outcome).toBe('applied')
  expect(renewals).toEqual([2, 3])
  for (let index = 0; index < 19; index++)
    expect(server.get('v1', 'ConfigMap', `m${index}`)?.['data']).toEqual({ a: '2' })
})

test('outside a cluster it says so', async () => {
  await expect(inClusterOptions({})).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})

test('waits as long as an overloaded server asks, and then goes on', async () => {
  await using server = await memoryApiServer()
  const answer = { status: 429, body: 'Too many requests, please try again later.', headers: { 'Retry-After': '0' } }
  server.inject({ when: ({ method }) => method === 'PATCH', times: 3, answer })
  const source = memorySource({ files: { 'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\n' } })
  const target = kubernetesTarget({ connection: server.connection(), owner: 'test' })
  const policy = { mode: 'automatic' } as const
  await using reconciler = createReconciler({
    ledger: memoryLedger(),
    applications: [{ name: 'app', source, target, policy }],
  })
  expect((await reconciler.reconcile('app')).outcome).toBe('applied')
  expect(server.requests.filter((each) => each.startsWith('PATCH'))).toHaveLength(4)
})

test('values of the cluster are outputs: those of a Secret decoded and marked, those that are not there left out', async () => {
  await using server = await memoryApiServer()
  server.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'info' }, data: { host: 'db' } })
  server.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' }, data: { password: 'aHVudGVyMg==' } })
  const ref = (kind: string, name: string, namespace = 'default') => ({ kind, namespace, name })
  const outputs = {
    host: { ref: ref('ConfigMap', 'info'), pointer: '/data/host' },
    password: { ref: ref('Secret', 'key'), pointer: '/data/password' },
    later: { ref: ref('ConfigMap', 'none'), pointer: '/data/host' },
  }
  const namespaces = { default: 'default', allowed: ['default'] }
  const base = { connection: server.connection(), owner: 'test', namespaces }
  const run: RunCall = { ...call, application: 'app', inputs: {} }
  const nothing = desiredState({ id: 'one' }, [])
  await using target = kubernetesTarget({ ...base, outputs }) as Target & AsyncDisposable
  expect(await target.outputs?.(nothing, run)).toEqual({
    host: { value: 'db' },
    password: { value: 'hunter2', sensitive: true },
  })
  const elsewhere = { host: { ref: ref('ConfigMap', 'info', 'kube-system'), pointer: '/data/host' } }
  await using nosy = kubernetesTarget({ ...base, outputs: elsewhere }) as Target & AsyncDisposable
  await expect(nosy.outputs?.(nothing, run)).rejects.toMatchObject({ code: 'TENANT_DENIED' })
})
