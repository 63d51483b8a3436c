import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createCall } from '../../../runtime/call.ts'
import type { Clock } from '../../../runtime/clock.ts'
import { runGit } from '../../../testing/git/git-command.ts'
import { type GitServer, startGitServer } from '../../../testing/git/git-server.ts'
import type { ServedRepository } from '../../../testing/git/served-repository.ts'
import { hashObject } from '../objects.ts'
import { encodePack, wholeEntry } from '../pack/encode.ts'
import { writeIndexFile } from '../pack/index-file.ts'
import { type GitSource, type GitSourceOptions, gitSource } from '../source.ts'

let server: GitServer
let folder: string
let repository: ServedRepository
let count = 0
beforeAll(async () => {
  server = await startGitServer()
})
afterAll(() => server.close())
beforeEach(async () => {
  server.fail(undefined)
  folder = await mkdtemp(join(tmpdir(), 'gitops-sdk-store-'))
  repository = await server.createRepository(`store-${count++}`)
})
afterEach(() => rm(folder, { recursive: true, force: true }))
const call = createCall()
const lines = (seed: number): string =>
  Array.from({ length: 400 }, (_, line) => `${seed % (line + 7)} ${line}`).join('\n')

function open(options: Partial<GitSourceOptions> = {}): GitSource {
  return gitSource({ url: repository.url, ref: 'main', storage: { folder }, retry: { maxAttempts: 1 }, ...options })
}

async function readNow(source: GitSource, path: string): Promise<string> {
  const snapshot = await source.snapshot(await source.resolve(call), call)
  return Buffer.from(await snapshot.read(path, call)).toString()
}

const serverIsDown = (): void => server.fail(() => ({ kind: 'status', status: 500 }))
const packs = async (): Promise<string[]> =>
  (await readdir(join(folder, 'objects/pack'))).filter((name) => name.endsWith('.pack'))

test('after a restart a recorded revision is read without the server', async () => {
  const first = await repository.commit({ a: 'one', 'sub/b': 'two' })
  await using before = open()
  await before.resolve(call)
  await repository.commit({ a: 'changed' })
  await before.resolve(call)
  serverIsDown()
  await using after = open()
  const snapshot = await after.snapshot({ id: first }, call)
  expect(Buffer.from(await snapshot.read('a', call)).toString()).toBe('one')
  await expect(after.resolve(call)).rejects.toMatchObject({ code: 'SOURCE_UNREACHABLE' })
})

test('git reads the folder, finds nothing wrong with it, and sees the same files', async () => {
  for (let at = 0; at < 5; at++) {
    await repository.commit({ a: lines(at), [`n${at}`]: `${at}` })
    await using source = open()
    await source.resolve(call)
  }
  const head = await repository.git('rev-parse', 'main')
  expect(await runGit(['fsck', '--full', '--strict'], { cwd: folder })).not.toMatch(/error|missing|corrupt/)
  expect(await runGit(['ls-tree', '-r', head], { cwd: folder })).toBe(await repository.git('ls-tree', '-r', head))
  for (const pack of await packs())
    await runGit(['verify-pack', join(folder, 'objects/pack', pack.replace(/pack$/, 'idx'))], { cwd: folder })
})

test('history that was rewritten while nobody looked is noticed after the restart', async () => {
  const good = await repository.commit({ a: '1' })
  await using before = open()
  await before.resolve(call)
  await repository.git('update-ref', '-d', 'refs/heads/main')
  await repository.commit({ b: '1' })
  await using after = open()
  await expect(after.resolve(call)).rejects.toMatchObject({ code: 'REVISION_REWRITTEN', details: { from: good } })
})

test.each<[string, (pack: string) => Promise<void>]>([
  ['a flipped byte in a pack', async (pack) => flip(pack)],
  ['a flipped byte in an index', async (pack) => flip(pack.replace(/pack$/, 'idx'))],
  ['a pack that was cut off', async (pack) => truncate(pack, 40)],
  ['an empty pack', async (pack) => writeFile(pack, '')],
  ['a pack without its index', async (pack) => rm(pack.replace(/pack$/, 'idx'))],
  ['the index of another pack', async (pack) => writeFile(pack.replace(/pack$/, 'idx'), await otherIndex())],
  ['an index without its pack', async (pack) => rm(pack)],
  ['a state file that was edited', async () => writeFile(join(folder, 'gitops-state.json'), 'x\n{"kept":["evil"]}')],
])('%s is detected and rebuilt, never trusted', async (_what, damage) => {
  await repository.commit({ a: lines(1), b: 'x' })
  await using before = open()
  await before.resolve(call)
  const [pack = ''] = await packs()
  await damage(join(folder, 'objects/pack', pack))
  await using after = open()
  expect(await readNow(after, 'a')).toBe(lines(1))
  await using third = open()
  serverIsDown()
  const snapshot = await third.snapshot({ id: await repository.git('rev-parse', 'main') }, call)
  expect(Buffer.from(await snapshot.read('b', call)).toString()).toBe('x')
})

