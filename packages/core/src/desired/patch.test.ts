import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { diffJson } from '../plan/diff.ts'
import { toJsonPatch } from '../plan/json-patch.ts'
import type { Json, JsonObject } from '../runtime/json.ts'
import { desiredState, resource } from './build.ts'
import { applyJsonPatch, patchResources, type PatchOperation } from './patch.ts'
import { forbiddenKeys } from './strict.ts'

const document = { a: { b: 1 }, list: [1, 2, 3], 'x/y': { '~z': true } }

test.each<[string, PatchOperation[], JsonObject]>([
  ['add a member', [{ op: 'add', path: '/a/c', value: [1] }], { ...document, a: { b: 1, c: [1] } }],
  ['add to a list', [{ op: 'add', path: '/list/1', value: 9 }], { ...document, list: [1, 9, 2, 3] }],
  ['append to a list', [{ op: 'add', path: '/list/-', value: 9 }], { ...document, list: [1, 2, 3, 9] }],
  ['replace', [{ op: 'replace', path: '/x~1y/~0z', value: null }], { ...document, 'x/y': { '~z': null } }],
  ['remove', [{ op: 'remove', path: '/list/0' }], { ...document, list: [2, 3] }],
  ['move', [{ op: 'move', from: '/a/b', path: '/list/0' }], { ...document, a: {}, list: [1, 1, 2, 3] }],
  ['copy', [{ op: 'copy', from: '/a', path: '/d' }], { ...document, d: { b: 1 } }],
  [
    'test and go on',
    [
      { op: 'test', path: '/list', value: [1, 2, 3] },
      { op: 'remove', path: '/a' },
    ],
    { list: [1, 2, 3], 'x/y': { '~z': true } },
  ],
  ['replace everything', [{ op: 'replace', path: '', value: { n: 1 } }], { n: 1 }],
])('%s', (_, operations, expected) => {
  const before = structuredClone(document)
  expect(applyJsonPatch(document, operations)).toEqual(expected)
  expect(document).toEqual(before)
})

describe('what is refused, and nothing is changed', () => {
  const op = (operation: object): PatchOperation[] => [operation as PatchOperation]
  test.each<[string, PatchOperation[], string]>([
    ['P02 replace of nothing', op({ op: 'replace', path: '/nope', value: 1 }), 'there is nothing at its path'],
    ['P02 remove of nothing', op({ op: 'remove', path: '/nope' }), 'there is nothing at its path'],
    ['P02 add far behind the end', op({ op: 'add', path: '/list/99', value: 1 }), 'there is no object or list'],
    ['P02 a negative index', op({ op: 'add', path: '/list/-1', value: 1 }), 'there is no object or list'],
    ['P02 an index as a power', op({ op: 'add', path: '/list/1e3', value: 1 }), 'there is no object or list'],
    ['P02 the length of a list', op({ op: 'replace', path: '/list/length', value: 0 }), 'there is nothing at its path'],
    [
      'P02 an index with a leading zero',
      op({ op: 'replace', path: '/list/01', value: 0 }),
      'there is nothing at its path',
    ],
    [
      'P02 the end of a list is nothing to remove',
      op({ op: 'remove', path: '/list/-' }),
      'there is nothing at its path',
    ],
    ['P02 add below a number', op({ op: 'add', path: '/a/b/c', value: 1 }), 'there is no object or list'],
    [
      'P03 the third of five operations',
      [
        { op: 'remove', path: '/a' },
        { op: 'remove', path: '/list/0' },
        { op: 'remove', path: '/a' },
        { op: 'remove', path: '/list/0' },
        { op: 'remove', path: '/list/0' },
      ],
      'Operation 3',
    ],
    ['P04 an unknown operation', op({ op: 'merge', path: '/a', value: {} }), 'there is no such operation'],
    ['P04 an inherited name', op({ op: 'toString', path: '/a', value: {} }), 'there is no such operation'],
    ['P04 no path', op({ op: 'remove' }), 'it needs `path`'],
    ['P04 no value', op({ op: 'add', path: '/z' }), 'it needs `value`'],
    ['P04 a path without a slash', op({ op: 'remove', path: 'a' }), 'it must start with a slash'],
    ['P04 a wrong escape', op({ op: 'remove', path: '/a~2b' }), '~ must be written ~0'],
    [
      'P04 too many operations',
      Array.from({ length: 10_000 }, () => ({ op: 'remove', path: '/a' })),
      '1000 operations',
    ],
    ['P04 a very long path', op({ op: 'remove', path: `/${'a'.repeat(1_000_000)}` }), '4096 characters'],
    ['P04 an operation that is no object', [null as never], 'is not an object'],
    [
      'P05 a test against an inherited member',
      op({ op: 'test', path: '/toString', value: 1 }),
      'there is nothing at its path',
    ],
    ['a test that fails', op({ op: 'test', path: '/a/b', value: 2 }), 'the value there is another one'],
    ['a copy of an inherited member', op({ op: 'copy', from: '/valueOf', path: '/z' }), '`from` points at nothing'],
    ['a copy of the constructor', op({ op: 'copy', from: '/constructor', path: '/z' }), 'not allowed in a pointer'],
    ['__proto__ in a path', op({ op: 'add', path: '/__proto__/x', value: 1 }), 'not allowed in a pointer'],
    [
      '__proto__ in a value',
      op({ op: 'add', path: '/z', value: JSON.parse('{"__proto__": {"x": 1}}') }),
      'a key that is not allowed',
    ],
    ['a value that is not JSON', op({ op: 'add', path: '/z', value: new Date(0) }), 'is not JSON'],
    ['a move into itself', op({ op: 'move', from: '/a', path: '/a/b' }), 'into itself'],
    ['leaving no object', op({ op: 'replace', path: '', value: 1 }), 'must leave an object'],
  ])('%s', (_, operations, message) => {
    const before = structuredClone(document)
    const attempt = (): unknown => applyJsonPatch(document, operations)
    expect(attempt).toThrow(expect.objectContaining({ code: 'PATCH_INVALID' }))
    expect(attempt).toThrow(message)
    expect(document).toEqual(before)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })
})

