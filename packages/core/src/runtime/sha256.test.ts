import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hmacSha256Hex, sha256Hex } from './sha256.ts'
import * as node from './sha256-node.ts'
import * as portable from './sha256-portable.ts'

test('the SHA-256 of Node and the one in JavaScript agree, on text, bytes and with a key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array({ minLength: 1, maxLength: 200 }), (text, bytes) => {
      expect(node.sha256Hex(text)).toBe(portable.sha256Hex(text))
      expect(node.sha256Hex(bytes)).toBe(portable.sha256Hex(bytes))
      expect(node.hmacSha256Hex(bytes, text)).toBe(portable.hmacSha256Hex(bytes, text))
    }),
  )
})

test('in Node its own is the one that is used', () => {
  expect(sha256Hex).toBe(node.sha256Hex)
  expect(hmacSha256Hex).toBe(node.hmacSha256Hex)
})

test.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
])('the digest of %j is the one of FIPS 180-4', (text, digest) => {
  expect(node.sha256Hex(text)).toBe(digest)
  expect(portable.sha256Hex(text)).toBe(digest)
})
