import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../runtime/json.ts'
import { desiredState, resource } from './build.ts'
import { canonicalJson, digestOf } from './digest.ts'

const revision = { id: 'r1' }
const flag = (name: string, body: object, line: number) =>
  resource({ ref: { kind: 'flag', name }, body: body as never, origin: { path: 'flags.yaml', line } })

test('equal values have equal digests, whatever the order of their keys', () => {
  expect(digestOf({ a: 1, b: { c: [1, 2], d: null } })).toBe(digestOf({ b: { d: null, c: [1, 2] }, a: 1 }))
  expect(digestOf({ a: 1 })).not.toBe(digestOf({ a: '1' }))
  expect(digestOf(-0)).toBe(digestOf(0))
})

test('the canonical form is JSON that reads back to the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      expect(JSON.parse(canonicalJson(value as Json))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('text is written as JSON writes it, whatever is in it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(canonicalJson(text)).toBe(JSON.stringify(text))
    }),
  )
  for (const text of ['"', '\\', '\u0000', '\u001f', '\u007f', '\u2028', '\ud800', '\udfff', '\u{1f600}', '\uffff']) {
    expect(canonicalJson(text)).toBe(JSON.stringify(text))
  }
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, () => 1, 1n, Symbol('s')])(
  '%s is refused: it is not JSON',
  (value) => {
    expect(() => digestOf({ value } as never)).toThrow(expect.objectContaining({ code: 'DECLARATION_INVALID' }))
  },
)

test('resources are sorted, and the digest does not depend on the order they were given in', () => {
  const a = flag('a', { on: true }, 1)
  const b = flag('b', { on: true }, 5)
  const state = desiredState(revision, [b, a])
  expect(state.resources).toEqual([a, b])
  expect(state.digest).toBe(desiredState({ id: 'r2' }, [a, b]).digest)
})

test('the digest changes with a body, an exception, an order and an input', () => {
  const a = flag('a', { on: true }, 1)
  const digests = [
    desiredState(revision, [a]),
    desiredState(revision, [flag('a', { on: false }, 1)]),
    desiredState(revision, [{ ...a, options: { prune: false } }]),
    desiredState(revision, [{ ...a, order: { wave: 1 } }]),
    desiredState(revision, [{ ...a, sensitive: ['/on'] }]),
    desiredState(revision, [a], { inputs: { network: { id: 'n1' } } }),
  ].map(({ digest }) => digest)
  expect(new Set(digests).size).toBe(digests.length)
})

test('two declarations of one resource are refused, naming both places', () => {
  const twice = (): unknown => desiredState(revision, [flag('a', {}, 1), flag('b', {}, 4), flag('a', {}, 9)])
  expect(twice).toThrow(expect.objectContaining({ code: 'DECLARATION_DUPLICATE' }))
  expect(twice).toThrow('flag a is declared twice: in flags.yaml:1 and in flags.yaml:9')
})

test('a body that its owner edits in place has another digest, although it is the same object', () => {
  const body = { on: false }
  const before = flag('a', body, 1)
  body.on = true
  expect(flag('a', body, 1).digest).toBe(flag('a', { on: true }, 1).digest)
  expect(flag('a', body, 1).digest).not.toBe(before.digest)
})
