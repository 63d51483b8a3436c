import { GitOpsError } from '@gitops-sdk/core'
import type { HttpClientOptions } from './http.ts'

/** What is used of a `KubeConfig` of `@kubernetes/client-node`; any object with these two methods fits. */
export interface KubeConfigObject {
  getCurrentCluster(): { readonly server: string; readonly skipTLSVerify?: boolean } | null
  /** Sets `ca`, `cert`, `key` and the header `Authorization`, and renews what has ended. */
  applyToHTTPSOptions(options: object): Promise<void> | void
}

interface Applied {
  readonly ca?: string | Uint8Array
  readonly cert?: string | Uint8Array
  readonly key?: string | Uint8Array
  readonly servername?: string
  readonly headers?: Readonly<Record<string, unknown>>
}

/** Connection options from a `KubeConfig` that somebody else loaded. Throws `CONFIG_INVALID`. */
export async function kubeConfigObjectOptions(config: KubeConfigObject): Promise<HttpClientOptions> {
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new GitOpsError('CONFIG_INVALID', 'The KubeConfig has no current cluster.')
  const apply = async (): Promise<Applied> => {
    const options = { headers: {} }
    await config.applyToHTTPSOptions(options)
    return options
  }
  const { ca, cert, key, servername } = await apply()
  return {
    server: cluster.server,
    token: async () => bearerIn(await apply()),
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== undefined && { serverName: servername }),
    ...(cluster.skipTLSVerify === true && { insecureSkipVerify: true }),
  }
}

function bearerIn({ headers }: Applied): string | undefined {
  const header = headers?.['Authorization'] ?? headers?.['authorization']
  return typeof header === 'string' && header.startsWith('Bearer ') ? header.slice('Bearer '.length) : undefined
}
