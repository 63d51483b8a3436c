import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deflate, deflateReusing, store, storeReusing } from './deflate.ts'
import { inflate } from './inflate.ts'

test('this Node has the parts that one stream for all objects needs', () => {
  expect(deflateReusing).toBeDefined()
  expect(storeReusing).toBeDefined()
})

test.each([
  ['compressed', deflate],
  ['written as it is', store],
])('what is %s by one stream for all objects comes back as it was, whatever came before', (_how, write) => {
  const content = fc.oneof(
    fc.uint8Array({ maxLength: 3_000 }),
    fc.string({ maxLength: 3_000 }),
    fc.nat(200_000).map((length) => new Uint8Array(length)),
  )
  fc.assert(
    fc.property(fc.array(content, { maxLength: 5 }), (all) => {
      for (const one of all) {
        const data = Buffer.from(one)
        const bytes = write(data)
        const { data: back, usedBytes } = inflate(bytes, 0, data.length)
        expect(back.equals(data)).toBe(true)
        expect(usedBytes).toBe(bytes.length)
      }
    }),
    { numRuns: 300 },
  )
})
