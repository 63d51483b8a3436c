import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { GitOpsError } from './errors.ts'
import type { Logger } from './log.ts'
import { createRedactor } from './redactor.ts'
import { Secret, environmentSecret } from './secret.ts'

const CANARY = 'canary-7f3a+/=&"x'

describe('a secret', () => {
  const secret = new Secret(CANARY)
  const ways: readonly (readonly [string, () => string])[] = [
    ['String()', () => String(secret)],
    ['concatenation', () => ''.concat(...[secret].map(String))],
    ['a primitive', () => [secret].join()],
    ['JSON.stringify', () => JSON.stringify({ secret, list: [secret] })],
    ['util.inspect', () => inspect({ secret }, { depth: null, showHidden: true })],
    ['structuredClone', () => inspect(structuredClone(secret), { depth: null, showHidden: true })],
    ['Object.entries', () => JSON.stringify(Object.entries(secret))],
    ['Object.assign', () => JSON.stringify(Object.assign({}, secret))],
    [
      'an error',
      () => new GitOpsError('SOURCE_AUTH', `token ${String(secret)} refused`, { details: { secret } }).message,
    ],
  ]
  test.each(ways)('shows the mask and not the value through %s', (_, print) => {
    expect(print()).not.toContain('canary')
    expect(print()).toContain('***')
  })

  test('is revealed on request only', () => expect(secret.reveal()).toBe(CANARY))

  test('comes from the environment, and a blank one is refused with its name', () => {
    expect(environmentSecret('TOKEN', { TOKEN: 'abc' }).reveal()).toBe('abc')
    for (const environment of [{}, { TOKEN: '' }, { TOKEN: ' \n' }])
      expect(() => environmentSecret('TOKEN', environment)).toThrow(/environment variable TOKEN/)
    expect(() => environmentSecret('toString', {})).toThrow(/toString is not set/)
  })
})

describe('a redactor finds a secret by value', () => {
  const redactor = createRedactor([new Secret(CANARY)])
  const basic = Buffer.from(`x-access-token:${CANARY}`).toString('base64')
  const written: readonly (readonly [string, string])[] = [
    ['as it is', `fatal: https://user:${CANARY}@host`],
    ['percent-encoded', `https://host/?token=${encodeURIComponent(CANARY)}`],
    ['inside JSON', JSON.stringify({ error: `bad ${CANARY}` })],
    ['in Base64', Buffer.from(CANARY).toString('base64')],
    ['in Base64 behind something else', basic],
    ['in Base64 for URLs', Buffer.from(`ab${CANARY}`).toString('base64url')],
  ]
  test.each(written)('%s', (_, text) => {
    const redacted = redactor.text(text)
    expect(redacted).not.toContain(CANARY)
    expect(redacted).toContain('***')
    expect(Buffer.from(redacted, 'base64').toString('latin1')).not.toContain('canary')
  })

  test('in any value, at any depth, in keys, maps, errors and their causes', () => {
    const cause = Object.assign(new Error(`cause ${CANARY}`), { config: { token: CANARY } })
    const error = new GitOpsError('SOURCE_AUTH', `refused ${CANARY}`, { cause, details: { [CANARY]: [CANARY] } })
    const value = { error, map: new Map([[CANARY, { deep: [CANARY] }]]), set: new Set([CANARY]) }
    const printed = inspect(redactor.value(value), { depth: null, showHidden: true })
    expect(printed).not.toContain(CANARY)
    expect(redactor.error(error)).toMatchObject({ code: 'SOURCE_AUTH', message: 'refused ***', retryable: false })
  })

  test('and leaves what holds none as it is', () => {
    const value = { list: [1, 'two', null], nested: { three: true } }
    expect(redactor.value(value)).toBe(value)
  })

  test('line by line where it has several lines', () => {
    const key = createRedactor(['-----BEGIN KEY-----\nAAAABBBBCCCCDDDD\nEEEEFFFFGGGGHHHH\n-----END KEY-----'])
    expect(key.text('  key: |\n    AAAABBBBCCCCDDDD\n    EEEEFFFFGGGGHHHH')).toBe('  key: |\n    ***\n    ***')
  })

  test('in what a logger is given', () => {
    const lines: unknown[] = []
    const write = (...line: readonly unknown[]): void => void lines.push(line)
    const log: Logger = { debug: write, info: write, warn: write, error: write }
    redactor.logger(log).warn(`using ${CANARY}`, { header: `Basic ${basic}` })
    expect(inspect(lines, { depth: null })).not.toMatch(/canary|Y2FuYXJ5/)
  })

  test('whatever it is made of, wherever it stands, plain or in Base64', () => {
    const secrets = fc
      .string({ unit: 'grapheme', minLength: 8, maxLength: 40 })
      .filter((text) => text.trim().length >= 8)
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (secret, before, after) => {
        const mine = createRedactor([secret])
        expect(mine.text(before + secret + after)).not.toContain(secret)
        const encoded = Buffer.from(before + secret + after).toString('base64')
        expect(Buffer.from(mine.text(encoded).replaceAll('***', ''), 'base64').toString()).not.toContain(secret)
      }),
    )
  })
})
