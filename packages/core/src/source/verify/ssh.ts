import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { AllowedSigner } from './allowed-signers.ts'
import { asText, fromBase64, sameBytes, wireReader, wireString } from './bytes.ts'
import type { SignedObject } from './signed-object.ts'
import { verifySshSignature } from './ssh-key.ts'
import { unverified } from './unverified.ts'

/** The purpose that git writes into its SSH signatures; one made for another purpose proves nothing here. */
const NAMESPACE = 'git'
const MAGIC = 'SSHSIG'

/** A signature as OpenSSH writes it (PROTOCOL.sshsig). */
interface SshSignature {
  readonly key: Uint8Array
  readonly namespace: string
  readonly reserved: Uint8Array
  readonly hash: string
  readonly signature: Uint8Array
}

/**
 * Verifies an SSH signature and returns who made it. A key counts while it is valid at `nowMs`: the
 * date in a commit is written by whoever made it, so it proves nothing about when a key was used.
 */
export async function verifySsh(
  signed: SignedObject,
  signers: readonly AllowedSigner[],
  nowMs: number,
): Promise<string> {
  const signature = parseSignature(signed)
  if (signature.namespace !== NAMESPACE)
    throw unverified('wrong-namespace', signed.subject, 'its signature was made for another purpose than git')
  const signer = chooseSigner(signed, signature, signers, nowMs)
  if (await isGenuine(signed, signature)) return signer.principals
  throw unverified('tampered', signed.subject, 'its signature does not match its content')
}

function parseSignature({ signature, subject }: SignedObject): SshSignature {
  const armor = /^-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]+)\n-----END SSH SIGNATURE-----\n*$/.exec(signature)
  const blob = fromBase64((armor?.[1] ?? '').replaceAll('\n', ''))
  if (blob === undefined) throw unverified('malformed', subject, 'its signature cannot be read')
  try {
    return readSignature(blob)
  } catch (cause) {
    throw unverified('malformed', subject, 'its signature cannot be read', cause)
  }
}

function readSignature(blob: Uint8Array): SshSignature {
  const reader = wireReader(blob)
  const magic = asText(reader.take(MAGIC.length))
  const version = new DataView(Uint8Array.from(reader.take(4)).buffer).getUint32(0)
  if (magic !== MAGIC || version !== 1) throw new RangeError('Not an SSH signature of version 1.')
  const key = reader.string()
  const namespace = reader.text()
  const reserved = reader.string()
  const read = { key, namespace, reserved, hash: reader.text(), signature: reader.string() }
  if (reader.left > 0) throw new RangeError('Something follows the signature.')
  return read
}

function chooseSigner(
  { subject }: SignedObject,
  { key, namespace }: SshSignature,
  signers: readonly AllowedSigner[],
  nowMs: number,
): AllowedSigner {
  const known = signers.filter((signer) => sameBytes(signer.key, key))
  if (known.length === 0) throw unverified('untrusted', subject, 'its key is not on the list of allowed signers')
  const permitted = known.filter(({ namespaces }) => namespaces === undefined || namespaces.includes(namespace))
  if (permitted.length === 0) throw unverified('wrong-namespace', subject, 'its key is not allowed to sign for git')
  const valid = permitted.find(
    ({ validAfter = -Infinity, validBefore = Infinity }) => nowMs >= validAfter && nowMs < validBefore,
  )
  if (valid !== undefined) return valid
  const isExpired = permitted.every(({ validBefore = Infinity }) => nowMs >= validBefore)
  throw isExpired
    ? unverified('expired', subject, 'its key is no longer valid')
    : unverified('not-yet-valid', subject, 'its key is not valid yet')
}

async function isGenuine(
  signed: SignedObject,
  { key, namespace, reserved, hash, signature }: SshSignature,
): Promise<boolean> {
  const digest = hash === 'sha512' ? sha512(signed.payload) : hash === 'sha256' ? sha256(signed.payload) : undefined
  if (digest === undefined) throw unverified('unsupported', signed.subject, 'its signature uses an unknown hash')
  const parts = [namespace, reserved, hash, digest].map(wireString)
  try {
    return await verifySshSignature(key, signature, concatBytes(utf8ToBytes(MAGIC), ...parts))
  } catch (cause) {
    throw unverified('malformed', signed.subject, 'its key or signature cannot be read', cause)
  }
}
