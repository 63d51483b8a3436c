import { dateAt } from '../../runtime/clock.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { SignedObject } from './signed-object.ts'
import { unverified } from './unverified.ts'

/** Verifies OpenPGP signatures. `openPgpVerifier` makes one. */
export interface OpenPgpVerifier {
  /** Returns who signed. Throws `REVISION_UNVERIFIED`. */
  verify(signed: SignedObject, nowMs: number): Promise<string>
}

/** What is used of OpenPGP.js (the package `openpgp`, version 6): pass the module itself. */
export interface OpenPgpLibrary {
  readKeys(options: { armoredKeys: string }): Promise<readonly OpenPgpKey[]>
  readSignature(options: { armoredSignature: string }): Promise<OpenPgpSignature>
  createMessage(options: { binary: Uint8Array }): Promise<unknown>
  verify(options: {
    message: never
    signature: never
    verificationKeys: never
    date: Date
    format: 'binary'
  }): Promise<{ readonly signatures: readonly { readonly verified: Promise<unknown> }[] }>
}

/** What is used of a key. */
export interface OpenPgpKey {
  getKeys(keyId?: unknown): readonly unknown[]
  getUserIDs(): readonly string[]
  getFingerprint(): string
  getExpirationTime(): Promise<unknown>
  isRevoked(signature?: unknown, key?: unknown, date?: Date): Promise<boolean>
}

/** What is used of a signature. */
export interface OpenPgpSignature {
  getSigningKeyIDs(): readonly unknown[]
}

/** How OpenPGP signatures are verified. */
export interface OpenPgpOptions {
  /** `await import('openpgp')`. It is not a dependency of this library: who wants it installs it. */
  readonly openpgp: OpenPgpLibrary
  /** Armored public keys, each of one or more owners. Only these are trusted. */
  readonly armoredKeys: readonly string[]
}

/** Reads the keys and returns a verifier. Throws `CONFIG_INVALID` when a key cannot be read or there is none. */
export async function openPgpVerifier({ openpgp, armoredKeys }: OpenPgpOptions): Promise<OpenPgpVerifier> {
  const keys = (await Promise.all(armoredKeys.map((text, index) => readKeys(openpgp, text, index)))).flat()
  if (keys.length === 0) throw new GitOpsError('CONFIG_INVALID', 'No OpenPGP key was given: nothing could be verified.')
  return { verify: (signed, nowMs) => verify(openpgp, keys, signed, dateAt(nowMs)) }
}

async function readKeys(openpgp: OpenPgpLibrary, armoredKeys: string, index: number): Promise<readonly OpenPgpKey[]> {
  try {
    return await openpgp.readKeys({ armoredKeys })
  } catch (cause) {
    throw new GitOpsError('CONFIG_INVALID', `OpenPGP key ${index + 1} cannot be read.`, { cause })
  }
}

async function verify(
  openpgp: OpenPgpLibrary,
  keys: readonly OpenPgpKey[],
  signed: SignedObject,
  now: Date,
): Promise<string> {
  const { subject, payload } = signed
  const signature = await readSignature(openpgp, signed)
  const key = chooseKey(signature, keys, subject)
  await checkKey(key, now, subject)
  const message = await openpgp.createMessage({ binary: payload })
  try {
    // The library's own objects go back to it as they came: their types are its business, hence `never`.
    const objects = { message: message as never, signature: signature as never, verificationKeys: key as never }
    const answer = await openpgp.verify({ ...objects, date: now, format: 'binary' })
    await Promise.all(answer.signatures.map(({ verified }) => verified))
  } catch (cause) {
    throw unverified('tampered', subject, 'its signature does not match its content or its key', cause)
  }
  return key.getUserIDs()[0] ?? key.getFingerprint()
}

async function readSignature(openpgp: OpenPgpLibrary, { signature, subject }: SignedObject): Promise<OpenPgpSignature> {
  try {
    return await openpgp.readSignature({ armoredSignature: signature })
  } catch (cause) {
    throw unverified('malformed', subject, 'its signature cannot be read', cause)
  }
}

function chooseKey(signature: OpenPgpSignature, keys: readonly OpenPgpKey[], subject: string): OpenPgpKey {
  const [keyId, ...others] = signature.getSigningKeyIDs()
  if (keyId === undefined) throw unverified('unsigned', subject, 'its signature is empty')
  if (others.length > 0) throw unverified('several-signatures', subject, 'it was signed several times')
  const key = keys.find((candidate) => candidate.getKeys(keyId).length > 0)
  if (key === undefined) throw unverified('untrusted', subject, 'its key is not one of the trusted keys')
  return key
}

async function checkKey(key: OpenPgpKey, now: Date, subject: string): Promise<void> {
  if (await key.isRevoked(undefined, undefined, now)) throw unverified('revoked', subject, 'its key was revoked')
  const end = await key.getExpirationTime()
  if (typeof end === 'number' && end === Infinity) return
  const isValid = end !== null && typeof end === 'object' && Number(end) > now.getTime()
  if (!isValid) throw unverified('expired', subject, 'its key is no longer valid')
}
