import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

/** The part of `node:crypto` that is used. */
interface Native {
  createHash(algorithm: 'sha256'): Hasher
  createHmac(algorithm: 'sha256', key: Uint8Array): Hasher
}

interface Hasher {
  update(data: string | Uint8Array): Hasher
  digest(encoding: 'hex'): string
}

/**
 * A platform's own SHA-256 takes a tenth of the time of one in JavaScript. Browsers have it only as a promise. Node loads
 * it when it is first asked for.
 */
let native: Native | 'none' | undefined

function platformSha256(): Native | 'none' {
  return (native ??= nodeCrypto() ?? 'none')
}

function nodeCrypto(): Native | undefined {
  // Not an import: in a browser there is no such module, and no process either.
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: 'node:crypto') => Native } }
  return process?.getBuiltinModule?.('node:crypto')
}

/** SHA-256 of bytes, or of text as UTF-8, in hexadecimal. */
export function sha256Hex(data: string | Uint8Array): string {
  const platform = platformSha256()
  if (platform !== 'none') return platform.createHash('sha256').update(data).digest('hex')
  return bytesToHex(sha256(typeof data === 'string' ? utf8ToBytes(data) : data))
}

/** HMAC-SHA-256 of text as UTF-8, in hexadecimal. */
export function hmacSha256Hex(key: Uint8Array, text: string): string {
  const platform = platformSha256()
  if (platform !== 'none') return platform.createHmac('sha256', key).update(text).digest('hex')
  return bytesToHex(hmac(sha256, key, utf8ToBytes(text)))
}
