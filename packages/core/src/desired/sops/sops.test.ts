import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import * as age from 'age-encryption'
import { describe, expect, test } from 'vitest'
import { createCall } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { createRedactor } from '../../runtime/redactor.ts'
import { Secret } from '../../runtime/secret.ts'
import { memorySource } from '../../source/memory.ts'
import type { TreeEntry } from '../../source/source.ts'
import { decodeDocuments } from '../decode.ts'
import { fileReader } from '../file-reader.ts'
import { ageKeys } from './age.ts'
import { decryptSops } from './source.ts'
import { textForMac } from './cipher.ts'

// Encrypted by the real sops 3.10.2; see test/sops/make.mjs. The identity opens these files and nothing else.
const file = (name: string): string => readFileSync(new URL(`../../../test/sops/${name}`, import.meta.url), 'utf8')
const keys = ageKeys({ age, identities: [new Secret(file('identity.txt'))] })
const call = createCall()
const PASSWORD = 'hunter2-é"\\'

async function read(content: string, path = 'secret.yaml', given = keys): Promise<readonly object[]> {
  const source = decryptSops(memorySource({ files: { [path]: content } }), { keys: given })
  const snapshot = await source.snapshot(await source.resolve(call), call)
  return [...decodeDocuments(await snapshot.read(path, call), path)].map(({ body }) => body)
}

const data = {
  count: 3,
  ratio: 1.5,
  flag: true,
  off: false,
  nothing: null,
  list: ['one', 'two', 3],
  nested: [{ name: 'a', value: 'b' }],
}
const stringData = { password: PASSWORD, empty: '', multi: 'line one\nline two\n', '2': 'second', '10': 'tenth' }
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'shop', labels: { tier: 'web', '2': 'two', '10': 'ten' } },
  stringData,
  data,
}

describe('a file of sops is read as it was before', () => {
  test.each(['secret.yaml', 'mac-only.yaml', 'all.yaml'])('%s', async (name) => {
    expect(await read(file(name))).toEqual([secret])
  })
  test('two documents', async () => {
    expect(await read(file('two.yaml'))).toEqual([secret, { kind: 'ConfigMap', data: { a: 'b' } }])
  })
  test('JSON', async () => {
    const expected = { kind: 'Secret', stringData: { password: PASSWORD, 10: 'x', 2: 'y' }, n: 1 }
    expect(await read(file('secret.json'), 'secret.json')).toEqual([expected])
  })
  test('and errors in it name the line in the repository', async () => {
    const source = decryptSops(memorySource({ files: { 'a.yaml': file('secret.yaml') } }), { keys })
    const snapshot = await source.snapshot(await source.resolve(call), call)
    const [document] = decodeDocuments(await snapshot.read('a.yaml', call), 'a.yaml')
    const line =
      file('secret.yaml')
        .split('\n')
        .findIndex((text) => text.includes('count:')) + 1
    expect(document?.locate('/data/count').line).toBe(line)
  })
})

test('a file without sops is passed on byte for byte', async () => {
  const source = decryptSops(memorySource({ files: { 'a.yaml': 'a: 1 # about sops\n', 'b.bin': 'sops: {' } }), { keys })
  const snapshot = await source.snapshot(await source.resolve(call), call)
  expect(Buffer.from(await snapshot.read('a.yaml', call)).toString()).toBe('a: 1 # about sops\n')
  expect(Buffer.from(await snapshot.read('b.bin', call)).toString()).toBe('sops: {')
})

