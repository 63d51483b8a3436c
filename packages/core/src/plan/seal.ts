import { canonicalJson } from '../desired/digest.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { Json } from '../runtime/json.ts'
import { hmacSha256Hex } from '../runtime/sha256.ts'
import type { Seal } from './plan.ts'

/** Digits of a stand-in: 128 bits, so that two secrets do not look equal by accident. */
const REDACTED_DIGITS = 32

/**
 * A seal with the key of this installation (HMAC-SHA-256). Without the key, neither a fingerprint
 * nor a stand-in can be tested against guesses of the value. Throws `CONFIG_INVALID` for a key
 * shorter than 16 bytes.
 */
export function createSeal(key: Uint8Array): Seal {
  if (key.length < 16)
    throw new GitOpsError('CONFIG_INVALID', `A seal needs a key of 16 bytes or more, not ${key.length}.`)
  const keyed = (purpose: string, value: Json): string => hmacSha256Hex(key, `${purpose}\n${canonicalJson(value)}`)
  return {
    fingerprint: (value) => keyed('fingerprint', value),
    redact: (value) => ({ redacted: keyed('redact', value).slice(0, REDACTED_DIGITS) }),
  }
}
