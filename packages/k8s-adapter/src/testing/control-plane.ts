import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCall, GitOpsError, type JsonObject, sleep } from '@gitops-sdk/core'
import { conditionsOf } from '../assess/read.ts'
import { httpClient, type HttpClientOptions } from '../client/http.ts'
import { kubeConfigFile } from '../client/kubeconfig.ts'
import { kubeletStages, simulatedNode } from './kubelet.ts'

/** Somebody who may log in to a test cluster. */
export interface TestUser {
  readonly name: string
  /** @defaultValue none: the user may do nothing until a role says otherwise */
  readonly groups?: readonly string[]
}

/** A controller of `kube-controller-manager`, without its ending. */
export type ControllerName = 'namespace' | 'garbage-collector' | 'deployment' | 'replicaset' | 'serviceaccount' | 'job'

/** How a control plane is started. */
export interface ControlPlaneOptions {
  /** Besides `admin`, who may do everything. */
  readonly users?: readonly TestUser[]
  /**
   * Which controllers run, or whether any do: without them, nothing is collected and no namespace ever ends.
   *
   * @defaultValue true: those of namespaces, owners, deployments, replica sets, service accounts and jobs
   */
  readonly controllers?: boolean | readonly ControllerName[]
  /**
   * Starts kwok, which plays the kubelet of one node: Pods on it become ready and Jobs complete, with nothing run. There
   * is no scheduler, so a Pod names its node: `nodeName: simulated` (`simulatedNode`).
   *
   * @defaultValue false
   */
  readonly kwok?: boolean
  /** More flags for the API server. */
  readonly flags?: readonly string[]
}

/** A real API server with its database, for tests. No node, unless kwok plays one: a Pod never runs. */
export interface ControlPlane extends AsyncDisposable {
  /** How to reach it as a user. @defaultValue as admin */
  connection(user?: string): HttpClientOptions
  /** A kubeconfig of the admin. */
  readonly kubeConfig: string
  /**
   * Forgets all versions but the latest, as a cluster does with those older than five minutes. Throws `UNSUPPORTED` for a
   * cluster that was not started here.
   */
  compact(): Promise<void>
}

/** The programs of a control plane. */
export interface ControlPlaneBinaries {
  readonly apiserver: string
  readonly etcd: string
  readonly controllerManager: string | undefined
  readonly kwok: string | undefined
}

/**
 * Looks for the programs in KUBE_APISERVER_BIN and ETCD_BIN (and KUBE_CONTROLLER_MANAGER_BIN, KWOK_BIN), then in
 * KUBEBUILDER_ASSETS as envtest does, then where `pnpm cluster:install` puts them. `undefined` when there are none.
 */
export function findControlPlane(environment: NodeJS.ProcessEnv = process.env): ControlPlaneBinaries | undefined {
  const cache = environment['XDG_CACHE_HOME'] || join(homedir(), '.cache')
  // A folder that is named is the only one: a program missing there is not taken from elsewhere.
  const named = environment['KUBEBUILDER_ASSETS']
  const usual = ['/usr/local/kubebuilder/bin', join(cache, 'gitops-sdk', 'cluster', 'current')]
  const places = named === undefined || named === '' ? usual : [named]
  const find = (variable: string, name: string): string | undefined =>
    [environment[variable], ...places.map((folder) => join(folder, name))].find((path) => path && existsSync(path))
  const apiserver = find('KUBE_APISERVER_BIN', 'kube-apiserver')
  const etcd = find('ETCD_BIN', 'etcd')
  const controllerManager = find('KUBE_CONTROLLER_MANAGER_BIN', 'kube-controller-manager')
  const kwok = find('KWOK_BIN', 'kwok')
  return apiserver === undefined || etcd === undefined ? undefined : { apiserver, etcd, controllerManager, kwok }
}

