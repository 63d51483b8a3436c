import { copyFile, mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createCall } from '../../../runtime/call.ts'
import { type GitServer, startGitServer } from '../../../testing/git/git-server.ts'
import type { ServedRepository } from '../../../testing/git/served-repository.ts'
import { createByteCache } from '../byte-cache.ts'
import { completeLimits } from '../limits.ts'
import { type GitObject, hashObject } from '../objects.ts'
import type { DecodedPack } from '../pack/decode.ts'
import { encodePack, wholeEntry } from '../pack/encode.ts'
import { type GitSource, type GitSourceOptions, gitSource } from '../source.ts'
import { type FolderFiles, diskFiles } from './folder-files.ts'
import { withFolderLock } from './folder-lock.ts'
import { type ObjectStore, createObjectStore } from './object-store.ts'
import { WINDOW_BYTES } from './pack-file.ts'
import { repositoryFolder } from './repository-folder.ts'

let server: GitServer
let folder: string
let repository: ServedRepository
let count = 0
beforeAll(async () => {
  server = await startGitServer({ backend: 'upload-pack' })
})
afterAll(() => server.close())
beforeEach(async () => {
  server.fail(undefined)
  folder = await mkdtemp(join(tmpdir(), 'gitops-sdk-pack-file-'))
  repository = await server.createRepository(`pack-file-${count++}`)
})
afterEach(() => rm(folder, { recursive: true, force: true }))
const call = createCall()

/** Text that does not compress, so that a pack of some of it is large. */
function noise(seed: number, sizeBytes: number): string {
  let text = ''
  for (let at = 0; text.length < sizeBytes; at++) text += hashObject('blob', Buffer.from(`${seed} ${at}`))
  return text
}

/** `cacheBytes: 1`: whatever is read is read from the folder. */
function open(options: Partial<GitSourceOptions> = {}): GitSource {
  const limits = { cacheBytes: 1 }
  return gitSource({
    url: repository.url,
    ref: 'main',
    storage: { folder },
    limits,
    retry: { maxAttempts: 1 },
    ...options,
  })
}

async function packPaths(): Promise<readonly string[]> {
  const packs = join(folder, 'objects/pack')
  return (await readdir(packs)).filter((name) => name.endsWith('.pack')).map((name) => join(packs, name))
}

/** The disk, with a note of what was read. */
function watched(): { readonly files: FolderFiles; readonly reads: number[] } {
  const reads: number[] = []
  const readPart: FolderFiles['readPart'] = async (path, start, sizeBytes) => {
    const bytes = await diskFiles.readPart(path, start, sizeBytes)
    reads.push(bytes.length)
    return bytes
  }
  return { files: { ...diskFiles, readPart }, reads }
}

const idsOf = ({ packs }: ObjectStore): readonly string[] =>
  packs.flatMap(({ index }) =>
    Array.from({ length: index.count }, (_, at) => index.oids.toString('hex', at * 20, at * 20 + 20)),
  )

test('of a big pack in a folder only the index is held, and what was read lately', async () => {
  const files = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`d${at % 9}/${at}`, noise(at, 40_000)]))
  await repository.commit(files)
  await using source = open()
  await source.resolve(call)
  const { files: disk, reads } = watched()
  const cacheBytes = 2 ** 20
  const windows = createByteCache<Buffer>(cacheBytes / 8)
  const store = createObjectStore(completeLimits({ cacheBytes: (cacheBytes * 7) / 8 }))
  const { packs } = await repositoryFolder(folder, { files: disk, windows }).load([], call)
  store.replace(packs)

  const packBytes = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  expect(packBytes).toBeGreaterThan(4 * cacheBytes)
  expect(packs.every(({ onDisk }) => onDisk)).toBe(true)
  expect(
    reads.reduce((sum, bytes) => sum + bytes, 0),
    'every byte is looked at once',
  ).toBe(packBytes)
  expect(Math.max(...reads), 'a piece at a time').toBeLessThanOrEqual(2 ** 20)
  expect(windows.sizeBytes).toBe(0)

  reads.length = 0
  const ids = idsOf(store)
  for (const oid of ids) expect((await store.read(oid))?.data.length).toBeGreaterThan(0)
  expect(windows.sizeBytes + store.cache.sizeBytes).toBeLessThanOrEqual(cacheBytes)
  expect(Math.max(...reads), 'an object and what is beside it').toBe(WINDOW_BYTES)
  const [first = ''] = ids
  await store.read(first)
  reads.length = 0
  await store.read(first)
  expect(reads, 'at hand').toEqual([])
})

