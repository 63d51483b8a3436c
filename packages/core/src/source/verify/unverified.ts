import { GitOpsError } from '../../runtime/errors.ts'

/** Why a revision was not accepted. */
export type UnverifiedReason =
  | 'unsigned'
  | 'several-signatures'
  | 'malformed'
  | 'unsupported'
  | 'wrong-namespace'
  | 'untrusted'
  | 'not-yet-valid'
  | 'expired'
  | 'revoked'
  | 'tampered'
  | 'wrong-id'
  | 'wrong-target'

/** `REVISION_UNVERIFIED` with the reason in its details. `subject` names the object: `commit 1a2b3c`. */
export function unverified(reason: UnverifiedReason, subject: string, why: string, cause?: unknown): GitOpsError {
  return new GitOpsError('REVISION_UNVERIFIED', `The ${subject} is not verified: ${why}.`, {
    details: { reason, subject },
    ...(cause === undefined ? {} : { cause }),
  })
}
