import { sha1 } from '@noble/hashes/legacy.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { asText } from './bytes.ts'
import { unverified } from './unverified.ts'

/** A commit or annotated tag as it is stored: the content of the object, without its header. */
export interface RawObject {
  /** The full object id, in lower case. */
  readonly id: string
  readonly raw: Uint8Array
}

/** An object taken apart into what was signed and the signature over it. */
export interface SignedObject {
  /** For messages: `commit 1a2b3c4d5e6f`. */
  readonly subject: string
  readonly payload: Uint8Array
  /** The armored signature. */
  readonly signature: string
  readonly kind: 'ssh' | 'openpgp'
}

const MAX_OBJECT_BYTES = 4 * 1024 * 1024
const MAX_SIGNATURE_BYTES = 64 * 1024
const SSH_BEGIN = '-----BEGIN SSH SIGNATURE-----'
const PGP_BEGIN = '-----BEGIN PGP SIGNATURE-----'

/** Takes a commit apart. Throws `REVISION_UNVERIFIED`: unsigned, several signatures, not the object of its id. */
export function signedCommit(commit: RawObject): SignedObject {
  const subject = subjectOf('commit', commit)
  checkId('commit', commit, subject)
  const text = asText(commit.raw)
  const found = [...headersOf(text).matchAll(/^gpgsig(?:-sha256)? .*\n(?: .*\n)*/gm)]
  const [header] = found
  if (header === undefined) throw unverified('unsigned', subject, 'it has no signature')
  if (found.length > 1) throw unverified('several-signatures', subject, `it has ${found.length} signatures`)
  const signature = header[0].replace(/^\S+ /, '').replaceAll('\n ', '\n')
  const payload = concatBytes(
    commit.raw.subarray(0, header.index),
    commit.raw.subarray(header.index + header[0].length),
  )
  return { subject, payload, signature, kind: kindOf(signature, subject) }
}

/** Takes an annotated tag apart. Throws `REVISION_UNVERIFIED` as `signedCommit` does. */
export function signedTag(tag: RawObject): SignedObject {
  const subject = subjectOf('tag', tag)
  checkId('tag', tag, subject)
  const text = asText(tag.raw)
  if (/^gpgsig/m.test(headersOf(text)))
    throw unverified('several-signatures', subject, 'it has a signature as a header')
  const begins = [...text.matchAll(/^-----BEGIN (?:SSH|PGP) SIGNATURE-----/gm)]
  const [begin] = begins
  if (begin === undefined) throw unverified('unsigned', subject, 'it has no signature')
  if (begins.length > 1) throw unverified('several-signatures', subject, `it has ${begins.length} signatures`)
  const signature = text.slice(begin.index)
  return { subject, payload: tag.raw.subarray(0, begin.index), signature, kind: kindOf(signature, subject) }
}

/** The object and name a tag speaks of. Throws `REVISION_UNVERIFIED` when it names none or names one twice. */
export function tagHeaders(tag: RawObject): { readonly object: string; readonly name: string } {
  const headers = headersOf(asText(tag.raw))
  const only = (key: string): string => {
    const values = [...headers.matchAll(new RegExp(`^${key} (.*)\n`, 'gm'))]
    if (values.length !== 1)
      throw unverified('malformed', subjectOf('tag', tag), `it has ${values.length} ${key} lines`)
    return values[0]?.[1] ?? ''
  }
  if (only('type') !== 'commit')
    throw unverified('wrong-target', subjectOf('tag', tag), 'it does not point to a commit')
  return { object: only('object'), name: only('tag') }
}

function headersOf(text: string): string {
  const end = text.indexOf('\n\n')
  return end < 0 ? text : text.slice(0, end + 1)
}

/** A signature proves what was signed; only the hash proves that this is the object of that id. */
function checkId(type: 'commit' | 'tag', { id, raw }: RawObject, subject: string): void {
  if (raw.length > MAX_OBJECT_BYTES)
    throw unverified('malformed', subject, `it is larger than ${MAX_OBJECT_BYTES} bytes`)
  const object = concatBytes(utf8ToBytes(`${type} ${raw.length}\0`), raw)
  const hash = bytesToHex(id.length === 64 ? sha256(object) : sha1(object))
  if (hash !== id) throw unverified('wrong-id', subject, 'its content has another hash')
}

function kindOf(signature: string, subject: string): 'ssh' | 'openpgp' {
  if (signature.length > MAX_SIGNATURE_BYTES) throw unverified('malformed', subject, 'its signature is too large')
  if (signature.startsWith(SSH_BEGIN)) return 'ssh'
  if (signature.startsWith(PGP_BEGIN)) return 'openpgp'
  throw unverified('unsupported', subject, 'its signature is neither SSH nor OpenPGP')
}

function subjectOf(type: 'commit' | 'tag', { id }: RawObject): string {
  return `${type} ${/^[0-9a-f]{40,64}$/.test(id) ? id.slice(0, 12) : 'with a damaged id'}`
}
