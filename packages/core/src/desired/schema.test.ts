import { expect, test } from 'vitest'
import type { JsonObject } from '../runtime/json.ts'
import { decodeDocuments } from './decode.ts'
import { schemaCheck, type SchemaOptions } from './schema.ts'

const flag: JsonObject = {
  type: 'object',
  required: ['flag', 'rollout'],
  additionalProperties: false,
  properties: {
    flag: { type: 'string' },
    rollout: { type: 'integer', minimum: 0, maximum: 100 },
    kind: { enum: ['a', 'b'] },
  },
}
const document = (text: string) => [...decodeDocuments(new TextEncoder().encode(text), 'flags.yaml')][0]!
const problem = (schema: JsonObject, text: string, options?: SchemaOptions): string => {
  try {
    schemaCheck(schema, options)(document(text))
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

test('a body that fits passes', () => {
  expect(problem(flag, 'flag: a\nrollout: 25')).toBe('')
})

test('every problem has its file, line, column and pointer, and shows no value of the body', () => {
  expect(problem(flag, '# flags\nflag: 7\nrollout: 250\nkind: hunter2\nextra: 1', { name: 'a feature flag' }))
    .toBe(`This is not a feature flag:
  flags.yaml:2:1: the document must not have the member "extra"
  flags.yaml:2:7: /flag must be string
  flags.yaml:3:10: /rollout must be <= 100
  flags.yaml:4:7: /kind must be one of ["a","b"]`)
})

test('P08 inherited members do not count', () => {
  expect(problem({ type: 'object', required: ['toString'] }, 'a: 1')).toContain(
    "must have required property 'toString'",
  )
})

test('P09 a flood of problems is counted, not told', () => {
  const list = Array.from({ length: 10_000 }, () => 'x').join(',')
  const message = problem({ properties: { l: { items: { type: 'number' } } } }, `l: [${list}]`)
  expect(message.split('\n')).toHaveLength(22)
  expect(message).toContain('and 9980 more')
})

test.each<[string, JsonObject, SchemaOptions, string]>([
  ['P07 a reference to another host', { $ref: 'http://169.254.169.254/latest' }, {}, "can't resolve reference"],
  ['P07 a schema of 5 MB', { description: 'x'.repeat(5_000_000) }, {}, 'larger than a megabyte'],
  ['P07 a pattern', { properties: { a: { pattern: '^(a+)+$' } } }, {}, 'a pattern at /properties/a/pattern'],
  ['P07 a pattern of names', { patternProperties: { '^(a+)+$': {} } }, {}, 'a pattern at /patternProperties'],
  ['a keyword that is misspelt', { proprties: {} }, {}, 'unknown keyword'],
  ['a broken pattern', { properties: { a: { pattern: '(' } } }, { patterns: true }, 'cannot be used'],
])('%s is refused', (_, schema, options, message) => {
  expect(() => schemaCheck(schema, options)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  expect(() => schemaCheck(schema, options)).toThrow(message)
})

test('patterns can be permitted for schemas of your own, and data that looks like one is none', () => {
  expect(problem({ properties: { a: { pattern: '^a+$' } } }, 'a: b', { patterns: true })).toContain(
    'must match pattern',
  )
  expect(problem({ properties: { a: { const: { pattern: 'x' } } } }, 'a: {pattern: x}')).toBe('')
})

test('P07 a schema that refers to itself without end is refused when it is used', () => {
  const endless: JsonObject = {
    definitions: { a: { $ref: '#/definitions/b' }, b: { $ref: '#/definitions/a' } },
    $ref: '#/definitions/a',
  }
  expect(problem(endless, 'a: 1')).toMatch(/cannot be used/)
})
