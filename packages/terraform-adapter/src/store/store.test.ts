import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Secret } from '@gitops-sdk/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type BlobStore, fileBlobs, memoryBlobs } from './blobs.ts'
import { storeKey } from './key.ts'
import { sealedBlobs } from './sealed.ts'

let folder = ''
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'blobs-'))))
afterAll(() => rm(folder, { recursive: true, force: true }))

const bytes = (text: string): Uint8Array => Buffer.from(text)
const key = new Uint8Array(32).fill(1)

const stores: readonly (readonly [string, () => BlobStore])[] = [
  ['in memory', memoryBlobs],
  ['in files', () => fileBlobs(join(folder, 'plain'))],
  ['sealed', () => sealedBlobs(fileBlobs(join(folder, 'sealed')), key)],
]

test.each(stores)('%s: a blob is kept, replaced, listed and removed', async (_where, open) => {
  const store = open()
  expect(await store.get('a/one')).toBeUndefined()
  await store.put('a/one', bytes('1'))
  await store.put('a/one', bytes('2'), { fleeting: true })
  await store.put('a/other', bytes('3'))
  await store.put('a/deep/one', bytes('4'))
  expect(Buffer.from((await store.get('a/one'))!).toString()).toBe('2')
  expect(await store.list('a/o')).toEqual(['a/one', 'a/other'])
  await store.remove('a/one')
  await store.remove('a/one')
  expect(await store.list('a/o')).toEqual(['a/other'])
})

test('files are for this user alone, and no name leaves the folder', async () => {
  const store = fileBlobs(join(folder, 'private'))
  await store.put('a/one', bytes('1'))
  expect((await stat(join(folder, 'private', 'a', 'one'))).mode & 0o077).toBe(0)
  for (const name of ['../a', 'a/../../b', '/etc/passwd', 'a//b', 'a\0b'])
    await expect(Promise.resolve().then(() => store.get(name))).rejects.toMatchObject({ code: 'INTERNAL' })
})

test('what is sealed cannot be read, changed, renamed, or opened with another key', async () => {
  const plain = memoryBlobs()
  const store = sealedBlobs(plain, key)
  await store.put('plan', bytes('opensesame'))
  const sealed = Buffer.from((await plain.get('plan'))!)
  expect(sealed.toString('latin1')).not.toContain('opensesame')
  await plain.put('other', sealed)
  await expect(store.get('other')).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' })
  await expect(sealedBlobs(plain, new Uint8Array(32)).get('plan')).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' })
  for (const at of [0, 8, 20, sealed.length - 1]) {
    await plain.put(
      'plan',
      sealed.map((byte, index) => (index === at ? byte ^ 1 : byte)),
    )
    await expect(store.get('plan')).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' })
  }
})

test('a key is made once, kept, and given where it is an option', async () => {
  const own = await storeKey(join(folder, 'keys'), undefined)
  expect(await storeKey(join(folder, 'keys'), undefined)).toEqual(own)
  const given = new Secret(Buffer.from(key).toString('base64'))
  expect(Buffer.from(await storeKey(folder, given))).toEqual(Buffer.from(key))
  await expect(storeKey(folder, new Secret('short'))).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
})
