import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hmacSha256Hex, sha256Hex } from './sha256.ts'

test('the SHA-256 of the platform and the one in JavaScript agree, on text, bytes and with a key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array({ minLength: 1, maxLength: 200 }), (text, bytes) => {
      expect(sha256Hex(text)).toBe(bytesToHex(sha256(utf8ToBytes(text))))
      expect(sha256Hex(bytes)).toBe(bytesToHex(sha256(bytes)))
      expect(hmacSha256Hex(bytes, text)).toBe(bytesToHex(hmac(sha256, bytes, utf8ToBytes(text))))
    }),
  )
})

test.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
])('the digest of %j is the one of FIPS 180-4', (text, digest) => expect(sha256Hex(text)).toBe(digest))
