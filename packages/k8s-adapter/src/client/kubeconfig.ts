import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Call, GitOpsError, type Json, type JsonObject } from '@gitops-sdk/core'
import { decodeDocuments } from '@gitops-sdk/core/files'
import { type ExecCluster, execToken } from './exec.ts'
import type { HttpClientOptions } from './http.ts'
import { isObject } from './json.ts'
import { oidcToken } from './oidc.ts'

/** What may be taken from a kubeconfig. */
export interface KubeConfigOptions {
  /** @defaultValue the current context of the file */
  readonly context?: string
  /** The folder that relative paths of files in it start from; files are refused without it. */
  readonly folder?: string
  /** Permits `proxy-url`. @defaultValue false */
  readonly allowProxy?: boolean
  /**
   * Issuers at which a login of `auth-provider: oidc` may be renewed: a kubeconfig that is not yours can name any
   * address. @defaultValue none
   */
  readonly oidcIssuers?: readonly string[]
  /** Permits `insecure-skip-tls-verify`. @defaultValue false */
  readonly allowInsecure?: boolean
  /**
   * Credential plugins that may run: the `command` of the kubeconfig, and the absolute path of the program.
   * A kubeconfig that is not yours can name any program. @defaultValue none
   */
  readonly execPrograms?: Readonly<Record<string, string>>
}

/**
 * Connection options from the text of a kubeconfig. Programs in it (`exec`) are refused unless they are among
 * `execPrograms`, issuers (`auth-provider: oidc`) unless among `oidcIssuers`; passwords and other providers always are.
 */
export async function kubeConfigOptions(text: string, options: KubeConfigOptions = {}): Promise<HttpClientOptions> {
  const config = parse(text)
  const context = named(config, 'contexts', options.context ?? textAt(config, 'current-context'), 'context')
  const cluster = named(config, 'clusters', textAt(context, 'cluster'), 'cluster')
  const user = named(config, 'users', textAt(context, 'user'), 'user')
  const known = [options.execPrograms && 'exec', options.oidcIssuers && 'auth-provider']
  for (const field of ['exec', 'auth-provider', 'username'])
    if (user[field] !== undefined && !known.includes(field))
      throw refused(`the user has ${field}, which is not supported; give a client with a token callback instead`)
  const insecureSkipVerify = cluster['insecure-skip-tls-verify'] === true
  if (insecureSkipVerify && options.allowInsecure !== true)
    throw refused('insecure-skip-tls-verify is not allowed here')
  const proxy = textAt(cluster, 'proxy-url')
  if (proxy !== undefined && options.allowProxy !== true) throw refused('proxy-url is not allowed here')
  const bytes = (from: JsonObject, field: string): Promise<Uint8Array | undefined> =>
    bytesOf(from, field, options.folder)
  const [ca, cert, key] = [
    await bytes(cluster, 'certificate-authority'),
    await bytes(user, 'client-certificate'),
    await bytes(user, 'client-key'),
  ]
  const serverName = textAt(cluster, 'tls-server-name')
  const server = textAt(cluster, 'server') ?? fail('the cluster has no server')
  const about = { server, ca: ca && Buffer.from(ca).toString('utf8'), serverName }
  const token = await tokenOf(user, about, options)
  return {
    server,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(token && { token }),
    ...(proxy !== undefined && { proxy }),
    ...(insecureSkipVerify && { insecureSkipVerify }),
    ...(serverName !== undefined && { serverName }),
  }
}

/** Connection options from a kubeconfig file. */
export async function kubeConfigFile(
  path: string,
  options: Omit<KubeConfigOptions, 'folder'> = {},
): Promise<HttpClientOptions> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new GitOpsError('CONFIG_INVALID', `The kubeconfig ${path} could not be read.`, { cause })
  })
  return kubeConfigOptions(text, { ...options, folder: dirname(resolve(path)) })
}

const account = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Connection options of a process that runs in the cluster it manages. */
export async function inClusterOptions(environment: NodeJS.ProcessEnv = process.env): Promise<HttpClientOptions> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment
  if (host === undefined) fail('KUBERNETES_SERVICE_HOST is not set: this process does not run in a cluster')
  const ca = await readFile(`${account}/ca.crt`)
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca,
    token: tokenFile(`${account}/token`),
  }
}

/** How long a token of a file is used before the file is read again. */
const TOKEN_FILE_MS = 60_000

function tokenFile(path: string): (renew: boolean, call: Call) => Promise<string> {
  let known: { readonly token: string; readonly readAt: number } | undefined
  return async (renew, { clock }) => {
    if (renew || known === undefined || clock.monotonic() - known.readAt > TOKEN_FILE_MS)
      known = { token: (await readFile(path, 'utf8')).trim(), readAt: clock.monotonic() }
    return known.token
  }
}

async function tokenOf(
  user: JsonObject,
  about: ExecCluster,
  { folder, execPrograms = {}, oidcIssuers = [] }: KubeConfigOptions,
): Promise<HttpClientOptions['token']> {
  const { exec, 'auth-provider': provider } = user
  if (isObject(exec)) return execToken(exec, about, execPrograms)
  if (isObject(provider)) {
    if (provider['name'] !== 'oidc')
      throw refused(`the auth-provider ${textAt(provider, 'name') ?? '(none)'} is not supported`)
    return oidcToken(isObject(provider['config']) ? provider['config'] : {}, oidcIssuers)
  }
  const token = textAt(user, 'token')
  if (token !== undefined) return async () => token
  const file = textAt(user, 'tokenFile')
  return file === undefined ? undefined : tokenFile(inFolder(file, folder))
}

async function bytesOf(from: JsonObject, field: string, folder: string | undefined): Promise<Uint8Array | undefined> {
  const data = textAt(from, `${field}-data`)
  if (data !== undefined) return Buffer.from(data, 'base64')
  const file = textAt(from, field)
  return file === undefined ? undefined : readFile(inFolder(file, folder))
}

function inFolder(file: string, folder: string | undefined): string {
  return folder === undefined
    ? fail('it names files, which are read only from a kubeconfig that is a file itself')
    : resolve(folder, file)
}

function parse(text: string): JsonObject {
  for (const { body } of decodeDocuments(new TextEncoder().encode(text), 'kubeconfig', { format: 'yaml' })) return body
  return fail('it is empty')
}

function named(config: JsonObject, list: string, name: string | undefined, inner: string): JsonObject {
  const entries = config[list]
  const found = Array.isArray(entries)
    ? entries.find((each: Json) => isObject(each) && each['name'] === name)
    : undefined
  const value: Json | undefined = isObject(found) ? found[inner] : undefined
  return isObject(value) ? value : fail(`there is no ${inner} called ${name ?? '(none given)'} in ${list}`)
}

function textAt(object: JsonObject, field: string): string | undefined {
  const value = object[field]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function refused(why: string): GitOpsError {
  return new GitOpsError('CONFIG_INVALID', `The kubeconfig cannot be used: ${why}.`)
}

function fail(why: string): never {
  throw refused(why)
}