describe('a file that was tampered with is refused, and nothing of it is shown', () => {
  const line = (name: string, key: string): string =>
    file(name)
      .split('\n')
      .find((text) => text.trim().startsWith(key)) ?? ''
  const yaml = file('secret.yaml')
  const swapped = yaml.replace(line('secret.yaml', "'2': ENC"), '').replace("'10': ENC", "'2': ENC")
  const cases: readonly (readonly [string, string])[] = [
    ['a value in clear changed', yaml.replace('name: shop', 'name: evil')],
    ['a value in clear added', yaml.replace('metadata:', 'immutable: true\nmetadata:')],
    ['a value in clear removed', yaml.replace('kind: Secret\n', '')],
    ['a sealed value removed', yaml.replace(`${line('secret.yaml', 'password')}\n`, '')],
    ['a sealed value replaced by one in clear', yaml.replace(line('secret.yaml', 'password'), '  password: mine')],
    ['a sealed value moved to another key', swapped],
    ['a sealed value damaged', yaml.replace(/(password: ENC\[AES256_GCM,data:)./, '$1A')],
    ['the order of values changed', yaml.replace(/('10': ten)(\s+)('2': two)/, '$3$2$1')],
    ['the MAC removed', yaml.replace(/\n {2}mac: .*/, '')],
    ['the MAC of another file', yaml.replace(line('secret.yaml', 'mac:'), line('all.yaml', 'mac:'))],
    ['the time of the MAC changed', yaml.replace(/lastmodified: '....-/, "lastmodified: '2020-")],
    ['the meaning of the MAC changed', yaml.replace('  version:', '  mac_only_encrypted: true\n  version:')],
    [
      'the meaning of the MAC changed back',
      file('mac-only.yaml').replace('mac_only_encrypted: true', 'mac_only_encrypted: false'),
    ],
    ['the metadata no object', 'a: 1\nsops: yes please\n'],
    ['the metadata empty', 'a: 1\nsops: {}\n'],
    ['an alias added', yaml.replace('name: shop', 'name: &x shop\n  again: *x')],
  ]
  test.each(cases)('%s', async (_, content) => {
    expect(content).not.toBe(yaml)
    const error: unknown = await read(content).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    expect(error).toBeInstanceOf(GitOpsError)
    expect(error).toMatchObject({ code: 'SECRET_DECRYPT', message: expect.stringContaining('secret.yaml') })
    expect(inspect(error, { depth: null })).not.toMatch(/hunter2|line one|tenth/)
  })
})

test('a file for somebody else is refused with its name', async () => {
  const identity = await age.generateX25519Identity()
  const others = ageKeys({ age, identities: [new Secret(identity)] })
  await expect(read(file('secret.yaml'), 'secret.yaml', others)).rejects.toThrow(
    'secret.yaml cannot be decrypted: none of the keys',
  )
})

test('an identity that cannot be read is refused without being repeated', () => {
  const wrong = (): unknown => ageKeys({ age, identities: [new Secret('AGE-SECRET-KEY-1WRONG')] })
  expect(wrong).toThrow(/age identity 1 cannot be read/)
  expect(wrong).not.toThrow(/WRONG/)
})

test('what was opened is known to the redactor', async () => {
  const redactor = createRedactor()
  const source = decryptSops(memorySource({ files: { 'a.yaml': file('secret.yaml') } }), { keys, redactor })
  const snapshot = await source.snapshot(await source.resolve(call), call)
  await snapshot.read('a.yaml', call)
  expect(redactor.text(`the password is ${PASSWORD}`)).toBe('the password is ***')
})

test('a file is opened once for an application while it stays as it is, and again for another', async () => {
  const store = memorySource({ files: { 'a.yaml': file('secret.yaml'), 'b.yaml': 'a: 1' } })
  const asked: string[] = []
  const counting: typeof keys = (metadata, given) => (asked.push('key'), keys(metadata, given))
  const source = decryptSops(store, { keys: counting })
  const readAll = fileReader((bytes, path) => [...decodeDocuments(bytes, path)].map(({ body }) => body))
  const declare = async (lifetime: object): Promise<readonly object[]> => {
    const snapshot = await source.snapshot(store.history[0]!, call)
    const entries: TreeEntry[] = []
    for await (const entry of snapshot.list('', call)) entries.push(entry)
    return (await readAll(snapshot, entries, { ...call, application: 'shop', inputs: {}, lifetime })).flat()
  }
  const shop = {}
  await declare(shop)
  store.commit({ 'b.yaml': 'a: 2' })
  expect(await declare(shop)).toEqual([secret, { a: 2 }])
  expect(asked).toHaveLength(1)
  expect(await declare({})).toEqual([secret, { a: 2 }])
  expect(asked).toHaveLength(2)
})

const numbers: readonly (readonly [number, string])[] = [
  [1.5, '1.5'],
  [1e21, '1000000000000000000000'],
  [1.25e22, '12500000000000000000000'],
  [1e-7, '0.0000001'],
  [-1.5e-9, '-0.0000000015'],
]
test.each(numbers)('%d counts in the MAC as %s', (value, text) => expect(textForMac(value)).toBe(text))