describe('patches of resources', () => {
  const queue = (name: string) =>
    resource({ ref: { kind: 'queue', name }, body: { size: 1 }, origin: { path: `${name}.yaml` } })
  const desired = desiredState({ id: 'r1' }, [queue('a'), queue('b')], { inputs: { x: 1 } })
  const grow: PatchOperation[] = [{ op: 'replace', path: '/size', value: 9 }]

  test('change the bodies that match, and the digests with them', () => {
    const patched = patchResources(desired, [{ match: { kind: 'queue', name: 'b' }, operations: grow }])
    expect(patched.resources.map(({ body }) => body)).toEqual([{ size: 1 }, { size: 9 }])
    expect(patched.resources[1]!.digest).not.toBe(desired.resources[1]!.digest)
    expect(patched.digest).not.toBe(desired.digest)
    expect(patchResources(desired, [{ match: {}, operations: [] }]).digest).toBe(desired.digest)
  })

  test('that match nothing or do not fit are refused, naming patch and resource', () => {
    const at = { path: 'patches.yaml', line: 3 }
    expect(() => patchResources(desired, [{ match: { name: 'z' }, operations: grow, origin: at }])).toThrow(
      'The patch at patches.yaml:3 matches no resource',
    )
    expect(() =>
      patchResources(desired, [{ match: {}, operations: [{ op: 'remove', path: '/x' }], origin: at }]),
    ).toThrow('The patch at patches.yaml:3 does not fit queue a: Operation 1 of the patch (remove at "/x")')
  })
})

test('a difference as a patch turns one value into the other', () => {
  const key = fc.string({ maxLength: 3 }).filter((name) => !forbiddenKeys.has(name))
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<Json[]>(0, 1, 'a', null, true),
      fc.array(tie('value'), { maxLength: 6 }),
      fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), v: fc.integer({ max: 2, min: 0 }) }), {
        maxLength: 5,
      }),
      fc.dictionary(key, tie('value'), { maxKeys: 4 }),
    ),
  }))
  const options = [
    {},
    { keyOf: (item: JsonObject) => (typeof item['name'] === 'string' ? item['name'] : undefined) },
    { maxArrayDifferences: 1 },
  ]
  fc.assert(
    fc.property(
      fc.dictionary(key, value),
      fc.dictionary(key, value),
      fc.constantFrom(...options),
      (before, after, how) => {
        const fields = diffJson(before, after, how)
        expect(applyJsonPatch(before, toJsonPatch({ fields }))).toEqual(after)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a patch is not made from values that a plan does not hold', () => {
  const secret = { path: '/p', op: 'replace', after: { redacted: 'x' }, sensitive: true } as const
  expect(() => toJsonPatch({ fields: [secret] })).toThrow(expect.objectContaining({ code: 'PATCH_INVALID' }))
  expect(toJsonPatch({ fields: [{ ...secret, op: 'remove' }] })).toEqual([{ op: 'remove', path: '/p' }])
})
