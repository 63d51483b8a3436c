import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { testCall } from '../testing/call.ts'
import { testSourceConformance } from '../testing/source-conformance.ts'
import { directorySource, type DirectorySourceOptions } from './directory.ts'
import type { Snapshot, Source } from './source.ts'

const folders: string[] = []
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))))

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'directory-source-'))
  folders.push(folder)
  await put(folder, files)
  return folder
}

async function put(folder: string, files: Readonly<Record<string, string | null>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    if (text === null) await rm(join(folder, path))
    else {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
  }
}

const pathOf = (source: Source): string => source.id.replace('folder ', '')

describe('a directory source is a source', () => {
  testSourceConformance({
    test,
    createSource: async (files) => directorySource({ path: await folderOf(files), debounceMs: 10 }),
    change: (source, files) => put(pathOf(source), files),
    keepsHistory: false,
    breakReads: (source) => rm(pathOf(source), { recursive: true }),
  })
})

async function newest(source: Source): Promise<Snapshot> {
  return source.snapshot(await source.resolve(testCall()), testCall())
}

async function made(files: Readonly<Record<string, string>>, options: Partial<DirectorySourceOptions> = {}) {
  const path = await folderOf(files)
  return { path, source: directorySource({ path, ...options }) }
}

test('an empty folder is an error: a volume that is not mounted looks the same', async () => {
  const { source } = await made({})
  await expect(source.resolve(testCall())).rejects.toMatchObject({ code: 'SOURCE_EMPTY' })
})

test.each(['file', 'folder'])('a link to a %s outside is listed and never followed', async (kind) => {
  const outside = await folderOf({ 'secret/password': 'hunter2' })
  const { path, source } = await made({ a: '1' })
  await symlink(join(outside, kind === 'file' ? 'secret/password' : 'secret'), join(path, 'link'))
  const snapshot = await newest(source)
  const listed = []
  for await (const { path: at, type } of snapshot.list('', testCall())) listed.push(`${at} ${type}`)
  expect(listed).toEqual(['a file', 'link symlink'])
  await expect(snapshot.read('link', testCall())).rejects.toMatchObject({ code: 'SOURCE_SYMLINK' })
  await expect(snapshot.read('link/password', testCall())).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' })
})

test('a file that becomes a link after its revision was made is not followed', async () => {
  const outside = await folderOf({ a: '1' })
  const { path, source } = await made({ a: '1' })
  const snapshot = await newest(source)
  await rm(join(path, 'a'))
  await symlink(join(outside, 'a'), join(path, 'a'))
  await expect(snapshot.read('a', testCall())).rejects.toMatchObject({ code: 'SOURCE_SYMLINK' })
})

test('a file that changed since its revision is an error, not the content of another revision', async () => {
  const { path, source } = await made({ a: '1' })
  const snapshot = await newest(source)
  await put(path, { a: '2' })
  await expect(snapshot.read('a', testCall())).rejects.toMatchObject({ code: 'REVISION_NOT_FOUND', retryable: true })
})

test('a change that keeps size and time of a file is still seen while the file is fresh', async () => {
  const { path, source } = await made({ a: '1' })
  const time = new Date(testCall().clock.now())
  await utimes(join(path, 'a'), time, time)
  const before = await source.resolve(testCall())
  await put(path, { a: '2' })
  await utimes(join(path, 'a'), time, time)
  expect((await source.resolve(testCall())).id).not.toBe(before.id)
})

test('what is neither file nor folder is refused, and reading does not wait for it', async () => {
  const { path, source } = await made({ a: '1' })
  const server = createServer().listen(join(path, 'socket'))
  await once(server, 'listening')
  await expect(source.resolve(testCall())).rejects.toMatchObject({ code: 'SOURCE_PATH_UNSAFE' })
  server.close()
})

test('excluded names are left out wherever they stand', async () => {
  const { source } = await made({ 'a/.git/config': 'x', 'a/b': '1' })
  const snapshot = await newest(source)
  await expect(snapshot.read('a/.git/config', testCall())).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' })
})

test.each<[string, Partial<DirectorySourceOptions>, string]>([
  ['too many files', { maxFiles: 2 }, 'maxFiles'],
  ['a file that is too large', { maxFileBytes: 3 }, 'maxFileBytes'],
  ['too much in all', { maxTotalBytes: 5 }, 'maxTotalBytes'],
  ['too deep', { maxDepth: 1 }, 'maxDepth'],
])('%s: the limit is named', async (_, limits, name) => {
  const { source } = await made({ a: '1', b: '22', 'c/d/e': '4444' }, limits)
  await expect(source.resolve(testCall())).rejects.toMatchObject({
    code: 'SOURCE_LIMIT',
    message: expect.stringContaining(name),
  })
})

test('a folder that is made later is found then', async () => {
  const path = join(await folderOf({}), 'later')
  const source = directorySource({ path })
  await expect(source.resolve(testCall())).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND', retryable: true })
  await put(path, { a: '1' })
  await expect(source.resolve(testCall())).resolves.toBeDefined()
})

test('many changes are one hint, on the clock of the call', async () => {
  const { path, source } = await made({ a: '1' }, { debounceMs: 1_000 })
  const call = testCall()
  let hints = 0
  const watching = (async () => {
    for await (const _ of source.watch!(call)) hints++
  })()
  await call.clock.settle()
  for (let index = 0; index < 20; index++) await put(path, { a: String(index) })
  while (call.clock.pending === 0) await call.clock.settle()
  expect(hints).toBe(0)
  await call.clock.advance(1_000)
  expect(hints).toBe(1)
  call.abort()
  await watching
  expect(call.clock.pending).toBe(0)
})