type Damage = (path: string, other: string) => Promise<unknown>

async function overwrite(path: string, change: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(path)
  change(bytes)
  await writeFile(path, bytes)
}

const damages: readonly [string, Damage][] = [
  ['cut off', (path) => truncate(path, 60)],
  ['emptied', (path) => truncate(path, 0)],
  ['removed', (path) => rm(path)],
  ['overwritten with noise', (path) => overwrite(path, (bytes) => bytes.fill(0x78, 12))],
  ['changed in one byte of every hundred', (path) => overwrite(path, (bytes) => flipSome(bytes))],
  ['put in place by another pack', (path, other) => copyFile(other, path)],
]

function flipSome(bytes: Buffer): void {
  for (let at = 20; at < bytes.length; at += 100) bytes[at] = (bytes[at] ?? 0) ^ 4
}

test.each(damages)(
  'a pack that is %s between two reads is noticed, and what it held is fetched again',
  async (_what, damage) => {
    const big = noise(1, 70_000)
    await repository.commit({ 'x/a': 'one', 'x/big': big, 'y/b': noise(2, 3_000) })
    await using source = open()
    const snapshot = await source.snapshot(await source.resolve(call), call)
    const read = async (path: string): Promise<string> => Buffer.from(await snapshot.read(path, call)).toString()
    expect(await read('x/a')).toBe('one')
    const other = await packOfAnother()
    for (const path of await packPaths()) await damage(path, other)

    const requests = server.requests.length
    expect(await read('x/big')).toBe(big)
    expect(server.requests.length - requests, 'it came from the server').toBe(1)
    expect(await read('y/b')).toBe(noise(2, 3_000))
    expect(server.requests.length - requests, 'and is kept').toBe(1)
    await repository.commit({ 'x/a': 'two' })
    const next = await source.snapshot(await source.resolve(call), call)
    expect(Buffer.from(await next.read('x/a', call)).toString()).toBe('two')
  },
)

