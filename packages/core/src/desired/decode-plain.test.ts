import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../runtime/json.ts'
import { decodeDocuments, defaultDecodeLimits } from './decode.ts'
import { readPlain } from './decode-plain.ts'
import type { Reading, ReadValue } from './reading.ts'
import { decodeText } from './text.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
/** As Kubernetes reads `yes` and `0644`. */
const plainScalar = (text: string): Json | undefined => (text === 'yes' ? true : text === '0644' ? 420 : undefined)

function readingOf(text: string, limits = {}): Reading {
  const all = { ...defaultDecodeLimits, ...limits }
  return { limits: all, plainScalar, text: decodeText(bytes(text), 'a.yaml', all.maxBytes) }
}

const plain = (text: string, limits = {}): ReadValue | undefined => readPlain(text, readingOf(text, limits))

interface Found {
  readonly value: unknown
  readonly line: number | undefined
}

function decoded(text: string): Found[] | undefined {
  try {
    const documents = [...decodeDocuments(bytes(text), 'a.yaml', { plainScalar })]
    return documents.map(({ body, origin }) => ({ value: body, line: origin.line }))
  } catch {
    return undefined
  }
}

/** What the parser for all of YAML says: a mark between documents in another form leaves the whole file to it. */
const byParser = (text: string): Found[] | undefined => decoded(`${text}\n--- # other\n{x: 1}`)?.slice(0, -1)
const whole = (text: string): Found | undefined => byParser(text)?.[0]

describe('what most declarations look like is read without the parser', () => {
  test.each<[string, string, unknown]>([
    ['an object of Kubernetes', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {x: "1"}}\n', {}],
    ['lists, with and without indentation', 'a:\n- x\n- y: 1\n  z: 2\nb:\n  - [1, two]\n', {}],
    ['comments and empty lines', '# head\na: 1 # one\n\n  # odd\nb:\n    # deep\n    c: d\n', {}],
    ['addresses, images and quantities', 'a: https://x.org:80/y\nb: img/x:1.2@sha256-a\nc: 100m\nd: 1.5\n', {}],
    ['quoted text', `a: "x: #y"\nb: 'x, {y}'\nc: ["", '']\n`, {}],
    ['words', 'a: true\nb: null\nc:\nd: yes\ne: 0644\nf: Null\n', {}],
    ['a sentence', 'a: It works, or (mostly) so\n', undefined],
    ['a sentence without commas', 'a: It works (mostly) so\n', {}],
  ])('%s', (_, text, expected) => {
    const found = plain(text)
    if (expected === undefined) return expect(found).toBeUndefined()
    expect(found).toBeDefined()
    expect(found?.value).toEqual(whole(text)?.value)
  })

  test.each([
    ['a block of text', 'a: |\n  x\n'],
    ['an anchor', 'a: &x 1\n'],
    ['an alias', 'a: *x\n'],
    ['a tag', 'a: !!str 1\n'],
    ['a text on two lines', 'a: x\n  y\n'],
    ['a list of lists', 'a:\n- - x\n'],
    ['a key that is there twice', 'a: 1\na: 2\n'],
    ['a key that no declaration may hold', 'constructor: 1\n'],
    ['a merge', 'a: {x: 1}\n<<: 1\n'],
    ['an octal number of YAML 1.1', 'a: 0755\n'],
    ['a number that would be rounded', 'a: 9007199254740993\n'],
    ['infinity', 'a: .inf\n'],
    ['a negative number', 'a: -1\n'],
    ['an escape', 'a: "\\n"\n'],
    ['a doubled quote', "a: 'it''s'\n"],
    ['wrong indentation', 'a:\n   b: 1\n  c: 1\n'],
    ['a list inside a map', 'a: 1\n- b\n'],
    ['two keys on a line', 'a: b: c\n'],
    ['a tab', 'a:\tb\n'],
    ['windows', 'a: 1\r\n'],
    ['a key without a name', 'null: 1\n'],
    ['a collection on two lines', 'a: {b: 1,\n  c: 2}\n'],
    ['text at the top', 'hello\n'],
    ['nothing', '# nothing\n'],
    ['a mark', 'a: 1\n...\n'],
  ])('left to the parser: %s', (_, text) => {
    expect(plain(text)).toBeUndefined()
  })

  test('limits are left to the parser, which says which one it was', () => {
    const deep = 'a: {b: {c: {d: 1}}}'
    expect(plain(deep)).toBeDefined()
    expect(plain(deep, { maxDepth: 4 })).toBeUndefined()
    expect(plain('a: [1, 2, 3]', { maxYamlNodes: 5 })).toBeUndefined()
  })
})

