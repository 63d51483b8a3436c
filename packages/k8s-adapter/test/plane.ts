import { randomUUID } from 'node:crypto'
import { createCall, type JsonObject } from '@gitops-sdk/core'
import { afterAll, beforeAll } from 'vitest'
import { isNotFound } from '../src/client/errors.ts'
import { httpClient, type HttpClientOptions, type KubeClient, type KubeRequest } from '../src/index.ts'

/** A server to tell stories on. */
export interface Plane extends AsyncDisposable {
  connection(user?: string): HttpClientOptions
}

/** What the tests of one file stand on: a server, and the means of its admin, who does what is not the target's doing. */
export interface StagedPlane {
  readonly connection: Plane['connection']
  readonly admin: KubeClient
  /** A name that nothing on this server has. */
  readonly freshName: () => string
  /** A namespace that nobody else uses. */
  readonly freshNamespace: () => Promise<string>
  readonly make: (path: string, body: JsonObject) => Promise<JsonObject>
  /** Merges a patch, as somebody else does. */
  readonly edit: (path: string, body: JsonObject, manager?: string) => Promise<JsonObject>
  /** Applies on the server, as another tool does. */
  readonly applyAs: (manager: string, path: string, body: JsonObject, force?: boolean) => Promise<JsonObject>
  /** Undefined where there is nothing; any other failure is one of the test. */
  readonly read: (path: string) => Promise<JsonObject | undefined>
  readonly remove: (path: string) => Promise<void>
}

/** Starts a server before the tests of a file and ends it after them. All of this can be used once they run. */
export function stagePlane(start: () => Promise<Plane>): StagedPlane {
  const call = createCall()
  let plane: Plane
  let client: KubeClient
  beforeAll(async () => {
    plane = await start()
    client = httpClient(plane.connection())
  })
  afterAll(async () => {
    await client?.[Symbol.asyncDispose]?.()
    await plane?.[Symbol.asyncDispose]()
  })
  const admin: KubeClient = {
    get id() {
      return client.id
    },
    send: (request, given) => client.send(request, given),
    stream: (request, given, opened) => client.stream(request, given, opened),
  }
  const send = async (request: KubeRequest): Promise<JsonObject> => (await admin.send(request, call)).body
  const make: StagedPlane['make'] = (path, body) => send({ method: 'POST', path, body })
  const patch = (format: string, path: string, body: JsonObject, query: Record<string, string>): Promise<JsonObject> =>
    send({ method: 'PATCH', path, query, body, contentType: `application/${format}` })
  const run = randomUUID().slice(0, 8)
  let count = 0
  const freshName = (): string => `t-${run}-${++count}`
  return {
    admin,
    connection: (user) => plane.connection(user),
    freshName,
    freshNamespace: async () => {
      const name = freshName()
      await make('/api/v1/namespaces', { metadata: { name } })
      return name
    },
    make,
    edit: (path, body, manager = 'kubectl-edit') => patch('merge-patch+json', path, body, { fieldManager: manager }),
    applyAs: (manager, path, body, force = false) =>
      patch('apply-patch+yaml', path, body, { fieldManager: manager, ...(force && { force: 'true' }) }),
    read: async (path) => {
      try {
        return await send({ method: 'GET', path })
      } catch (thrown) {
        if (isNotFound(thrown)) return undefined
        throw thrown
      }
    },
    remove: async (path) => void (await send({ method: 'DELETE', path })),
  }
}
