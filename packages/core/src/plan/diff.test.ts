import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../runtime/json.ts'
import { diffJson, sameJson } from './diff.ts'

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>
const byName = {
  keyOf: (item: { readonly [key: string]: Json }) => (typeof item['name'] === 'string' ? item['name'] : undefined),
}

test.each([
  ['equal objects in another order', { a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 }, []],
  ['a changed member', { a: { b: 1 } }, { a: { b: 2 } }, ['replace /a/b']],
  ['added and removed members, in the order of their names', { b: 1, c: 1 }, { c: 1, a: 1 }, ['add /a', 'remove /b']],
  ['names that need escaping', { 'a/b': { '~': 1 } }, { 'a/b': { '~': 2 } }, ['replace /a~1b/~0']],
  ['an insertion at the head is one difference', [1, 2, 3], [0, 1, 2, 3], ['add /0']],
  ['a removal in the middle is one difference', [1, 2, 3], [1, 3], ['remove /1']],
  ['removals run from the end', { l: [1, 2, 3] }, { l: [3] }, ['remove /l/1', 'remove /l/0']],
  ['another type', { a: { b: 1 } }, { a: [1] }, ['replace /a']],
  ['null is a value', { a: null }, {}, ['remove /a']],
  ['inherited members are not members', {}, { toString: 1 }, ['add /toString']],
  ['own __proto__ is a member', JSON.parse('{"__proto__":{"x":1}}'), {}, ['remove /__proto__']],
] as [string, Json, Json, string[]][])('%s', (_, before, after, expected) => {
  expect(diffJson(before, after).map(({ op, path }) => `${op} ${path}`)).toEqual(expected)
})

test('keyed items are compared with themselves when they move', () => {
  const before = [
    { name: 'a', v: 1 },
    { name: 'b', v: 1 },
    { name: 'c', v: 1 },
  ]
  const after = [
    { name: 'c', v: 1 },
    { name: 'a', v: 2 },
    { name: 'b', v: 1 },
  ]
  expect(diffJson(before, after, byName)).toEqual([
    { path: '/0/v', op: 'replace', before: 1, after: 2 },
    { path: '/2', op: 'remove', before: { name: 'c', v: 1 } },
    { path: '/0', op: 'add', after: { name: 'c', v: 1 } },
  ])
})

test('an array that is all different is one difference', () => {
  const list = Array.from({ length: 100_000 }, (_, index) => index)
  expect(diffJson({ list }, { list: list.toReversed() }).map(({ path }) => path)).toEqual(['/list'])
})

test('there is no difference exactly when two values are equal', () => {
  fc.assert(
    fc.property(json, json, (left, right) => {
      expect(diffJson(left, right).length === 0).toBe(sameJson(left, right))
      expect(diffJson(left, structuredClone(left))).toEqual([])
    }),
  )
})

test('names that are escaped keep their place in the order', () => {
  const paths = (before: Json): string[] => diffJson(before, { 'a/': 2, a0: 2 }).map(({ path }) => path)
  expect(paths({ 'a/': 1, a0: 1 })).toEqual(['/a~1', '/a0'])
  expect(paths({ a0: 1, 'a/': 1 })).toEqual(['/a~1', '/a0'])
})

test('two objects of ten megabytes are compared at once', () => {
  const item = (index: number): Json => ({ id: index, text: 'x'.repeat(80), tags: ['a', 'b'] })
  const before = { items: Array.from({ length: 80_000 }, (_, index) => item(index)) }
  const after = { items: Array.from({ length: 80_000 }, (_, index) => item(index === 40_000 ? -1 : index)) }
  expect(diffJson(before, after).map(({ path }) => path)).toEqual(['/items/40000/id'])
  expect(diffJson(before, { items: after.items.toReversed() }).map(({ path }) => path)).toEqual(['/items'])
})

test('the order of differences does not depend on the order of keys', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), json), fc.dictionary(fc.string(), json), (left, right) => {
      const turned = (object: object): Json => Object.fromEntries(Object.entries(object).toReversed())
      expect(diffJson(turned(left), turned(right))).toEqual(diffJson(left, right))
    }),
  )
})
