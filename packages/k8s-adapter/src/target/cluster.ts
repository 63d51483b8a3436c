import { GitOpsError, type JsonObject } from '@gitops-sdk/core'
import { httpClient, type HttpClientOptions, type Impersonation } from '../client/http.ts'
import { inClusterOptions, kubeConfigOptions } from '../client/kubeconfig.ts'
import { type KubeConfigObject, kubeConfigObjectOptions } from '../client/kubeconfig-object.ts'
import type { KubeClient } from '../client/port.ts'
import { createAdaptiveLimit, type AdaptiveLimit } from '../apply/limit.ts'
import { type HealthOptions, healthOf } from '../assess/health.ts'
import { type ClusterCache, createClusterCache } from '../observe/cache.ts'

/** How a cluster is reached. Exactly one of the first four is given. */
export interface ClusterOptions {
  /**
   * The text of a kubeconfig, in which programs and files are refused; or a `KubeConfig` of `@kubernetes/client-node`
   * that you loaded.
   */
  readonly kubeConfig?: string | KubeConfigObject
  /** The context of the kubeconfig. @defaultValue its current one */
  readonly context?: string
  /** The service account of the Pod this process runs in. */
  readonly inCluster?: true
  /** Address and credentials, as `kubeConfigFile` reads them from a file that is trusted. */
  readonly connection?: HttpClientOptions
  /** A client of your own, or a server in memory. Not closed with the cluster. */
  readonly client?: KubeClient
  /** Acts on behalf of somebody with fewer rights. Not possible with a client of your own. */
  readonly impersonate?: Impersonation
  /** Names us in `managedFields`. Changing it later leaves the old name as an owner. @defaultValue 'gitops-sdk' */
  readonly fieldManager?: string
  readonly health?: HealthOptions
  /** Writes that run side by side; fewer while the server is overloaded. @defaultValue 8 */
  readonly concurrency?: number
  /** A kind used in more namespaces than this is watched in all of them at once. @defaultValue 5 */
  readonly maxNamespaceWatches?: number
  /** Whether lists are streamed where the server can. @defaultValue true */
  readonly streamLists?: boolean
}

/** A cluster that many applications share: one connection pool, one discovery, one watch for each kind. */
export interface KubernetesCluster extends AsyncDisposable {
  /** Names the server and the identity it is asked as. */
  readonly id: string
}

/** What the target needs of a cluster. */
export interface ClusterParts {
  readonly client: KubeClient
  readonly cache: ClusterCache
  readonly limit: AdaptiveLimit
  readonly manager: string
  readonly concurrency: number
}

const partsOf = new WeakMap<KubernetesCluster, () => Promise<ClusterParts>>()

/** A cluster to be shared by targets. Nothing is asked before it is needed. Throws `CONFIG_INVALID`. */
export function kubernetesCluster(options: ClusterOptions): KubernetesCluster {
  check(options)
  let parts: Promise<ClusterParts> | undefined
  const open = (): Promise<ClusterParts> => {
    const opening = (parts ??= openCluster(options))
    opening.catch(() => {
      if (parts === opening) parts = undefined
    })
    return opening
  }
  const cluster: KubernetesCluster = {
    id: idOf(options),
    async [Symbol.asyncDispose]() {
      const opened = await parts?.catch(() => undefined)
      opened?.cache[Symbol.dispose]()
      if (options.client === undefined) await opened?.client[Symbol.asyncDispose]?.()
    },
  }
  partsOf.set(cluster, open)
  return cluster
}

/** The parts of a cluster, opened when they are first needed. */
export function clusterParts(cluster: KubernetesCluster): Promise<ClusterParts> {
  const open = partsOf.get(cluster)
  if (open === undefined)
    throw new GitOpsError('CONFIG_INVALID', 'The option `cluster` must come from kubernetesCluster().')
  return open()
}

function check(options: ClusterOptions): void {
  const given = (['kubeConfig', 'inCluster', 'connection', 'client'] as const).filter(
    (name) => options[name] !== undefined,
  )
  if (given.length !== 1)
    throw new GitOpsError(
      'CONFIG_INVALID',
      `Give exactly one of kubeConfig, inCluster, connection and client, not ${given.length === 0 ? 'none' : given.join(' and ')}.`,
    )
  const { impersonate } = options
  if (impersonate === undefined) return
  if (options.client !== undefined)
    throw new GitOpsError('CONFIG_INVALID', 'impersonate is not possible with a client of your own.')
  const { user, groups = [] } = impersonate
  if (typeof user !== 'string' || user.trim() === '' || user === 'null')
    throw new GitOpsError(
      'CONFIG_INVALID',
      'impersonate.user must be the name of somebody: without one, requests would be made with full rights.',
    )
  if (groups.includes('system:masters'))
    throw new GitOpsError('CONFIG_INVALID', 'impersonate.groups may not hold system:masters, for which no rule counts.')
}

function idOf({ client, connection, inCluster, kubeConfig, context, impersonate }: ClusterOptions): string {
  if (client !== undefined) return client.id
  const address =
    connection?.server ?? (inCluster === true ? 'in-cluster' : (addressOf(kubeConfig ?? '', context) ?? 'kubeconfig'))
  return impersonate === undefined ? address : `${address} as ${impersonate.user}`
}

/** The first address in a kubeconfig, for an id that needs no waiting. */
function addressOf(text: string | KubeConfigObject, context: string | undefined): string | undefined {
  if (typeof text !== 'string') return text.getCurrentCluster()?.server
  const server = /^\s*server:\s*["']?([^\s"']+)/m.exec(text)?.[1]
  return context === undefined || server === undefined ? server : `${server} (${context})`
}

async function openCluster(options: ClusterOptions): Promise<ClusterParts> {
  const {
    fieldManager: manager = 'gitops-sdk',
    concurrency = 8,
    health = {},
    maxNamespaceWatches,
    streamLists,
  } = options
  const client = options.client ?? httpClient(await connectionOf(options))
  // oxlint-disable-next-line no-restricted-globals -- Pods are judged by their age when they are seen, in the time of their server
  const judge = (object: JsonObject): ReturnType<typeof healthOf> => healthOf(object, Date.now(), health)
  const cache = createClusterCache({
    client,
    looking: { manager, judge },
    ...(maxNamespaceWatches !== undefined && { maxNamespaceWatches }),
    ...(streamLists !== undefined && { streamLists }),
  })
  return { client, cache, limit: createAdaptiveLimit(concurrency), manager, concurrency }
}

async function connectionOf({
  kubeConfig,
  context,
  connection,
  impersonate,
}: ClusterOptions): Promise<HttpClientOptions> {
  const base = connection ?? (await configured(kubeConfig, context))
  return impersonate === undefined ? base : { ...base, impersonate }
}

async function configured(
  config: ClusterOptions['kubeConfig'],
  context: string | undefined,
): Promise<HttpClientOptions> {
  if (config === undefined) return inClusterOptions()
  if (typeof config !== 'string') return kubeConfigObjectOptions(config)
  return kubeConfigOptions(config, context === undefined ? {} : { context })
}
