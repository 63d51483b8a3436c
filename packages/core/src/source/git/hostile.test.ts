import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCall } from '../../runtime/call.ts'
import { runGit } from '../../testing/git/git-command.ts'
import { type GitServer, startGitServer } from '../../testing/git/git-server.ts'
import type { ServedRepository } from '../../testing/git/served-repository.ts'
import type { Snapshot } from '../source.ts'
import { walk } from '../walk.ts'
import { type GitSourceOptions, gitSource } from './source.ts'

let server: GitServer
beforeAll(async () => {
  server = await startGitServer()
})
afterAll(() => server.close())
const call = createCall()
let count = 0
const create = (): Promise<ServedRepository> => server.createRepository(`hostile-${count++}`)
const link = (content: string): { content: string; mode: '120000' } => ({ content, mode: '120000' })

async function snapshotOf(repository: ServedRepository, options: Partial<GitSourceOptions> = {}): Promise<Snapshot> {
  const source = gitSource({ url: repository.url, ref: 'main', retry: { maxAttempts: 1 }, ...options })
  return source.snapshot(await source.resolve(call), call)
}

async function listed(snapshot: Snapshot): Promise<string[]> {
  const lines: string[] = []
  for await (const { type, path } of walk(snapshot, '', call)) lines.push(`${type} ${path}`)
  return lines
}

/** Writes a tree that git itself would refuse to write. */
async function commitTree(
  repository: ServedRepository,
  entries: readonly [mode: string, name: string, oid: string][],
): Promise<void> {
  const input = Buffer.concat(
    entries.flatMap(([mode, name, oid]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
  )
  const tree = await runGit(['hash-object', '-t', 'tree', '-w', '--stdin', '--literally'], {
    cwd: repository.folder,
    input,
  })
  const commit = await repository.git('commit-tree', '-m', 'hostile', tree)
  await repository.git('update-ref', 'refs/heads/main', commit)
}

test.each([
  ['.git', '40000', 'SOURCE_PATH_UNSAFE'],
  ['..', '40000', 'SOURCE_PATH_UNSAFE'],
  ['a\\..\\..\\b', '100644', 'SOURCE_PATH_UNSAFE'],
  ['git~1', '40000', 'SOURCE_PATH_UNSAFE'],
])('a revision with the name %s anywhere in it is refused as a whole', async (name, mode, code) => {
  const repository = await create()
  await repository.commit({ 'config/x': '[core] sshCommand = touch /tmp/owned', good: '1' })
  const inner = await repository.git('rev-parse', mode === '40000' ? 'main:config' : 'main:good')
  await commitTree(repository, [[mode, name, inner]])
  const outer = await repository.git('rev-parse', 'main^{tree}')
  await commitTree(repository, [
    ['100644', 'good', await repository.git('hash-object', '-w', '/dev/null')],
    ['40000', 'nested', outer],
  ])
  await expect(snapshotOf(repository)).rejects.toMatchObject({ code })
})

test('a folder that names something twice is refused', async () => {
  const repository = await create()
  await repository.commit({ 'd/x': '1', f: '1' })
  const [folder, file] = [await repository.git('rev-parse', 'main:d'), await repository.git('rev-parse', 'main:f')]
  await commitTree(repository, [
    ['120000', 'd', file],
    ['40000', 'd', folder],
  ])
  await expect(snapshotOf(repository)).rejects.toMatchObject({ code: 'SOURCE_CORRUPT' })
})

test('a link is an entry of its own; reading it is refused, and what it points to is never opened', async () => {
  const repository = await create()
  await repository.commit({
    'evil.yaml': link('/etc/passwd'),
    esc: link('../../../../etc'),
    'in.yaml': link('real.yaml'),
    'real.yaml': 'x: 1',
  })
  const snapshot = await snapshotOf(repository)
  expect(await listed(snapshot)).toEqual(['symlink esc', 'symlink evil.yaml', 'symlink in.yaml', 'file real.yaml'])
  for (const path of ['evil.yaml', 'esc', 'in.yaml'])
    await expect(snapshot.read(path, call)).rejects.toMatchObject({ code: 'SOURCE_SYMLINK', details: { path } })
  await expect(snapshot.read('esc/passwd', call)).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' })
  await expect(snapshotOf(repository, { path: 'esc' })).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' })
  expect(await listed(await snapshotOf(repository, { symlinks: 'skip' }))).toEqual(['file real.yaml'])
})

test('where links are followed, only those that stay inside the folder of the source are', async () => {
  const repository = await create()
  await repository.commit({
    'app/file': 'content',
    'app/folder/inner': 'inner',
    'app/to-file': link('folder/../file'),
    'app/to-folder': link('./folder'),
    'app/chain': link('to-file'),
    'app/out': link('../secret'),
    'app/absolute': link('/etc/passwd'),
    'app/loop': link('loop'),
    secret: 'outside',
  })
  const snapshot = await snapshotOf(repository, { path: 'app', symlinks: 'follow' })
  const read = async (path: string): Promise<string> => Buffer.from(await snapshot.read(path, call)).toString()
  expect([await read('to-file'), await read('chain'), await read('to-folder/inner')]).toEqual([
    'content',
    'content',
    'inner',
  ])
  for (const path of ['out', 'absolute', 'loop'])
    await expect(snapshot.read(path, call)).rejects.toMatchObject({ code: 'SOURCE_SYMLINK' })
})

test('where links are followed, the digest of a folder changes with what its links lead to', async () => {
  const repository = await create()
  await repository.commit({ 'a/link': link('../b/file'), 'b/file': '1' })
  const before = await snapshotOf(repository, { symlinks: 'follow' })
  await repository.commit({ 'b/file': '2' })
  const after = await snapshotOf(repository, { symlinks: 'follow' })
  expect(await after.digest('a', call)).not.toBe(await before.digest('a', call))
  expect(await after.digest('a/link', call)).not.toBe(await before.digest('a/link', call))
})

test('a submodule is an entry of its own, and reading it is refused', async () => {
  const repository = await create()
  const commit = await repository.commit({ a: '1' })
  await commitTree(repository, [
    ['100644', 'a', await repository.git('rev-parse', 'main:a')],
    ['160000', 'module', commit],
  ])
  const snapshot = await snapshotOf(repository)
  expect(await listed(snapshot)).toEqual(['file a', 'submodule module'])
  await expect(snapshot.read('module', call)).rejects.toMatchObject({ code: 'SOURCE_SUBMODULE' })
  expect(await listed(await snapshotOf(repository, { submodules: 'skip' }))).toEqual(['file a'])
})

test('a pointer of Git LFS is recognised instead of being read as a declaration', async () => {
  const repository = await create()
  await repository.commit({
    'a.yaml': `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12\n`,
  })
  const snapshot = await snapshotOf(repository)
  await expect(snapshot.read('a.yaml', call)).rejects.toMatchObject({
    code: 'SOURCE_LFS_POINTER',
    details: { path: 'a.yaml' },
  })
})

test.each<[string, Partial<GitSourceOptions>, Record<string, string | Buffer>, string]>([
  [
    'a file that is too large',
    { limits: { maxObjectBytes: 100_000 } },
    { zeros: Buffer.alloc(30_000_000) },
    'maxObjectBytes',
  ],
  ['folders that are too deep', { limits: { maxPathDepth: 50 } }, { [`${'d/'.repeat(60)}f`]: '1' }, 'maxPathDepth'],
  [
    'too many files',
    { limits: { maxEntries: 100 } },
    Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`f${at}`, `${at}`])),
    'maxEntries',
  ],
  [
    'an answer that is too long',
    { limits: { maxPackBytes: 10_000 } },
    { noise: Buffer.from(Array.from({ length: 50_000 }, (_, at) => Math.sin(at) * 1e6)) },
    'maxPackBytes',
  ],
])('%s exceed a budget that the error names, and the process stays small', async (_what, options, files, limit) => {
  const repository = await create()
  await repository.commit(files)
  const before = process.memoryUsage().rss
  await expect(snapshotOf(repository, options)).rejects.toMatchObject({ code: 'SOURCE_LIMIT', details: { limit } })
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20)
})

