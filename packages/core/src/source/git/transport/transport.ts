import type { Call } from '../../../runtime/call.ts'

/** The two programs of a Git server: one to read from, one to write to. */
export type Service = 'git-upload-pack' | 'git-receive-pack'

/** A way to one repository. Bytes only: what they mean is the business of `protocol/`. */
export interface Transport {
  /** The greeting of the server. */
  greet(service: Service, call: Call): AsyncIterable<Buffer>
  /** Sends one request and gives the answer, without a greeting before it. */
  exchange(service: Service, body: Buffer, call: Call): AsyncIterable<Buffer>
  [Symbol.asyncDispose](): Promise<void>
}

/** How long a server may take. Each is a deadline of its own. */
export interface GitTimeouts {
  /** To accept the connection, handshake included. @defaultValue 10_000 */
  readonly connectMs: number
  /** From the request to the first byte of the answer. @defaultValue 60_000 */
  readonly firstByteMs: number
  /** Between two pieces of the answer. @defaultValue 30_000 */
  readonly silenceMs: number
  /** For the whole answer. @defaultValue 600_000 */
  readonly totalMs: number
}

/** The deadlines where nothing else is given. */
export const defaultTimeouts: GitTimeouts = {
  connectMs: 10_000,
  firstByteMs: 60_000,
  silenceMs: 30_000,
  totalMs: 600_000,
}
