import { type ErrorCode, GitOpsError, type Json, type JsonObject } from '@gitops-sdk/core'
import { objectOf, textOf } from './json.ts'

/** An answer that refuses a request, before it is understood. */
export interface Refusal {
  readonly method: string
  readonly path: string
  readonly status: number
  /** The body, when it is a `Status` of Kubernetes; text otherwise. */
  readonly body: JsonObject | string
  readonly retryAfterMs?: number
  readonly auditId?: string
}

/** What `GitOpsError.details` of a refusal holds. */
export interface RefusalDetails {
  readonly status: number
  /** The reason the server gave, or one of ours: `NotServed`, `FieldManagerConflict`, `NamespaceTerminating`. */
  readonly reason: string
  readonly causes: readonly RefusalCause[]
  readonly auditId?: string
}

/** One cause of a refusal. */
export interface RefusalCause {
  readonly reason: string
  readonly field: string
  readonly message: string
}

/** More of a message than this is of no use to anybody, and may be a whole object. */
const MAX_MESSAGE = 400

/**
 * The error for a refusal. Decides by status, reason and causes; the text of the server is repeated only
 * shortened, and for Secrets not at all, because it quotes values.
 */
export function errorFor(refusal: Refusal): GitOpsError {
  const status = typeof refusal.body === 'string' ? undefined : refusal.body
  const causes = causesOf(status)
  const reason = reasonOf(refusal, status, causes)
  const { code, retryable } = meaningOf(refusal.status, reason, causes)
  const details = {
    status: refusal.status,
    reason,
    causes: isAboutSecrets(refusal) ? causes.map(withoutMessage) : causes,
    ...(refusal.auditId && { auditId: refusal.auditId }),
  }
  return new GitOpsError(
    code,
    `${what(refusal)} was refused (${refusal.status} ${reason}): ${said(refusal, status, causes)}`,
    {
      details,
      ...(retryable !== undefined && { retryable }),
      ...(refusal.retryAfterMs !== undefined && { retryAfterMs: refusal.retryAfterMs }),
    },
  )
}

/** The facts of a refusal; `undefined` for any other error. */
export function refusalOf(error: unknown): RefusalDetails | undefined {
  if (!(error instanceof GitOpsError) || typeof error.details['status'] !== 'number') return undefined
  return error.details as unknown as RefusalDetails
}

/** Whether the server said that the object is not there; a kind or a namespace that is not there is another thing. */
export function isNotFound(error: unknown): boolean {
  return refusalOf(error)?.reason === 'NotFound'
}

function reasonOf(refusal: Refusal, status: JsonObject | undefined, causes: readonly RefusalCause[]): string {
  const given = status?.['reason']
  if (refusal.status === 404 && status === undefined) return 'NotServed'
  if (
    refusal.status === 404 &&
    objectOf(status?.['details'])['kind'] === 'namespaces' &&
    !/\/namespaces\/[^/]*$/.test(refusal.path)
  )
    return 'NamespaceNotFound'
  const special = causes.find(({ reason }) => reason === 'FieldManagerConflict' || reason === 'NamespaceTerminating')
  if (special !== undefined) return special.reason
  return typeof given === 'string' && given !== '' ? given : 'NoReason'
}

interface Meaning {
  readonly code: ErrorCode
  readonly retryable?: boolean
}

function meaningOf(status: number, reason: string, causes: readonly RefusalCause[]): Meaning {
  if (reason === 'NamespaceTerminating') return { code: 'TARGET_LOCKED' }
  if (reason === 'FieldManagerConflict') return { code: 'APPLY_CONFLICT' }
  if (reason === 'NotServed' || reason === 'NamespaceNotFound') return { code: 'TARGET_REFUSED', retryable: true }
  // A quota frees itself when something else goes.
  if (status === 403) return { code: 'TARGET_FORBIDDEN' }
  if (status === 401) return { code: 'TARGET_AUTH' }
  if (status === 409) return { code: 'PLAN_STALE' }
  if (status === 410) return { code: 'PLAN_STALE' }
  if (status === 429) return { code: 'TARGET_THROTTLED' }
  // Schema errors of server-side apply come as 500 without a reason; a webhook that is down says InternalError.
  if (status === 500 && reason === 'NoReason' && causes.length === 0) return { code: 'TARGET_REFUSED' }
  if (status >= 502 && status <= 504) return { code: 'TARGET_UNREACHABLE' }
  return { code: status >= 500 ? 'TARGET_INTERNAL' : 'TARGET_REFUSED' }
}

function causesOf(status: JsonObject | undefined): RefusalCause[] {
  const causes = objectOf(status?.['details'])['causes']
  if (!Array.isArray(causes)) return []
  return causes.slice(0, 20).map((each: Json) => {
    const { reason, field, message } = objectOf(each)
    return { reason: textOf(reason), field: textOf(field), message: shorten(textOf(message)) }
  })
}

function said(refusal: Refusal, status: JsonObject | undefined, causes: readonly RefusalCause[]): string {
  if (isAboutSecrets(refusal))
    return (
      causes.map(({ field, reason }) => `${field} ${reason}`).join(', ') ||
      'the server gives no reason that may be shown.'
    )
  const message = status?.['message']
  return shorten(
    typeof message === 'string' ? message : typeof refusal.body === 'string' ? refusal.body : 'no reason given',
  )
}

/** Values are quoted by the server and can be whole objects. */
function shorten(message: string): string {
  const text = message.replace(/Invalid value: ("(?:[^"\\]|\\.)*"|[^:]*): /g, 'Invalid value: ').trim()
  return text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE - 1)}…`
}

function isAboutSecrets({ path }: Refusal): boolean {
  return /\/secrets(\/|$)/.test(path)
}

function withoutMessage(cause: RefusalCause): RefusalCause {
  return { ...cause, message: '' }
}

function what({ method, path }: Refusal): string {
  return `${method} ${path}`
}
