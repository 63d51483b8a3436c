import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'

/** Reads the wire format of SSH (RFC 4251, section 5). Every method throws `RangeError` past the end. */
export interface WireReader {
  /** The next `length` bytes. */
  take(length: number): Uint8Array
  /** A byte string behind its length. */
  string(): Uint8Array
  /** A byte string as text. */
  text(): string
  /** A whole number of any size, without sign and leading zeros. */
  integer(): Uint8Array
  /** How many bytes are left. */
  readonly left: number
}

/** A reader over `bytes`. */
export function wireReader(bytes: Uint8Array): WireReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new RangeError('Truncated SSH data.')
    at += length
    return bytes.subarray(at - length, at)
  }
  const string = (): Uint8Array => {
    take(4)
    return take(view.getUint32(at - 4))
  }
  return {
    take,
    string,
    text: () => asText(string()),
    integer: () => trimZeros(string()),
    get left() {
      return bytes.length - at
    },
  }
}

/** `bytes` behind their length. */
export function wireString(bytes: Uint8Array | string): Uint8Array {
  const content = typeof bytes === 'string' ? utf8ToBytes(bytes) : bytes
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, content.length)
  return concatBytes(length, content)
}

/** `bytes` with zeros in front until it has `length` bytes; itself when it is longer. */
export function padZeros(bytes: Uint8Array, length: number): Uint8Array {
  return concatBytes(new Uint8Array(Math.max(0, length - bytes.length)), bytes)
}

/** Whether two byte strings are equal. Not for secrets: it stops at the first difference. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index])
}

/** One character per byte, so that text and bytes have the same positions. */
export function asText(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

/** The bytes behind strict Base64; `undefined` for anything else. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}

/** `bytes` in Base64 for URLs, without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return btoa(asText(bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function trimZeros(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first < 0 ? bytes.subarray(0, 0) : bytes.subarray(first)
}
