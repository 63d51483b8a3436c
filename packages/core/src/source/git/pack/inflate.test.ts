import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type InflateOne, inflate, inflateAnew, inflateReusing } from './inflate.ts'

/** What came out, or that nothing did. */
function attempt(inflateOne: InflateOne, bytes: Buffer, start: number, sizeBytes: number): unknown {
  try {
    const { data, usedBytes } = inflateOne(bytes, start, sizeBytes)
    return { text: data.toString('hex'), usedBytes }
  } catch {
    return 'refused'
  }
}

test('this Node has the parts that one stream for all objects needs', () => {
  expect(inflateReusing).toBeDefined()
})

test('one stream for all objects gives what a stream for each gives, whatever is damaged and whatever came before', () => {
  const arbitrary = fc.record({
    content: fc.oneof(fc.uint8Array({ maxLength: 3_000 }), fc.string({ maxLength: 3_000 })),
    level: fc.integer({ min: 0, max: 9 }),
    before: fc.uint8Array({ maxLength: 5 }),
    behind: fc.uint8Array({ maxLength: 40 }),
    damage: fc.option(fc.record({ at: fc.nat(4_000), bit: fc.integer({ min: 0, max: 7 }) })),
    wrongSize: fc.constantFrom(0, 0, 0, 1, -1, 100),
  })
  fc.assert(
    fc.property(arbitrary, ({ content, level, before, behind, damage, wrongSize }) => {
      const data = Buffer.from(content)
      const bytes = Buffer.concat([before, deflateSync(data, { level }), behind])
      const at = before.length + (damage?.at ?? 0)
      if (damage !== null && at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << damage.bit)
      const sizeBytes = Math.max(0, data.length + wrongSize)
      const expected = attempt(inflateAnew, bytes, before.length, sizeBytes)
      expect(attempt(inflateReusing ?? inflateAnew, bytes, before.length, sizeBytes)).toEqual(expected)
      if (damage === null && wrongSize === 0) expect(expected).toMatchObject({ text: data.toString('hex') })
    }),
    { numRuns: 500 },
  )
})

test('a stream that would begin behind the end, or before the beginning, is refused', () => {
  const bytes = deflateSync('abc')
  for (const start of [bytes.length + 1, bytes.length + 1_000, -1, Number.NaN])
    expect(() => inflate(bytes, start, 3)).toThrow(expect.objectContaining({ code: 'SOURCE_CORRUPT' }))
})
