import type { Call, Json, JsonObject } from '@gitops-sdk/core'

/**
 * The one way to a Kubernetes API server. Two methods: a request that is answered, and one whose answer
 * goes on. A user's own client, or a server in memory, can stand behind it.
 */
export interface KubeClient extends Partial<AsyncDisposable> {
  /** Names the server and the identity it is asked as: no credential. */
  readonly id: string
  /** Sends a request and reads its answer. Throws what `errorFor` makes of a refusal, and `TARGET_UNREACHABLE`. */
  send(request: KubeRequest, call: Call): Promise<KubeAnswer>
  /**
   * Sends a request and yields the objects of its answer, one for each line, as they arrive. Ends when the
   * server ends it; throws as `send` does, also when the connection breaks in the middle. `opened` is called
   * when the server has accepted the request.
   */
  stream(request: KubeRequest, call: Call, opened?: () => void): AsyncIterable<JsonObject>
}

/** A request. */
export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Begins with a slash; every part is escaped already. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: Json
  /** @defaultValue 'application/json' */
  readonly contentType?: string
  /** @defaultValue 'application/json' */
  readonly accept?: string
}

/** The answer to a request that was not refused. */
export interface KubeAnswer {
  readonly status: number
  readonly body: JsonObject
  /** What the server remarked: deprecated versions, policies that warn. */
  readonly warnings: readonly string[]
}
