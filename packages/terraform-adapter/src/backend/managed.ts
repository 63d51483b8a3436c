import { randomBytes } from 'node:crypto'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ProcessIdentity } from '../cli/identity.ts'
import type { Grant, GrantRequest } from './grant.ts'
import { answer } from './protocol.ts'

/** The right of one run to use one state, with the environment that gives it to the binary. */
export interface StateGrant {
  readonly environment: Readonly<Record<string, string>>
  /** Names the process that uses it: the lock goes when that one is proven dead. */
  usedBy(process: ProcessIdentity): Promise<void>
  /** Ends the right: whoever still has the token is refused. */
  revoke(): void
}

/** Serves states over HTTP on loopback to the processes that this one starts. */
export interface StateServer extends AsyncDisposable {
  grant(request: GrantRequest): Promise<StateGrant>
}

/** A server that listens from the first grant on. */
export function stateServer(): StateServer {
  const grants = new Map<string, Grant>()
  let listening: Promise<{ readonly server: Server; readonly port: number }> | undefined
  return {
    grant: async (request) => {
      listening ??= listen(grants)
      const { port } = await listening
      const token = randomBytes(24).toString('base64url')
      const grant: Grant = { ...request, process: undefined }
      grants.set(token, grant)
      return {
        environment: environmentOf(port, token, request.run),
        usedBy: async (process) => {
          grant.process = process
          const lease = await request.leases.read()
          if (lease?.run === request.run) await request.leases.write({ ...lease, process })
        },
        revoke: () => void grants.delete(token),
      }
    },
    async [Symbol.asyncDispose]() {
      if (listening === undefined) return
      const { server } = await listening
      listening = undefined
      grants.clear()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** All of it through the environment: nothing of it lands in the working folder or in a plan. */
function environmentOf(port: number, token: string, run: string): Record<string, string> {
  const address = `http://127.0.0.1:${port}/state`
  return {
    TF_HTTP_ADDRESS: address,
    TF_HTTP_LOCK_ADDRESS: address,
    TF_HTTP_UNLOCK_ADDRESS: address,
    TF_HTTP_USERNAME: run,
    TF_HTTP_PASSWORD: token,
    TF_HTTP_RETRY_MAX: '1',
    TF_HTTP_RETRY_WAIT_MIN: '1',
  }
}

async function listen(grants: ReadonlyMap<string, Grant>): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    void answer(grants, request).then(({ status, body = '' }) => {
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
      response.end(body)
    })
  })
  server.unref()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return { server, port: (server.address() as AddressInfo).port }
}
