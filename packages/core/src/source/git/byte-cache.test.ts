import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createByteCache } from './byte-cache.ts'

test('whatever is put in and read, the cache stays within its budget and gives what was put in', () => {
  const step = fc.record({ key: fc.nat(60), sizeBytes: fc.nat(2_000), read: fc.nat(60) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const cache = createByteCache<string>(8_000)
      for (const { key, sizeBytes, read } of steps) {
        cache.set(`${key}`, `value ${key}`, sizeBytes)
        expect(cache.sizeBytes).toBeLessThanOrEqual(8_000)
        expect([undefined, `value ${read}`]).toContain(cache.get(`${read}`))
      }
    }),
  )
})

test('what was used stays longer than what was not', () => {
  const cache = createByteCache<number>(10_000)
  for (let at = 0; at < 8; at++) cache.set(`${at}`, at, 1_000)
  cache.get('0')
  for (let at = 8; at < 12; at++) cache.set(`${at}`, at, 1_000)
  expect(cache.get('0')).toBe(0)
  expect(cache.get('1')).toBeUndefined()
})
