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

/** What a code means: what happened, whether trying again can help, and what a person should do. */
export interface ErrorMeaning {
  /** The scheduler retries with back-off when true, and waits for a change when false. */
  readonly retryable: boolean
  /** What happened. */
  readonly cause: string
  /** The next step. */
  readonly remedy: string
}

const again = (cause: string, remedy: string): ErrorMeaning => ({ retryable: true, cause, remedy })
const never = (cause: string, remedy: string): ErrorMeaning => ({ retryable: false, cause, remedy })

/**
 * Every error code, in the order data flows. The codes are API; the messages are for people.
 * Keep the reference page (`docs/reference/errors.md`) in step: a test compares them.
 */
export const errorCodes: Readonly<Record<ErrorCode, ErrorMeaning>> = {
  // runtime
  CONFIG_INVALID: never(
    'An option or argument is missing, misspelt or out of range.',
    'Correct the option that the message names.',
  ),
  CANCELLED: never(
    'The caller aborted, or the reconciler was stopped, before it was done.',
    'Nothing: the caller asked for it.',
  ),
  DEADLINE_EXCEEDED: again(
    'A step took longer than its deadline.',
    'Look at what the message says was slow, or raise its deadline.',
  ),
  UNSUPPORTED: never(
    'The source, target or ledger cannot do what was asked of it.',
    'Use a target or source that supports the operation; `supports` tells in advance.',
  ),
  INTERNAL: never(
    'Something was thrown that nobody foresaw.',
    'Report it with the cause: this is a defect of the library or of a port it was given.',
  ),

  // source
  SOURCE_UNREACHABLE: again(
    'The state store did not answer: name, network, proxy or certificate.',
    'Check the network and the address; the last good revision stays in force.',
  ),
  SOURCE_THROTTLED: again(
    'The server limits how often it may be asked.',
    'Wait: the server asked for it. Poll less often or use a webhook.',
  ),
  SOURCE_AUTH: never(
    'The server wants credentials, or refuses the ones it was given.',
    'Give credentials, or renew the ones the callback returns.',
  ),
  SOURCE_NOT_FOUND: never(
    'The server knows no state store at this address, or hides it.',
    'Check the address of the state store and that the credentials may see it.',
  ),
  SOURCE_PROTOCOL: again(
    'The answer is not one that such a server gives: often a login page or a proxy.',
    'The server did not answer as a state store does; check the address and any proxy.',
  ),
  SOURCE_CORRUPT: again(
    'What arrived or was kept does not fit its digest.',
    'Data was damaged or forged in transit or at rest; it was refused and is read again.',
  ),
  SOURCE_LIMIT: never(
    'The source is larger than a limit allows.',
    'Make the source smaller, or raise the limit that the message names.',
  ),
  SOURCE_EMPTY: never(
    'The state store has no revision yet.',
    'Make a first commit; an empty store is never taken as "nothing is desired".',
  ),
  SOURCE_PATH_UNSAFE: never(
    'A name in the tree could be taken for another path.',
    'Rename the entry: it could escape the tree on some system.',
  ),
  SOURCE_SYMLINK: never(
    'A declaration is a link, and links are not followed here.',
    'Replace the link by a file, or allow links inside the tree.',
  ),
  SOURCE_SUBMODULE: never(
    'The path lies in a submodule, which is another repository.',
    'Inline the submodule, or point the application elsewhere.',
  ),
  SOURCE_LFS_POINTER: never(
    'The file holds a pointer of Git LFS and not its content.',
    'Store the declaration itself, not a large-file pointer.',
  ),
  REVISION_NOT_FOUND: never(
    'There is no branch, tag or commit of this name.',
    'Check the branch, tag or commit; the message lists what is there.',
  ),
  REVISION_AMBIGUOUS: never(
    'The name or the digits stand for several revisions.',
    'Write the full ref name (refs/heads/… or refs/tags/…) or more digits of the commit.',
  ),
  REVISION_REWRITTEN: never(
    'The ref was moved to something that does not follow what was applied.',
    'History moved backwards. Confirm it with `follow`, or restore the ref.',
  ),
  REVISION_UNVERIFIED: never(
    'The revision is not signed, or by nobody who may.',
    'Sign the commit or tag with a key that is on the list.',
  ),
  PATH_NOT_FOUND: never(
    'The revision has no such file or folder.',
    'Check the path of the application at that revision.',
  ),
  WRITE_CONFLICT: again(
    'The branch moved while a commit was being made for it.',
    'Somebody pushed first; the edit is replayed on their commit.',
  ),
  WRITE_REFUSED: never(
    'The server refused the push: rights, a protected branch or a hook.',
    'Give the credentials the right to push, or commit by another way.',
  ),
  USERINFO_IN_URL: never(
    'The address holds a user name or a password, which would be logged.',
    'Take the credentials out of the URL and give them through the callback.',
  ),
  DESTINATION_DENIED: never(
    'The address is one that requests may not go to.',
    'Allow the address explicitly if it is meant.',
  ),

  // desired state
  DECLARATION_INVALID: never(
    'A file is not what it should be: its syntax, a field or a schema.',
    'Correct the file at the line and column in the message.',
  ),
  DECLARATION_DUPLICATE: never(
    'The same resource is declared twice.',
    'Remove one of the two declarations that the message names.',
  ),
  DECLARATION_LIMIT: never(
    'A declaration is larger or deeper than a limit allows.',
    'Make the declaration smaller, or raise the limit that the message names.',
  ),
  DECLARATION_FORBIDDEN_KEY: never(
    'A key would change how objects of the language work.',
    'Rename the key: __proto__, constructor and prototype are refused.',
  ),
  DECLARATION_EMPTY: never(
    'Nothing is declared any more, and applying that would delete everything.',
    'Set `allowEmpty` if it is meant that nothing is declared.',
  ),
  PATCH_INVALID: never(
    'A patch does not fit what it is applied to.',
    'Correct the patch operation that the message names.',
  ),
  RENDER_FAILED: never(
    'A renderer (Kustomize, Helm, your function) ended with an error.',
    'Run the renderer by hand on the same folder.',
  ),
  SECRET_DECRYPT: never(
    'An encrypted file could not be opened with the keys there are.',
    'Give the key, or encrypt the file again for this recipient.',
  ),
  INPUT_MISSING: again(
    'An output of another application is needed and not there.',
    'The application it depends on has not published the output yet.',
  ),

  // target
  TARGET_UNREACHABLE: again(
    'The managed system did not answer.',
    'Check the network and the address of the managed system.',
  ),
  TARGET_AUTH: never('The managed system does not accept the credentials.', 'Renew the credentials of the target.'),
  TARGET_FORBIDDEN: never(
    'The identity lacks a right in the managed system.',
    'Give the identity the right that the message names.',
  ),
  TARGET_THROTTLED: again(
    'The managed system limits how often it may be asked.',
    'Wait: the managed system asked for it.',
  ),
  TARGET_REFUSED: never(
    'The managed system does not accept the declaration.',
    'The managed system refuses the declaration; correct it as the message says.',
  ),
  TARGET_INTERNAL: again(
    'The managed system answered with an error of its own.',
    'The managed system failed; look at its own logs.',
  ),
  TARGET_LOCKED: again(
    'Somebody else is changing the same thing just now.',
    'Another run holds the lock that the message names.',
  ),
  OBSERVE_PARTIAL: again(
    'Part of what is declared or owned could not be read.',
    'Part of the actual state could not be read, so nothing is pruned.',
  ),

  // plan and apply
  PLAN_STALE: again(
    'What is applied is not what was planned: declarations or the target moved.',
    'The world moved since the plan was made; it is planned again.',
  ),
  PLAN_BLOCKED: never(
    'The plan holds something that must not be done as it stands.',
    'Resolve what the plan lists as blocked.',
  ),
  PLAN_INCOMPLETE: never(
    'The plan does not cover everything that is declared.',
    'Plan without a selection to see the whole difference.',
  ),
  APPLY_CONFLICT: never(
    'Another manager owns a field that is declared.',
    'Remove the field, or take it over from the owner that the message names.',
  ),
  APPLY_IMMUTABLE: never(
    'A field was changed that the system never changes in place.',
    'Allow `replace` for this resource, or declare it under another name.',
  ),
  APPLY_FAILED: again(
    'At least one change was not made.',
    'Look at the outcomes; what succeeded is kept and the rest is tried again.',
  ),
  APPLY_UNKNOWN: never(
    'A run was interrupted, and nothing tells whether a change was made.',
    'It is not known whether the change happened. Resolve the suspects that the message names.',
  ),
  HEALTH_DEADLINE: again(
    'What was applied did not begin to work within `healthTimeoutMs`.',
    'The resource that the message names did not become healthy in time.',
  ),
  HEALTH_DEGRADED: again('What was applied reports that it failed.', 'Look at the resource that the message names.'),
  HOOK_FAILED: never('A hook ran and failed.', 'Look at the hook that the message names, then reconcile again.'),

  // policy
  POLICY_DENIED: never(
    'A rule of the policy forbids the plan.',
    'Change the declaration, or the rule that the message names.',
  ),
  TENANT_DENIED: never(
    'The application uses something that its restrictions do not allow.',
    'The application may not use it; ask whoever runs the platform.',
  ),
  APPROVAL_MISMATCH: never(
    'The approval names another plan than the one that waits.',
    'Review the new plan and approve its fingerprint.',
  ),
  WEBHOOK_REJECTED: never(
    'A webhook was not signed as it should be, was too large, or was sent before.',
    'Check the secret and the configuration of the webhook.',
  ),

  // ledger
  LEDGER_CORRUPT: never(
    'A file or row of the ledger is damaged or was edited, and no good copy is left.',
    'Restore the ledger from the copy that the message names.',
  ),
  LEDGER_UNAVAILABLE: again(
    'The ledger could not be read or written: disk, database, or another process that holds it.',
    'Check the disk or the database; nothing is written to any target meanwhile.',
  ),
  LEDGER_FENCED: never(
    'Somebody else wrote the record since it was read.',
    'Nothing: another process took the application over.',
  ),
  LEDGER_VERSION: never(
    'The ledger was written by a newer version of the library.',
    'Run a version of the library that knows this ledger.',
  ),

  // reconciler
  APPLICATION_UNKNOWN: never(
    'No application has this name.',
    'Add the application first; the message lists the ones there are.',
  ),
  APPLICATION_DUPLICATE: never('Two applications have the same name.', 'Give each application a name of its own.'),
  DEPENDENCY_UNKNOWN: never(
    'An application depends on one that is not there.',
    'Add the application that the message names, or remove the dependency.',
  ),
  DEPENDENCY_CYCLE: never(
    'Applications depend on each other in a circle.',
    'Remove one of the dependencies on the path in the message.',
  ),
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
