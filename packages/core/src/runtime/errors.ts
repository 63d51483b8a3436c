/** The closed set of error codes. */
export type ErrorCode =
  | 'CONFIG_INVALID'
  | 'CANCELLED'
  | 'DEADLINE_EXCEEDED'
  | 'UNSUPPORTED'
  | 'INTERNAL'
  | 'SOURCE_UNREACHABLE'
  | 'SOURCE_THROTTLED'
  | 'SOURCE_AUTH'
  | 'SOURCE_NOT_FOUND'
  | 'SOURCE_PROTOCOL'
  | 'SOURCE_CORRUPT'
  | 'SOURCE_LIMIT'
  | 'SOURCE_EMPTY'
  | 'SOURCE_PATH_UNSAFE'
  | 'SOURCE_SYMLINK'
  | 'SOURCE_SUBMODULE'
  | 'SOURCE_LFS_POINTER'
  | 'REVISION_NOT_FOUND'
  | 'REVISION_AMBIGUOUS'
  | 'REVISION_REWRITTEN'
  | 'REVISION_UNVERIFIED'
  | 'PATH_NOT_FOUND'
  | 'WRITE_CONFLICT'
  | 'WRITE_REFUSED'
  | 'USERINFO_IN_URL'
  | 'DESTINATION_DENIED'
  | 'DECLARATION_INVALID'
  | 'DECLARATION_DUPLICATE'
  | 'DECLARATION_LIMIT'
  | 'DECLARATION_FORBIDDEN_KEY'
  | 'DECLARATION_EMPTY'
  | 'PATCH_INVALID'
  | 'RENDER_FAILED'
  | 'SECRET_DECRYPT'
  | 'INPUT_MISSING'
  | 'TARGET_UNREACHABLE'
  | 'TARGET_AUTH'
  | 'TARGET_FORBIDDEN'
  | 'TARGET_THROTTLED'
  | 'TARGET_REFUSED'
  | 'TARGET_INTERNAL'
  | 'TARGET_LOCKED'
  | 'OBSERVE_PARTIAL'
  | 'PLAN_STALE'
  | 'PLAN_BLOCKED'
  | 'PLAN_INCOMPLETE'
  | 'APPLY_CONFLICT'
  | 'APPLY_IMMUTABLE'
  | 'APPLY_FAILED'
  | 'APPLY_UNKNOWN'
  | 'HEALTH_DEADLINE'
  | 'HEALTH_DEGRADED'
  | 'HOOK_FAILED'
  | 'POLICY_DENIED'
  | 'TENANT_DENIED'
  | 'APPROVAL_MISMATCH'
  | 'WEBHOOK_REJECTED'
  | 'LEDGER_CORRUPT'
  | 'LEDGER_UNAVAILABLE'
  | 'LEDGER_FENCED'
  | 'LEDGER_VERSION'
  | 'APPLICATION_UNKNOWN'
  | 'APPLICATION_DUPLICATE'
  | 'DEPENDENCY_UNKNOWN'
  | 'DEPENDENCY_CYCLE'

/** What a code means: whether trying again can help, and what a person should do. */
export interface ErrorMeaning {
  /** The scheduler retries with back-off when true, and waits for a change when false. */
  readonly retryable: boolean
  /** One sentence for the reference page: the next step. */
  readonly remedy: string
}

const again = (remedy: string): ErrorMeaning => ({ retryable: true, remedy })
const never = (remedy: string): ErrorMeaning => ({ retryable: false, remedy })

/**
 * Every error code, in the order data flows. The codes are API; the messages are for people.
 * Keep the reference page (`docs/reference/errors.md`) in step: a test compares them.
 */
