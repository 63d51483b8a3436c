import type { AllowedSigner } from './allowed-signers.ts'
import type { OpenPgpVerifier } from './openpgp.ts'
import { type RawObject, type SignedObject, signedCommit, signedTag, tagHeaders } from './signed-object.ts'
import { verifySsh } from './ssh.ts'
import { unverified } from './unverified.ts'

/** Whose signatures count. A kind that is left out is not accepted. */
export interface Trust {
  /** From `parseAllowedSigners`. */
  readonly ssh?: readonly AllowedSigner[]
  /** From `openPgpVerifier`. */
  readonly openpgp?: OpenPgpVerifier
}

/** Who signed what. */
export interface Signer {
  readonly kind: 'ssh' | 'openpgp'
  /** The principals of an allowed signer, or the first user id of an OpenPGP key. */
  readonly name: string
}

/**
 * Proves that a commit is exactly what a trusted key signed, and returns the signer. Signatures of
 * its parents say nothing about it. Throws `REVISION_UNVERIFIED` with `details.reason`.
 */
export function verifyCommit(commit: RawObject, trust: Trust, nowMs: number): Promise<Signer> {
  return settle(() => verifySigned(signedCommit(commit), trust, nowMs))
}

/**
 * Proves that a trusted key signed the annotated tag `name`, and that it points to `commitId`.
 * Throws `REVISION_UNVERIFIED` with `details.reason`.
 */
export function verifyTag(
  tag: RawObject & { readonly name: string },
  commitId: string,
  trust: Trust,
  nowMs: number,
): Promise<Signer> {
  return settle(async () => {
    const signed = signedTag(tag)
    const signer = await verifySigned(signed, trust, nowMs)
    const { object, name } = tagHeaders(tag)
    if (object !== commitId) throw unverified('wrong-target', signed.subject, 'it points to another commit')
    if (name !== tag.name) throw unverified('wrong-target', signed.subject, 'it was signed under another name')
    return signer
  })
}

// A rejection whether the work throws at once or later.
async function settle(work: () => Promise<Signer>): Promise<Signer> {
  return await work()
}

async function verifySigned(signed: SignedObject, trust: Trust, nowMs: number): Promise<Signer> {
  if (signed.kind === 'ssh') {
    if (trust.ssh === undefined) throw unverified('untrusted', signed.subject, 'SSH signatures are not accepted')
    return { kind: 'ssh', name: await verifySsh(signed, trust.ssh, nowMs) }
  }
  if (trust.openpgp === undefined) throw unverified('untrusted', signed.subject, 'OpenPGP signatures are not accepted')
  return { kind: 'openpgp', name: await trust.openpgp.verify(signed, nowMs) }
}