test.each(damages)(
  'a pack that is %s while the server is down is an error, never other content',
  async (_what, damage) => {
    await repository.commit({ a: noise(3, 500), b: noise(4, 500) })
    await using source = open()
    const revision = await source.resolve(call)
    const snapshot = await source.snapshot(revision, call)
    const other = await packOfAnother()
    for (const path of await packPaths()) await damage(path, other)
    server.fail(() => ({ kind: 'status', status: 500 }))
    for (const path of ['a', 'b'])
      await expect(snapshot.read(path, call)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
    server.fail(undefined)
    expect(Buffer.from(await snapshot.read('b', call)).toString()).toBe(noise(4, 500))
  },
)

/** Of the same repository, with other objects in it. */
async function packOfAnother(): Promise<string> {
  const kept = folder
  folder = join(folder, 'another')
  const other = await server.createRepository(`pack-file-${count++}`)
  await other.commit({ a: noise(9, 900), 'x/a': noise(8, 90_000) })
  await using source = open({ url: other.url })
  await source.resolve(call)
  const [path = ''] = await packPaths()
  folder = kept
  return path
}

test('files that cannot be opened for now are no damage: nothing is removed, and the next read goes well', async () => {
  await repository.commit({ a: noise(5, 500) })
  await using source = open()
  await source.resolve(call)
  let refuse = false
  const readPart: FolderFiles['readPart'] = (...where) => {
    if (refuse) return Promise.reject(Object.assign(new Error('too many open files'), { code: 'EMFILE' }))
    return diskFiles.readPart(...where)
  }
  const reading = { files: { ...diskFiles, readPart }, windows: createByteCache<Buffer>(1) }
  const store = createObjectStore(completeLimits({ cacheBytes: 1 }))
  store.replace((await repositoryFolder(folder, reading).load([], call)).packs)
  const oid = hashObject('blob', Buffer.from(noise(5, 500)))
  refuse = true
  await expect(store.read(oid)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE', details: { code: 'EMFILE' } })
  await expect(repositoryFolder(folder, reading).load([], call)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
  expect(await packPaths()).toHaveLength(1)
  refuse = false
  expect((await store.read(oid))?.data.toString()).toBe(noise(5, 500))
})

test('a file that Windows does not let us replace for a moment is replaced a moment later', async () => {
  const { id, pack } = await packOf('one file')
  let refusals = 0
  const rename: FolderFiles['rename'] = async (from, to) => {
    if (refusals++ % 3 < 2) throw Object.assign(new Error('in use'), { code: ['EPERM', 'EBUSY'][refusals % 2] })
    await diskFiles.rename(from, to)
  }
  const reading = { files: { ...diskFiles, rename }, windows: createByteCache<Buffer>(1) }
  const kept = repositoryFolder(folder, reading)
  await kept.load([], call)
  expect(await kept.add(pack, [], { kept: [], inForce: {} }, call)).toMatchObject({ checksum: pack.checksum })
  const store = createObjectStore(completeLimits())
  store.replace((await kept.load([], call)).packs)
  expect((await store.read(id))?.data.toString()).toBe('one file')
  expect((await readdir(join(folder, 'objects/pack'))).filter((name) => name.endsWith('.tmp'))).toEqual([])
})

async function packOf(text: string): Promise<{ readonly id: string; readonly pack: DecodedPack }> {
  const object: GitObject = { type: 'blob', data: Buffer.from(text) }
  const id = hashObject('blob', object.data)
  return { id, pack: await encodePack([wholeEntry(id, object)], 1, call) }
}

test('of two that put the same packs together at once one does it, and the other takes theirs', async () => {
  const reading = { files: diskFiles, windows: createByteCache<Buffer>(1) }
  const [one, two] = [repositoryFolder(folder, reading), repositoryFolder(folder, reading)]
  const [a, b, all] = [await packOf('a'), await packOf('b'), await packOf('all')]
  const state = { kept: [], inForce: {} }
  await one.load([], call)
  await one.add(a.pack, [], state, call)
  await two.add(b.pack, [a.pack.checksum], state, call)
  const obsolete = [a.pack.checksum, b.pack.checksum]
  const results = await Promise.all([
    one.replace(all.pack, obsolete, state, call),
    two.replace(b.pack, obsolete, state, call),
  ])
  expect(results.filter((result) => result === undefined)).toHaveLength(1)
  expect(await packPaths()).toHaveLength(1)
})

test('a folder that was removed altogether is made anew', async () => {
  await repository.commit({ a: 'one' })
  await using source = open()
  const snapshot = await source.snapshot(await source.resolve(call), call)
  await rm(folder, { recursive: true })
  expect(Buffer.from(await snapshot.read('a', call)).toString()).toBe('one')
  await repository.commit({ a: 'two' })
  const next = await source.snapshot(await source.resolve(call), call)
  expect(Buffer.from(await next.read('a', call)).toString()).toBe('two')
  expect((await packPaths()).length).toBeGreaterThan(0)
})

test('what a killed process left in a folder is removed by the next one, and a lock it held is taken over', async () => {
  await repository.commit({ a: 'one' })
  {
    await using source = open()
    await source.resolve(call)
  }
  const packs = join(folder, 'objects/pack')
  const before = await readdir(packs)
  const [pack = ''] = await packPaths()
  const orphan = join(packs, `pack-${'1'.repeat(40)}`)
  await copyFile(pack, `${orphan}.pack`)
  await writeFile(join(packs, `pack-${'2'.repeat(40)}.idx`), 'an index without its pack')
  await writeFile(`${pack}.4711.tmp`, 'half of it')
  await writeFile(join(folder, 'packed-refs.4711.tmp'), 'half of it')
  // No process has this number on a system that counts to 2^22.
  const holder = JSON.parse(await holderOfLock()) as Record<string, unknown>
  await writeFile(join(folder, 'gitops.lock'), JSON.stringify({ ...holder, pid: 2 ** 22 + 1 }))
  await using after = open()
  const snapshot = await after.snapshot(await after.resolve(call), call)
  expect(Buffer.from(await snapshot.read('a', call)).toString()).toBe('one')
  expect(await readdir(packs)).toEqual(before)
  expect((await readdir(folder)).filter((name) => /lock|tmp/.test(name))).toEqual([])
})

/** What a lock of this process says. */
async function holderOfLock(): Promise<string> {
  return withFolderLock(folder, call, () => readFile(join(folder, 'gitops.lock'), 'utf8'))
}