test('a path that is not there is an error that names it, never an empty folder', async () => {
  const repository = await create()
  await repository.commit({ 'deploy/a': '1' })
  await expect(snapshotOf(repository, { path: 'deplay' })).rejects.toMatchObject({
    code: 'PATH_NOT_FOUND',
    message: expect.stringContaining('deplay at main'),
  })
  await expect(snapshotOf(repository, { path: 'deploy/a' })).rejects.toMatchObject({ code: 'PATH_NOT_FOUND' })
})

test('an object that the server leaves out is an error, never a smaller tree', async () => {
  const repository = await create()
  await repository.commit({ a: '1', b: '2' })
  const honest = await repository.git('rev-parse', 'main')
  server.fail(({ body }) => (body.includes('command=fetch') ? { kind: 'rewrite', rewrite: emptyPack } : undefined))
  await expect(snapshotOf(repository)).rejects.toMatchObject({
    code: expect.stringMatching(/^SOURCE_(CORRUPT|PROTOCOL)$/),
  })
  server.fail(undefined)
  expect((await snapshotOf(repository)).revision.id).toBe(honest)
})

/** A pack that is well formed and holds nothing. */
function emptyPack(): Buffer {
  const empty = Buffer.from('PACK\0\0\0\u0002\0\0\0\0', 'latin1')
  const bytes = Buffer.concat([Buffer.from([1]), empty, createHash('sha1').update(empty).digest()])
  const size = (bytes.length + 4).toString(16).padStart(4, '0')
  return Buffer.concat([Buffer.from('000dpackfile\n'), Buffer.from(size), bytes, Buffer.from('0000')])
}

test('a file of many mebibytes leaves a turn to others for each mebibyte that is fetched and read', async () => {
  const repository = await create()
  const content = Buffer.from(Array.from({ length: 2 ** 20 }, (_, at) => (at * at) % 251))
  await repository.commit({ large: Buffer.concat(Array.from({ length: 32 }, () => content)) })
  let turns = 0
  let counting = true
  const count = (): void => {
    turns++
    if (counting) setImmediate(count)
  }
  count()
  const snapshot = await snapshotOf(repository)
  expect((await snapshot.read('large', call)).byteLength).toBe(32 * 2 ** 20)
  counting = false
  expect(turns).toBeGreaterThan(2 * 32)
})
