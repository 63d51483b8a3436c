import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Shape, decode, encode } from './wire.ts'

const inner: Shape = { name: { number: 1, type: 'string' } }
const shape: Shape = {
  text: { number: 1, type: 'string' },
  count: { number: 2, type: 'integer' },
  flag: { number: 3, type: 'bool' },
  data: { number: 4, type: 'bytes' },
  members: { number: 5, type: 'message', list: true, of: () => inner },
}

test('a message is read back as it was written', () => {
  const message = fc.record({
    text: fc.string({ unit: 'grapheme' }),
    count: fc.maxSafeNat(),
    flag: fc.boolean(),
    data: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    members: fc.array(fc.record({ name: fc.string() }), { minLength: 1 }),
  })
  fc.assert(
    fc.property(message, (given) => {
      expect(decode(shape, encode(shape, given))).toEqual(given)
    }),
  )
})

test('fields that are not known are passed over', () => {
  const bytes = encode(shape, { text: 'kept', count: 7, data: Buffer.from('gone') })
  expect(decode({ text: { number: 1, type: 'string' } }, bytes)).toEqual({ text: 'kept' })
})

test('a message that ends inside a number is refused', () => {
  expect(() => decode(shape, Buffer.from([0x10, 0x80]))).toThrow(RangeError)
})
