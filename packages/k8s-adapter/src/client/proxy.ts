import { once } from 'node:events'
import { type Agent as HttpAgent, request } from 'node:http'
import type { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'
import { connect as tlsConnect, type ConnectionOptions } from 'node:tls'
import { callbackify } from 'node:util'
import { GitOpsError } from '@gitops-sdk/core'

/** Makes an agent open its connections through a proxy, as tunnels (`CONNECT`). Throws `CONFIG_INVALID`. */
export function throughProxy<A extends HttpAgent | HttpsAgent>(agent: A, address: string, isSecure: boolean): A {
  const proxy = parse(address)
  const open = async (options: ConnectionOptions): Promise<Socket> => {
    const socket = await tunnel(proxy, `${options.host ?? ''}:${options.port ?? (isSecure ? 443 : 80)}`)
    return isSecure ? tlsConnect({ ...options, socket }) : socket
  }
  // Node calls it with a callback that its types do not have.
  return Object.assign(agent, { createConnection: callbackify(open) })
}

function parse(address: string): URL {
  const proxy = URL.canParse(address) ? new URL(address) : undefined
  if (proxy?.protocol !== 'http:')
    throw new GitOpsError('CONFIG_INVALID', 'The proxy must be an address that begins with http://.')
  return proxy
}

async function tunnel(proxy: URL, host: string): Promise<Socket> {
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  const outgoing = request({
    host: proxy.hostname,
    port: proxy.port === '' ? 80 : proxy.port,
    method: 'CONNECT',
    path: host,
    headers: {
      Host: host,
      ...(proxy.username !== '' && { 'Proxy-Authorization': `Basic ${Buffer.from(credentials).toString('base64')}` }),
    },
  })
  outgoing.end()
  const [response, socket] = (await once(outgoing, 'connect')) as [{ statusCode?: number }, Socket]
  if (response.statusCode === 200) return socket
  socket.destroy()
  throw new GitOpsError(
    'TARGET_UNREACHABLE',
    `The proxy ${proxy.host} refused to connect (${response.statusCode ?? 0}).`,
  )
}