test('many polls with a commit each leave few packs, no more than twice the bytes of a fresh clone, and fast reads', async () => {
  const files = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`d${at % 17}/f${at}`, lines(at)]))
  await repository.commit(files)
  await using source = open({ keepRevisions: 3 })
  for (let at = 0; at < 70; at++) {
    await repository.commit({ [`d${at % 17}/f${at}`]: lines(at + 1_000) })
    await source.resolve(call)
  }
  expect(await readNow(source, 'd3/f3')).toBe(lines(1_003))
  // Packs are put together beside; what is looked at has to stand still.
  await source[Symbol.asyncDispose]()
  expect((await packs()).length).toBeLessThanOrEqual(42)
  await using fresh = open({ storage: { folder: join(folder, 'fresh') } })
  await fresh.resolve(call)
  const bytes = async (path: string): Promise<number> => {
    const names = await readdir(join(path, 'objects/pack'))
    const sizes = await Promise.all(
      names.map(async (name) => (await readFile(join(path, 'objects/pack', name))).length),
    )
    return sizes.reduce((sum, size) => sum + size, 0)
  }
  expect(await bytes(folder)).toBeLessThan(2 * (await bytes(join(folder, 'fresh'))) + 300_000)
  expect(await runGit(['fsck', '--full', '--strict'], { cwd: folder })).not.toMatch(/error|missing|corrupt/)
}, 240_000)

test('a save that is given up while another process holds the folder loses nothing', async () => {
  await repository.commit({ a: 'one' })
  await using source = open({ limits: { cacheBytes: 1 } })
  await source.resolve(call)
  await repository.commit({ a: 'two' })
  await writeFile(join(folder, 'gitops.lock'), 'another process')
  const giveUp = new AbortController()
  const clock: Clock = {
    ...call.clock,
    setTimer: (delayMs, run) => {
      if (delayMs < 100) giveUp.abort()
      return call.clock.setTimer(delayMs, run)
    },
  }
  await expect(source.resolve({ ...call, clock, signal: giveUp.signal })).rejects.toMatchObject({ code: 'CANCELLED' })
  await rm(join(folder, 'gitops.lock'))
  expect(await readNow(source, 'a')).toBe('two')
  await repository.commit({ a: 'three' })
  await source.resolve(call)
  await using after = open()
  serverIsDown()
  const snapshot = await after.snapshot({ id: await repository.git('rev-parse', 'main') }, call)
  expect(Buffer.from(await snapshot.read('a', call)).toString()).toBe('three')
})

test('several processes share one folder: what each fetched is whole, whatever the others remove', async () => {
  await repository.commit({ a: lines(0), b: lines(1) })
  const sources = Array.from({ length: 4 }, () => open({ keepRevisions: 2 }))
  for (let at = 0; at < 10; at++) {
    await repository.commit({ a: lines(at), [`f${at}`]: `${at}` })
    await Promise.all(sources.map((source) => source.resolve(call)))
  }
  await Promise.all(sources.map((source) => source[Symbol.asyncDispose]()))
  serverIsDown()
  await using after = open()
  const snapshot = await after.snapshot({ id: await repository.git('rev-parse', 'main') }, call)
  expect(Buffer.from(await snapshot.read('f9', call)).toString()).toBe('9')
  expect(await readdir(folder)).not.toContain('gitops.lock')
})

/** Whole, and of a pack that is not here. */
async function otherIndex(): Promise<Uint8Array> {
  const data = Buffer.from('another')
  const oid = hashObject('blob', data)
  const { index, checksum } = await encodePack([wholeEntry(oid, { type: 'blob', data })], 1, call)
  return writeIndexFile(index, checksum)
}

async function flip(path: string): Promise<void> {
  const bytes = await readFile(path)
  const at = Math.floor(bytes.length / 2)
  bytes[at] = (bytes[at] ?? 0) ^ 0x10
  await writeFile(path, bytes)
}
