import type { Call } from '../../../runtime/call.ts'
import type { Service } from './transport.ts'

/** What proves to a server who is asking. Never part of a URL, a file or a message. */
export type GitCredentials = { readonly username: string; readonly password: string } | { readonly bearer: string }

/** What credentials are wanted for. */
export interface CredentialsRequest {
  /** The address of the repository, without credentials. */
  readonly url: string
  readonly service: Service
  /** The server refused what was given before: give something fresh, or `undefined`. */
  readonly refused: boolean
}

/**
 * Gives credentials, or `undefined` to ask without any. Called before every request, so it should
 * remember what it gave; called once more with `refused` when the server said no.
 */
export type CredentialsProvider = (
  request: CredentialsRequest,
  call: Call,
) => Promise<GitCredentials | undefined> | GitCredentials | undefined

/** The value of the `Authorization` header. */
export function authorization(credentials: GitCredentials): string {
  if ('bearer' in credentials) return `Bearer ${credentials.bearer}`
  const pair = `${credentials.username}:${credentials.password}`
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`
}