export const errorCodes: Readonly<Record<ErrorCode, ErrorMeaning>> = {
  // runtime
  CONFIG_INVALID: never('Correct the option that the message names.'),
  CANCELLED: never('Nothing: the caller asked for it.'),
  DEADLINE_EXCEEDED: again('Look at what the message says was slow, or raise its deadline.'),
  UNSUPPORTED: never('Use a target or source that supports the operation; `supports` tells in advance.'),
  INTERNAL: never('Report it with the cause: this is a defect of the library or of a port it was given.'),

  // source
  SOURCE_UNREACHABLE: again('Check the network and the address; the last good revision stays in force.'),
  SOURCE_THROTTLED: again('Wait: the server asked for it. Poll less often or use a webhook.'),
  SOURCE_AUTH: never('Give credentials, or renew the ones the callback returns.'),
  SOURCE_NOT_FOUND: never('Check the address of the state store and that the credentials may see it.'),
  SOURCE_PROTOCOL: again('The server did not answer as a state store does; check the address and any proxy.'),
  SOURCE_CORRUPT: again('Data was damaged or forged in transit or at rest; it was refused and is read again.'),
  SOURCE_LIMIT: never('Make the source smaller, or raise the limit that the message names.'),
  SOURCE_EMPTY: never('Make a first commit; an empty store is never taken as "nothing is desired".'),
  SOURCE_PATH_UNSAFE: never('Rename the entry: it could escape the tree on some system.'),
  SOURCE_SYMLINK: never('Replace the link by a file, or allow links inside the tree.'),
  SOURCE_SUBMODULE: never('Inline the submodule, or point the application elsewhere.'),
  SOURCE_LFS_POINTER: never('Store the declaration itself, not a large-file pointer.'),
  REVISION_NOT_FOUND: never('Check the branch, tag or commit; the message lists what is there.'),
  REVISION_AMBIGUOUS: never('Write the full ref name (refs/heads/… or refs/tags/…) or more digits of the commit.'),
  REVISION_REWRITTEN: never('History moved backwards. Confirm it with `follow`, or restore the ref.'),
  REVISION_UNVERIFIED: never('Sign the commit or tag with a key that is on the list.'),
  PATH_NOT_FOUND: never('Check the path of the application at that revision.'),
  WRITE_CONFLICT: again('Somebody pushed first; the edit is replayed on their commit.'),
  WRITE_REFUSED: never('Give the credentials the right to push, or commit by another way.'),
  USERINFO_IN_URL: never('Take the credentials out of the URL and give them through the callback.'),
  DESTINATION_DENIED: never('Allow the address explicitly if it is meant.'),

  // desired state
  DECLARATION_INVALID: never('Correct the file at the line and column in the message.'),
  DECLARATION_DUPLICATE: never('Remove one of the two declarations that the message names.'),
  DECLARATION_LIMIT: never('Make the declaration smaller, or raise the limit that the message names.'),
  DECLARATION_FORBIDDEN_KEY: never('Rename the key: __proto__, constructor and prototype are refused.'),
  DECLARATION_EMPTY: never('Set `allowEmpty` if it is meant that nothing is declared.'),
  PATCH_INVALID: never('Correct the patch operation that the message names.'),
  RENDER_FAILED: never('Run the renderer by hand on the same folder.'),
  SECRET_DECRYPT: never('Give the key, or encrypt the file again for this recipient.'),
  INPUT_MISSING: again('The application it depends on has not published the output yet.'),

  // target
  TARGET_UNREACHABLE: again('Check the network and the address of the managed system.'),
  TARGET_AUTH: never('Renew the credentials of the target.'),
  TARGET_FORBIDDEN: never('Give the identity the right that the message names.'),
  TARGET_THROTTLED: again('Wait: the managed system asked for it.'),
  TARGET_REFUSED: never('The managed system refuses the declaration; correct it as the message says.'),
  TARGET_INTERNAL: again('The managed system failed; look at its own logs.'),
  TARGET_LOCKED: again('Another run holds the lock that the message names.'),
  OBSERVE_PARTIAL: again('Part of the actual state could not be read, so nothing is pruned.'),

  // plan and apply
  PLAN_STALE: again('The world moved since the plan was made; it is planned again.'),
  PLAN_BLOCKED: never('Resolve what the plan lists as blocked.'),
  PLAN_INCOMPLETE: never('Plan without a selection to see the whole difference.'),
  APPLY_CONFLICT: never('Remove the field, or take it over from the owner that the message names.'),
  APPLY_IMMUTABLE: never('Allow `replace` for this resource, or declare it under another name.'),
  APPLY_FAILED: again('Look at the outcomes; what succeeded is kept and the rest is tried again.'),
  APPLY_UNKNOWN: never('It is not known whether the change happened. Resolve the suspects that the message names.'),
  HEALTH_DEADLINE: again('The resource that the message names did not become healthy in time.'),
  HEALTH_DEGRADED: again('Look at the resource that the message names.'),
  HOOK_FAILED: never('Look at the hook that the message names, then reconcile again.'),

  // policy
  POLICY_DENIED: never('Change the declaration, or the rule that the message names.'),
  TENANT_DENIED: never('The application may not use it; ask whoever runs the platform.'),
  APPROVAL_MISMATCH: never('Review the new plan and approve its fingerprint.'),
  WEBHOOK_REJECTED: never('Check the secret and the configuration of the webhook.'),

  // ledger
  LEDGER_CORRUPT: never('Restore the ledger from the copy that the message names.'),
  LEDGER_UNAVAILABLE: again('Check the disk or the database; nothing is written to any target meanwhile.'),
  LEDGER_FENCED: never('Nothing: another process took the application over.'),
  LEDGER_VERSION: never('Run a version of the library that knows this ledger.'),

  // reconciler
  APPLICATION_UNKNOWN: never('Add the application first; the message lists the ones there are.'),
  APPLICATION_DUPLICATE: never('Give each application a name of its own.'),
  DEPENDENCY_UNKNOWN: never('Add the application that the message names, or remove the dependency.'),
  DEPENDENCY_CYCLE: never('Remove one of the dependencies on the path in the message.'),
}

/** What may be said about an error besides its code and message. */
export interface ErrorDetails {
  /** The original error. Its message may hold a secret, so it is never sent or stored. */
  readonly cause?: unknown
  /** Overrides what the code says about trying again. */
  readonly retryable?: boolean
  /** The managed system or server asked to wait this long, in milliseconds. */
  readonly retryAfterMs?: number
  /** Facts for a program: plain JSON, no secret. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** The one error class. Decide by `code`, show `message`, obey `retryable`. */
export class GitOpsError extends Error {
  override readonly name = 'GitOpsError'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, more: ErrorDetails = {}) {
    super(message, 'cause' in more ? { cause: more.cause } : undefined)
    this.code = code
    this.retryable = more.retryable ?? errorCodes[code].retryable
    this.retryAfterMs = more.retryAfterMs
    this.details = more.details ?? {}
  }

  /** The error as plain data, without cause and stack. */
  toJSON(): ErrorRecord {
    return { code: this.code, message: this.message, retryable: this.retryable, details: this.details }
  }
}

/** An error as it is stored and sent. */
export interface ErrorRecord {
  readonly code: ErrorCode
  readonly message: string
  readonly retryable: boolean
  readonly details?: Readonly<Record<string, unknown>>
}

/** `thrown` as a `GitOpsError`: itself, or `INTERNAL` around it. `activity` says what was going on. */
export function toGitOpsError(thrown: unknown, activity: string): GitOpsError {
  if (thrown instanceof GitOpsError) return thrown
  const reason = thrown instanceof Error ? thrown.message : String(thrown)
  return new GitOpsError('INTERNAL', `${activity} failed unexpectedly: ${reason}`, { cause: thrown })
}
