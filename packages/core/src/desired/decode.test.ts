import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../runtime/json.ts'
import { decodeDocuments, type DecodeOptions, type Document } from './decode.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const decode = (text: string | Uint8Array, path = 'a.yaml', options: DecodeOptions = {}): Document[] => [
  ...decodeDocuments(typeof text === 'string' ? bytes(text) : text, path, options),
]
const bodies = (text: string, path?: string): unknown[] => decode(text, path).map(({ body }) => body)

describe('documents', () => {
  test.each<[string, string, [unknown, number][]]>([
    ['one', 'a: 1', [[{ a: 1 }, 1]]],
    [
      'several, with the line of each',
      '# head\na: 1\n---\n\nb: 2\n...\n---\nc: 3\n',
      [
        [{ a: 1 }, 2],
        [{ b: 2 }, 5],
        [{ c: 3 }, 8],
      ],
    ],
    ['empty ones are left out', '---\n---\n# nothing\n---\na: 1\n---\n', [[{ a: 1 }, 5]]],
    ['none at all', '# only a comment\n', []],
    ['an empty file', '', []],
    [
      'with a byte order mark and CRLF',
      '\ufeffa: 1\r\n---\r\nb: 2\r\n',
      [
        [{ a: 1 }, 1],
        [{ b: 2 }, 3],
      ],
    ],
    [
      'anchors and merges',
      'base: &b {x: 1, y: 1}\nuse:\n  <<: *b\n  y: 2\n',
      [[{ base: { x: 1, y: 1 }, use: { x: 1, y: 2 } }, 1]],
    ],
    ['keys that are numbers or booleans become text', '1: a\ntrue: b\n', [[{ 1: 'a', true: 'b' }, 1]]],
    ['templates stay literal', 'a: "${VAR} {{ x }} $(id)"', [[{ a: '${VAR} {{ x }} $(id)' }, 1]]],
    ['a member without a value is null', 'a:\nb: ~\n', [[{ a: null, b: null }, 1]]],
    [
      'scalars of the core schema',
      'a: 0x1F\nb: 0o17\nc: yes\nd: 2001-12-14\ne: 1_000\nf: 1.5e3\ng: -0\n',
      [[{ a: 31, b: 15, c: 'yes', d: '2001-12-14', e: '1_000', f: 1500, g: 0 }, 1]],
    ],
  ])('%s', (_, text, expected) => {
    expect(decode(text).map(({ body, origin }) => [body, origin.line])).toEqual(expected)
  })

  test('JSON is read as JSON', () => {
    expect(bodies('{"a": [1, -2.5e-3, "\\u00e9\\n", true, null, {}], "b": {"c": []}}', 'a.json')).toEqual([
      { a: [1, -0.0025, 'é\n', true, null, {}], b: { c: [] } },
    ])
  })

  test('a target with older habits reads plain scalars its own way', () => {
    const plainScalar = (text: string): Json | undefined =>
      /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined
    expect(decode('mode: 0644\nquoted: "0644"', 'a.yaml', { plainScalar })[0]!.body).toEqual({
      mode: 420,
      quoted: '0644',
    })
  })

  test('documents come one by one: an error in a later one does not hide an earlier one', () => {
    const documents = decodeDocuments(bytes('a: 1\n---\n- 1\n---\nb: 2\n'), 'a.yaml')
    expect(documents.next().value!.body).toEqual({ a: 1 })
    expect(() => documents.next()).toThrow('a.yaml:3:1')
  })
})

describe('places', () => {
  const yaml = 'a: 1\n---\nspec:\n  list:\n    - name: x\n      size: 3\n'
  const json = '{\n  "spec": {\n    "list": [{ "name": "x",\n      "size": 3 }]\n  }\n}'
  test.each([
    ['YAML', 'a.yaml', yaml, 1, '/spec/list/0/size', { line: 6, column: 13 }],
    ['the nearest value above, where there is none', 'a.yaml', yaml, 1, '/spec/list/0/nope/x', { line: 5, column: 7 }],
    ['JSON', 'a.json', json, 0, '/spec/list/0/size', { line: 4, column: 15 }],
    ['the document', 'a.json', json, 0, '', { line: 1, column: 1 }],
  ])('%s', (_, path, text, index, pointer, expected) => {
    expect(decode(text, path)[index]!.locate(pointer)).toEqual({ path, ...expected })
  })
})