const words = [
  'a',
  'b1',
  'x.y/z',
  'true',
  'null',
  'yes',
  '0644',
  '12',
  '1.5',
  '1e3',
  '.5',
  '1_0',
  'v1:2',
  'c d',
  '1.2.3',
]
const scalar = fc
  .tuple(fc.constantFrom(...words), fc.constantFrom('', '', '"', "'"))
  .map(([word, quote]) => quote + word + quote)
const key = fc.constantFrom('a', 'b', 'c', 'd', 'x.y/z', 'true', 'null', 'yes')
const members = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<[string, Value][]> =>
  fc.uniqueArray(fc.tuple(key, value), { minLength: 1, maxLength: 3, selector: ([name]) => name })
const { flow } = fc.letrec<{ flow: string }>((tie) => ({
  flow: fc.oneof(
    { maxDepth: 2 },
    scalar,
    fc.array(tie('flow'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    members(tie('flow')).map((items) => `{${items.map(([name, value]) => `${name}: ${value}`).join(',')}}`),
  ),
}))
/** Lines without their indentation: what a map or a list is made of. */
const { block } = fc.letrec<{ block: string[] }>((tie) => ({
  block: fc.oneof(
    { maxDepth: 3 },
    members(flow).map((items) => items.map(([name, value]) => `${name}: ${value}`)),
    fc.array(flow, { minLength: 1, maxLength: 3 }).map((items) => items.map((item) => `- ${item}`)),
    fc.array(tie('block'), { minLength: 1, maxLength: 3 }).map((items) => items.flatMap(asItem)),
    fc
      .tuple(members(tie('block')), fc.constantFrom('', '  ', '    '), fc.constantFrom('', ' # x'))
      .map(([items, indent, end]) =>
        items.flatMap(([name, lines]) => [`${name}:${end}`, ...lines.map((line) => indent + line)]),
      ),
  ),
}))
const asItem = ([first, ...rest]: readonly string[]): string[] => [`- ${first}`, ...rest.map((line) => `  ${line}`)]
const document = block.map((lines) => lines.join('\n'))
/** One character more or another one: nearly the same. */
const damaged = fc
  .tuple(document, fc.nat(), fc.constantFrom(...`ab0 :-#{}[],"'&*!|>@?~.\n`.split('')), fc.boolean())
  .map(([text, place, character, replaces]) => {
    const at = place % (text.length + 1)
    return text.slice(0, at) + character + text.slice(at + Number(replaces))
  })

test('whatever is read without the parser means the same to the parser', () => {
  let read = 0
  fc.assert(
    fc.property(fc.oneof(document, damaged), (text) => {
      const found = plain(text)
      if (found === undefined) return
      read++
      const lineOf = readingOf(text).text.position(found.offset).line
      expect({ value: found.value, line: lineOf }).toEqual(whole(text))
    }),
    { numRuns: 3000 },
  )
  expect(read).toBeGreaterThan(100)
})

test('a file is the same document by document and as a whole', () => {
  const file = fc.array(fc.oneof(document, damaged, fc.constantFrom('', '# x', 'a: |\n  b\n', '# x\na: &x 1\nb: *x')), {
    maxLength: 4,
  })
  fc.assert(
    fc.property(file, fc.boolean(), (documents, marked) => {
      const text = `${marked ? '---\n' : ''}${documents.join('\n---\n')}`
      expect(decoded(text)).toEqual(byParser(text))
    }),
    { numRuns: 1000 },
  )
})