/**
 * Starts a control plane on free ports of this machine, in a folder that is removed with it. With
 * USE_EXISTING_CLUSTER=true, as for envtest, nothing is started and the cluster of KUBECONFIG is used: other users
 * are impersonated there, `flags` and `controllers` mean nothing, and what tests write stays. Throws
 * `CONFIG_INVALID` without programs.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  if (process.env['USE_EXISTING_CLUSTER'] === 'true') return existingCluster(options.users ?? [])
  const binaries = findControlPlane()
  if (binaries === undefined)
    throw new GitOpsError(
      'CONFIG_INVALID',
      'There is no API server to start. Run `pnpm cluster:install`, or set KUBEBUILDER_ASSETS to the folder with kube-apiserver and etcd.',
    )
  if (options.kwok === true && binaries.kwok === undefined)
    throw new GitOpsError(
      'CONFIG_INVALID',
      'There is no kwok. Run `pnpm cluster:install`, or set KWOK_BIN to the program.',
    )
  const folder = await mkdtemp(join(tmpdir(), 'gitops-control-plane-'))
  const running: Running[] = []
  const stop = async (): Promise<void> => {
    for (const each of running.splice(0).reverse()) await end(each)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    return { ...(await startAll(binaries, folder, options, running)), [Symbol.asyncDispose]: stop }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}

/** Named twice, so that no test writes into a cluster only because a shell knows it. */
async function existingCluster(users: readonly TestUser[]): Promise<ControlPlane> {
  const file = process.env['KUBECONFIG'] ?? ''
  if (file === '')
    throw new GitOpsError('CONFIG_INVALID', 'USE_EXISTING_CLUSTER is set, but KUBECONFIG names no cluster.')
  const admin = await kubeConfigFile(file)
  const connection = (name = 'admin'): HttpClientOptions => {
    if (name === 'admin') return admin
    const groups = [...(users.find((user) => user.name === name)?.groups ?? []), 'system:authenticated']
    return { ...admin, impersonate: { user: name, groups } }
  }
  const compact = async (): Promise<void> => {
    throw new GitOpsError('UNSUPPORTED', 'The versions of an existing cluster are not ours to forget.')
  }
  return { connection, kubeConfig: await readFile(file, 'utf8'), compact, async [Symbol.asyncDispose]() {} }
}

/** Through the JSON gateway of etcd. */
async function compactStore(address: string): Promise<void> {
  const post = async (path: string, body: object): Promise<{ header: { revision: string } }> => {
    const answer = await fetch(`${address}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (answer.ok) return (await answer.json()) as { header: { revision: string } }
    throw new GitOpsError('INTERNAL', `etcd refused to ${path}: ${(await answer.text()).slice(0, 200)}`)
  }
  const { header } = await post('range', { key: Buffer.from('/').toString('base64'), count_only: true })
  await post('compaction', { revision: header.revision, physical: true })
}

interface Running {
  readonly child: ChildProcess
  /** The last of what it printed. */
  readonly said: () => string
}

async function startAll(
  binaries: ControlPlaneBinaries,
  folder: string,
  options: ControlPlaneOptions,
  running: Running[],
): Promise<Omit<ControlPlane, typeof Symbol.asyncDispose>> {
  const [client, peer, secure] = await Promise.all([freePort(), freePort(), freePort()])
  const tokens = await writeCredentials(folder, options.users ?? [])
  running.push(start(binaries.etcd, etcdFlags(folder, client, peer)))
  const server = start(binaries.apiserver, [...apiFlags(folder, client, secure), ...(options.flags ?? [])])
  running.push(server)
  const ca = await certificate(join(folder, 'certs', 'apiserver.crt'), server)
  const address = `https://127.0.0.1:${secure}`
  const connection = (user = 'admin'): HttpClientOptions => ({
    server: address,
    ca,
    token: async () => tokens.get(user),
  })
  await ready(connection(), server)
  const kubeConfig = kubeConfigOf(address, ca, tokens.get('admin') ?? '')
  await writeFile(join(folder, 'kubeconfig'), kubeConfig, { mode: 0o600 })
  if (options.controllers !== false && binaries.controllerManager !== undefined)
    running.push(start(binaries.controllerManager, managerFlags(folder, options.controllers)))
  if (options.kwok === true && binaries.kwok !== undefined)
    await simulateNode(binaries.kwok, folder, connection(), running)
  return { connection, kubeConfig, compact: () => compactStore(`http://127.0.0.1:${client}`) }
}

/** Ready when the node is: what was started says nothing sooner. */
async function simulateNode(
  program: string,
  folder: string,
  connection: HttpClientOptions,
  running: Running[],
): Promise<void> {
  // A file of its own, or the settings in the home of whoever runs the tests would count.
  const config = join(folder, 'kwok.yaml')
  await writeFile(config, kubeletStages())
  const kubeconfig = join(folder, 'kubeconfig')
  const kwok = start(program, [`--kubeconfig=${kubeconfig}`, `--config=${config}`, '--manage-all-nodes'])
  running.push(kwok)
  const call = createCall({ signal: AbortSignal.timeout(START_MS) })
  const client = httpClient(connection)
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: simulatedNode } }
  await client.send({ method: 'POST', path: '/api/v1/nodes', body: node }, call)
  for (;;) {
    refuseExited(kwok)
    const { body } = await client.send({ method: 'GET', path: `/api/v1/nodes/${simulatedNode}` }, call)
    if (isReady(body)) return client[Symbol.asyncDispose]?.()
    await sleep(100, call)
  }
}