const laughs = Array.from({ length: 9 }, (_, level) =>
  level === 0 ? 'l0: &l0 [x,x,x,x,x,x,x,x,x]' : `l${level}: &l${level} [${`*l${level - 1},`.repeat(9)}]`,
).join('\n')

describe('what is refused, with file, line and column', () => {
  test.each<[string, string, string | Uint8Array, string, string]>([
    ['Y01 billion laughs', 'a.yaml', laughs, 'DECLARATION_LIMIT', 'a.yaml:'],
    [
      'Y02 a large node repeated by aliases',
      'a.yaml',
      `a: &a "${'x'.repeat(1_000_000)}"\nl: [${'*a,'.repeat(99)}]`,
      'DECLARATION_LIMIT',
      'a.yaml:2:',
    ],
    ['a file cut off behind an escaped quote', 'a.yaml', "a: 'it''", 'DECLARATION_INVALID', 'a.yaml:1:4'],
    ['the same in double quotes', 'a.yaml', String.raw`a: "x\\\"`, 'DECLARATION_INVALID', 'a.yaml:1:4'],
    ['the same in a list of a later document', 'a.yaml', "a: 1\n---\nb:\n- '''''", 'DECLARATION_INVALID', 'a.yaml:4:3'],
    ['an alias inside its own anchor', 'a.yaml', 'a: &a [*a]', 'DECLARATION_INVALID', 'a.yaml:1:8'],
    ['Y04 YAML a hundred thousand deep', 'a.yaml', `a: ${'['.repeat(100_000)}`, 'DECLARATION_LIMIT', 'a.yaml:1:'],
    ['Y04 YAML 65 deep', 'a.yaml', `a: ${'['.repeat(64)}${']'.repeat(64)}`, 'DECLARATION_LIMIT', 'a.yaml:1:67'],
    ['Y04 JSON two hundred thousand deep', 'a.json', '['.repeat(200_000), 'DECLARATION_LIMIT', 'a.json:1:65'],
    ['Y05 a list of 5 MB', 'a.yaml', '- x\n'.repeat(1_300_000), 'DECLARATION_LIMIT', 'a.yaml:'],
    ['Y06 __proto__ at the top', 'a.yaml', '__proto__: {x: 1}', 'DECLARATION_FORBIDDEN_KEY', 'a.yaml:1:1'],
    [
      'Y06 __proto__ in labels',
      'a.yaml',
      'metadata:\n  labels:\n    __proto__: x',
      'DECLARATION_FORBIDDEN_KEY',
      'a.yaml:3:5',
    ],
    ['Y06 constructor', 'a.yaml', 'constructor: {prototype: {x: 1}}', 'DECLARATION_FORBIDDEN_KEY', 'a.yaml:1:1'],
    [
      'Y06 a merge of __proto__',
      'a.yaml',
      'b: &b {__proto__: {x: 1}}\na: {<<: *b}',
      'DECLARATION_FORBIDDEN_KEY',
      'a.yaml:1:8',
    ],
    ['Y06 __proto__ in JSON', 'a.json', '{"a": {"__proto__": 1}}', 'DECLARATION_FORBIDDEN_KEY', 'a.json:1:8'],
    ['Y06 an escaped __proto__ in JSON', 'a.json', '{"\\u005f_proto__": 1}', 'DECLARATION_FORBIDDEN_KEY', 'a.json:1:2'],
    [
      'Y07 a duplicate key',
      'a.yaml',
      'a: 1\nb: 2\na: 3',
      'DECLARATION_INVALID',
      'a.yaml:3:1: the key "a" is there twice',
    ],
    [
      'Y07 a duplicate key in JSON',
      'a.json',
      '{"a": 1,\n "a": 2}',
      'DECLARATION_INVALID',
      'a.json:2:2: the key "a" is there twice',
    ],
    ['Y09 infinity', 'a.yaml', 'a: .inf', 'DECLARATION_INVALID', 'a.yaml:1:4'],
    ['Y09 not a number', 'a.yaml', 'a: .nan', 'DECLARATION_INVALID', 'a.yaml:1:4'],
    ['Y10 an integer that would be rounded', 'a.yaml', 'a: 9007199254740993', 'DECLARATION_INVALID', 'a.yaml:1:4'],
    ['Y10 the same in JSON', 'a.json', '{"a": 9007199254740993}', 'DECLARATION_INVALID', 'a.json:1:7'],
    ['Y10 a number that overflows', 'a.json', '{"a": 1e400}', 'DECLARATION_INVALID', 'a.json:1:7'],
    ['Y10 a number that underflows', 'a.json', '{"a": 1e-400}', 'DECLARATION_INVALID', 'a.json:1:7'],
    ['Y10 forty digits', 'a.yaml', `a: ${'1234567890'.repeat(4)}`, 'DECLARATION_INVALID', 'a.yaml:1:4'],
    [
      'Y10 a fraction that would be rounded',
      'a.yaml',
      'a: 0.12345678901234567890123',
      'DECLARATION_INVALID',
      'a.yaml:1:4',
    ],
    ['Y11 NUL', 'a.yaml', 'a: x\nb: "\0"', 'DECLARATION_INVALID', 'a.yaml:2:5'],
    [
      'Y11 bytes that are not UTF-8',
      'a.yaml',
      new Uint8Array([0x61, 0x3a, 0x20, 0x31, 0x0a, 0x62, 0xff, 0x3a]),
      'DECLARATION_INVALID',
      'a.yaml:2:2',
    ],
    ['Y11 UTF-16', 'a.yaml', new Uint8Array([0xff, 0xfe, 0x61, 0x00]), 'DECLARATION_INVALID', 'save it as UTF-8'],
    ['Y11 half a surrogate pair', 'a.json', '{"a": "\\ud800"}', 'DECLARATION_INVALID', 'a.json:1:7'],
    ['Y11 half a surrogate pair in YAML', 'a.yaml', 'a: "\\uD800"', 'DECLARATION_INVALID', 'a.yaml:1:4'],
    ['Y11 tabs for indentation', 'a.yaml', 'a:\n\tb: 1', 'DECLARATION_INVALID', 'a.yaml:2:1'],
    [
      'Y20 a file that is too large',
      'a.yaml',
      `a: ${'x'.repeat(9_000_000)}`,
      'DECLARATION_LIMIT',
      'more than the limit of 8388608',
    ],
    ['a top level that is no object', 'a.yaml', '- a\n', 'DECLARATION_INVALID', 'a.yaml:1:1'],
    ['an unknown tag', 'a.yaml', 'a: !secret x', 'DECLARATION_INVALID', 'a.yaml:1:4'],
    ['a key that is a list', 'a.yaml', '? [a]\n: 1', 'DECLARATION_INVALID', 'a.yaml:1:3'],
    ['YAML that is broken', 'a.yaml', 'a: 1\nb: [1, 2\n', 'DECLARATION_INVALID', 'a.yaml:3:1'],
    ['an alias of nothing', 'a.yaml', 'a: *b', 'DECLARATION_INVALID', 'a.yaml:1:4'],
    ['JSON with a comment', 'a.json', '{\n // no\n}', 'DECLARATION_INVALID', 'a.json:2:2'],
    ['JSON with a trailing comma', 'a.json', '{"a": [1,]}', 'DECLARATION_INVALID', 'a.json:1:10'],
    ['JSON that ends too early', 'a.json', '{"a": ', 'DECLARATION_INVALID', 'a.json:1:7: the file ends too early'],
    ['JSON followed by something', 'a.json', '{} {}', 'DECLARATION_INVALID', 'a.json:1:4'],
    ['JSON with a leading zero', 'a.json', '{"a": 01}', 'DECLARATION_INVALID', 'a.json:1:8'],
    ['an empty JSON file', 'a.json', '', 'DECLARATION_INVALID', 'a.json:1:1'],
    ['a raw line break in a JSON string', 'a.json', '{"a": "x\ny"}', 'DECLARATION_INVALID', 'a.json:1:9'],
  ])('%s', (_, path, text, code, message) => {
    const attempt = (): unknown => decode(text, path)
    expect(attempt).toThrow(expect.objectContaining({ code }))
    expect(attempt).toThrow(message)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  test.each([
    ['a.yaml', 'password: hunter2\n  x: ]hunter2'],
    ['a.yaml', 'a: "hunter2\nb: 1'],
    ['a.yaml', 'a: [hunter2'],
    ['a.yaml', 'a: !hunter2 x'],
    ['a.yaml', '"hunter2" hunter2: x'],
    ['a.json', '{"a": hunter2}'],
    ['a.json', '{"a": "hunter2\\q"}'],
  ])('an error repeats nothing of the content: %s %s', (path, text) => {
    const message = expect.not.stringContaining('hunter2')
    expect(() => decode(text, path)).toThrow(expect.objectContaining({ message }))
  })
})

test.each([
  ["a: ''", ''],
  ["a: ''''", "'"],
  ["a: 'b'''", "b'"],
  [String.raw`a: "b\\"`, 'b\\'],
])('quotes that are closed at the very end of a file: %s', (text, value) => {
  expect(bodies(text)).toEqual([{ a: value }])
})

test('a map with many keys costs no more per key than a small one', () => {
  const text = Array.from({ length: 40_000 }, (_, index) => `k${index}: v`).join('\n')
  expect(Object.keys(decode(text)[0]!.body)).toHaveLength(40_000)
})

test('every JSON value survives writing and reading, as JSON and as YAML', () => {
  const keys = fc.string().filter((key) => !['__proto__', 'constructor', 'prototype'].includes(key))
  const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true, max: 9e15, min: -9e15 }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(keys, tie('tree'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(keys, tree), (value) => {
      const expected = JSON.parse(JSON.stringify(value))
      expect(bodies(JSON.stringify(value, null, 1), 'a.json')).toEqual([expected])
      expect(bodies(JSON.stringify(value, null, 1), 'a.yaml')).toEqual([expected])
    }),
  )
})

describe('JSON that is just as JSON.stringify writes it', () => {
  const reader = (text: string, options: DecodeOptions = {}): unknown => {
    try {
      return decode(text, 'a.json', options).map(({ body, origin }) => ({ body, origin }))
    } catch (error) {
      return error
    }
  }
  /** The same text with a space that nobody asked for: it is read with its places. */
  const otherwise = (text: string): string => ` ${text}`

  test('means what it means written in any other way', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.constantFrom(0, 2, 4), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        const [quick, slow] = [reader(text), reader(otherwise(text))]
        if (slow instanceof Error) expect(quick).toHaveProperty('code', Reflect.get(slow, 'code'))
        // Not `value` itself: JSON has no way to write the -0 that it may hold.
        else expect(quick).toEqual([expect.objectContaining({ body: JSON.parse(text) })])
      }),
      { numRuns: 2_000 },
    )
  })

  test.each<[string, string]>([
    ['a key twice', '{"a":1,"a":1}'],
    ['a forbidden key', '{"a":{"__proto__":{"x":1}}}'],
    ['another forbidden key', '{"constructor":{}}'],
    ['a number that would be rounded', '{"a":9007199254740993}'],
    ['half of a surrogate pair', String.raw`{"a":"\ud800"}`],
    ['too deep', `{"a":${'['.repeat(64)}${']'.repeat(64)}}`],
    ['a list that never ends', '['.repeat(1_000)],
    ['a space that JSON does not know', '{"a":1}\u00a0'],
  ])('%s is refused as ever', (_, text) => {
    expect(reader(text)).toBeInstanceOf(Error)
  })

  test('the deepest that is allowed is read', () => {
    const text = `{"a":${'['.repeat(63)}${']'.repeat(63)}}`
    expect(reader(text)).toHaveLength(1)
    expect(reader(otherwise(text))).toHaveLength(1)
  })
})