function isReady(node: JsonObject): boolean {
  const conditions = conditionsOf(node)
  return !('malformed' in conditions) && conditions.some(({ type, status }) => type === 'Ready' && status === 'True')
}

/**
 * Runs a program until the standard input of the shell ends. The kernel closes that pipe also when this process is
 * killed, so no path leaves a server behind. Nothing in it is worth a graceful end.
 */
const untilInputEnds = [
  'exec 3<&0; "$@" 3<&- </dev/null & child=$!',
  '(cat <&3 >/dev/null; kill -KILL $child 2>/dev/null) >/dev/null 2>&1 &',
  'exec 3<&-; wait $child',
].join('\n')

function start(program: string, flags: readonly string[]): Running {
  const args = ['-c', untilInputEnds, 'control-plane', program, ...flags]
  const child = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString('utf8')}`.slice(-4000)
  })
  child.on('error', (error) => {
    said = error.message
  })
  return { child, said: () => said }
}

async function end({ child }: Running): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.stdin?.destroy()
  await exited
}

async function writeCredentials(folder: string, users: readonly TestUser[]): Promise<Map<string, string>> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  await mkdir(join(folder, 'certs'), { recursive: true })
  await writeFile(join(folder, 'sa.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 })
  await writeFile(join(folder, 'sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  const all: readonly TestUser[] = [{ name: 'admin', groups: ['system:masters'] }, ...users]
  const tokens = new Map(all.map(({ name }, index) => [name, `token-${index}-of-${name}`]))
  const lines = all.map(
    ({ name, groups = [] }, index) => `${tokens.get(name)},${name},uid-${index},"${groups.join(',')}"`,
  )
  await writeFile(join(folder, 'tokens.csv'), `${lines.join('\n')}\n`, { mode: 0o600 })
  return tokens
}

function etcdFlags(folder: string, client: number, peer: number): string[] {
  const [clients, peers] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
    '--unsafe-no-fsync',
  ]
}

function apiFlags(folder: string, etcd: number, port: number): string[] {
  return [
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--cert-dir=${join(folder, 'certs')}`,
    `--etcd-servers=http://127.0.0.1:${etcd}`,
    '--service-cluster-ip-range=10.0.0.0/24',
    '--allow-privileged=true',
    `--service-account-issuer=https://127.0.0.1:${port}`,
    `--service-account-key-file=${join(folder, 'sa.pub')}`,
    `--service-account-signing-key-file=${join(folder, 'sa.key')}`,
    '--authorization-mode=RBAC',
    `--token-auth-file=${join(folder, 'tokens.csv')}`,
    '--anonymous-auth=false',
    '--disable-admission-plugins=ServiceAccount',
  ]
}

const allControllers = ['namespace', 'garbage-collector', 'deployment', 'replicaset', 'serviceaccount', 'job'] as const

function managerFlags(folder: string, wanted: ControlPlaneOptions['controllers']): string[] {
  const controllers = typeof wanted === 'object' ? wanted : allControllers
  return [
    `--kubeconfig=${join(folder, 'kubeconfig')}`,
    '--bind-address=127.0.0.1',
    '--secure-port=0',
    '--leader-elect=false',
    `--service-account-private-key-file=${join(folder, 'sa.key')}`,
    `--controllers=${controllers.map((name) => `${name}-controller`).join(',')}`,
  ]
}

const START_MS = 60_000

async function certificate(path: string, server: Running): Promise<string> {
  const call = createCall({ signal: AbortSignal.timeout(START_MS) })
  while (!existsSync(path)) {
    refuseExited(server)
    await sleep(50, call)
  }
  return readFile(path, 'utf8')
}

async function ready(connection: HttpClientOptions, server: Running): Promise<void> {
  const call = createCall({ signal: AbortSignal.timeout(START_MS) })
  const client = httpClient(connection)
  for (;;) {
    refuseExited(server)
    const answer = await client.send({ method: 'GET', path: '/readyz' }, call).catch(() => undefined)
    if (answer !== undefined) return client[Symbol.asyncDispose]?.()
    await sleep(100, call)
  }
}

function refuseExited({ child, said }: Running): void {
  if (child.exitCode === null && child.signalCode === null) return
  throw new GitOpsError('INTERNAL', `A program of the control plane ended while it started: ${said().slice(-1000)}`)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new GitOpsError('INTERNAL', 'The machine gave no port.')
  return address.port
}

function kubeConfigOf(server: string, ca: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  })
}
