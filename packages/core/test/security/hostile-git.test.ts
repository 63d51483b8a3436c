import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type GitSourceOptions, gitSource } from '../../src/git.ts'
import { createCall, walk } from '../../src/index.ts'
import { type GitServer, startGitServer } from '../../src/testing/git/git-server.ts'
import type { ServedRepository } from '../../src/testing/git/served-repository.ts'

// Real git serves what no honest git would write: the objects are made here, byte by byte.
let server: GitServer
beforeAll(async () => void (server = await startGitServer()))
afterAll(() => server.close())
const call = createCall()
let count = 0

interface Entry {
  readonly mode?: string
  readonly name: string | Uint8Array
  readonly id: string
}

async function hostileRepository(): Promise<ServedRepository & Tools> {
  const repository = await server.createRepository(`hostile-${count++}`)
  const put = async (type: string, content: Uint8Array): Promise<string> => writeLoose(repository, type, content)
  return {
    ...repository,
    blob: (text) => put('blob', Buffer.from(text)),
    tree: (entries) => put('tree', Buffer.concat(entries.map(treeEntry))),
    point: async (tree, ref = 'refs/heads/main') => {
      const who = 'A <a@example.com> 1700000000 +0000'
      const commit = await put('commit', Buffer.from(`tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nx\n`))
      await repository.git('update-ref', ref, commit)
      return commit
    },
  }
}

interface Tools {
  blob(text: string): Promise<string>
  tree(entries: readonly Entry[]): Promise<string>
  point(tree: string, ref?: string): Promise<string>
}

function treeEntry({ mode = '100644', name, id }: Entry): Buffer {
  return Buffer.concat([Buffer.from(`${mode} `), Buffer.from(name), Buffer.from([0]), Buffer.from(id, 'hex')])
}

/** Writes a loose object as it is: git checks nothing then. */
function writeLoose({ folder }: ServedRepository, type: string, content: Uint8Array): string {
  const object = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content])
  const id = createHash('sha1').update(object).digest('hex')
  mkdirSync(join(folder, 'objects', id.slice(0, 2)), { recursive: true })
  writeFileSync(join(folder, 'objects', id.slice(0, 2), id.slice(2)), deflateSync(object))
  return id
}

/** Everything a target would do with the source: resolve, list, read. */
async function readAll(
  repository: ServedRepository,
  options: Partial<GitSourceOptions> = {},
): Promise<Record<string, string>> {
  await using source = gitSource({
    url: repository.url,
    ref: 'main',
    retry: { maxAttempts: 1, baseDelayMs: 1 },
    ...options,
  } as GitSourceOptions)
  const snapshot = await source.snapshot(await source.resolve(call), call)
  const files: Record<string, string> = {}
  for await (const { path } of walk(snapshot, '', call))
    files[path] = Buffer.from(await snapshot.read(path, call)).toString()
  return files
}

describe('links lead nowhere', () => {
  const links: readonly (readonly [string, string, string])[] = [
    ['G01: out of the tree', 'evil.yaml', '/etc/passwd'],
    ['G02: to a folder outside', 'esc', '../../../../etc'],
    ['G03: to a neighbour', 'evil.yaml', 'good.yaml'],
  ]
  test.each(links)('%s', async (_, name, target) => {
    const repository = await hostileRepository()
    const [link, good] = [await repository.blob(target), await repository.blob('a: 1\n')]
    await repository.point(
      await repository.tree(
        [
          { mode: '120000', name, id: link },
          { name: 'good.yaml', id: good },
        ].toSorted((left, right) => (left.name < right.name ? -1 : 1)),
      ),
    )
    await expect(readAll(repository)).rejects.toMatchObject({
      code: 'SOURCE_SYMLINK',
      message: expect.stringContaining(name),
    })
    await expect(readAll(repository, { path: name })).rejects.toMatchObject({
      code: expect.stringMatching(/^(SOURCE_SYMLINK|PATH_NOT_FOUND)$/),
    })
  })
})

describe('names that are no names refuse the whole revision', () => {
  const names = [
    '..',
    '.',
    '../x',
    '/abs',
    'a/b',
    'a\\..\\b',
    'C:\\x',
    '',
    '.git',
    '.GIT',
    '.git ',
    'git~1',
    '.git::$INDEX_ALLOCATION',
    '.g\u200cit',
  ]
  test.each(names.map((name) => [JSON.stringify(name), name] as const))('G04: %s', async (_, name) => {
    const repository = await hostileRepository()
    await repository.point(await repository.tree([{ name, id: await repository.blob('a: 1\n') }]))
    const { code } = await readAll(repository).then(
      () => ({ code: 'nothing was refused' }),
      (error: { code: string }) => error,
    )
    // An empty name makes the git of the server itself give up.
    expect(['SOURCE_PATH_UNSAFE', 'SOURCE_CORRUPT', ...(name === '' ? ['SOURCE_PROTOCOL'] : [])]).toContain(code)
  })

  test('G06: a nested .git with a command in its configuration', async () => {
    const repository = await hostileRepository()
    const config = await repository.blob('[core]\n\tsshCommand = touch /tmp/pwned\n')
    const git = await repository.tree([{ name: 'config', id: config }])
    await repository.point(
      await repository.tree([
        { mode: '40000', name: 'sub', id: await repository.tree([{ mode: '40000', name: '.git', id: git }]) },
      ]),
    )
    await expect(readAll(repository)).rejects.toMatchObject({ code: 'SOURCE_PATH_UNSAFE' })
  })

  test('G07: a link and a folder of one name', async () => {
    const repository = await hostileRepository()
    const [link, folder] = [
      await repository.blob('/etc'),
      await repository.tree([{ name: 'passwd', id: await repository.blob('mine') }]),
    ]
    await repository.point(
      await repository.tree([
        { mode: '120000', name: 'd', id: link },
        { mode: '40000', name: 'd', id: folder },
      ]),
    )
    await expect(readAll(repository)).rejects.toMatchObject({
      code: expect.stringMatching(/^SOURCE_(CORRUPT|PATH_UNSAFE)$/),
    })
  })
})

describe('names that only some systems mind are kept apart', () => {
  test('G08: twins that differ in case, and names that Windows reserves, are read as they are', async () => {
    const repository = await server.createRepository(`names-${count++}`)
    const files = { 'A.yaml': 'upper', 'a.yaml': 'lower', 'b/x': '1', 'B/x': '2' }
    await repository.commit(files)
    expect(await readAll(repository)).toEqual(files)
  })

  test('G09: twins that differ in Unicode normalisation are distinct, in a fixed order', async () => {
    const repository = await server.createRepository(`unicode-${count++}`)
    const files = { 'caf\u00e9.yaml': 'composed', 'cafe\u0301.yaml': 'decomposed' }
    await repository.commit(files)
    const read = await readAll(repository)
    expect(read).toEqual(files)
    expect(Object.keys(read)).toEqual(Object.keys(await readAll(repository)))
  })
})

describe('what is too large is refused before it is inflated', () => {
  test('G11: a blob of zeros that is small in the pack', async () => {
    const repository = await server.createRepository(`zeros-${count++}`)
    await repository.commit({ 'zeros.bin': new Uint8Array(96 * 1024 * 1024), 'a.yaml': 'a: 1' })
    const before = process.memoryUsage().rss
    const refused = readAll(repository, { limits: { maxObjectBytes: 1024 * 1024 } })
    await expect(refused).rejects.toMatchObject({ code: 'SOURCE_LIMIT', details: { limit: 'maxObjectBytes' } })
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
  })

  test('G12, G13: too many objects, entries, levels, and bytes in all', async () => {
    const repository = await server.createRepository(`many-${count++}`)
    const many = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`f/${index}`, String(index)]))
    await repository.commit({ ...many, [`${'d/'.repeat(300)}x`]: 'deep' })
    const budgets: readonly (readonly [string, object])[] = [
      ['maxObjects', { maxObjects: 100 }],
      ['maxEntries', { maxEntries: 100 }],
      ['maxPathDepth', { maxPathDepth: 50 }],
      ['maxInflatedBytes', { maxInflatedBytes: 10_000 }],
      ['maxPackBytes', { maxPackBytes: 5_000 }],
    ]
    for (const [limit, limits] of budgets)
      await expect(readAll(repository, { limits })).rejects.toMatchObject({ code: 'SOURCE_LIMIT', details: { limit } })
  })
})

describe('addresses and names that are something else', () => {
  test.each(['https://user:hunter2@git.example/x', 'https://token@git.example/x', 'ssh://git:hunter2@git.example/x'])(
    'G19: %s',
    (url) => {
      const make = (): unknown => gitSource({ url })
      expect(make).toThrow(expect.objectContaining({ code: 'USERINFO_IN_URL' }))
      expect(make).not.toThrow(/hunter2|token@/)
    },
  )

  const addresses = [
    'ext::sh -c id',
    'file:///etc',
    '/etc',
    '--upload-pack=id',
    'ssh://-oProxyCommand=id/x',
    'javascript:alert(1)',
    '',
    'git://git.example/x',
  ]
  test.each(addresses)('G19: an address that runs or reads something: %j', (url) => {
    expect(() => gitSource({ url })).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(CONFIG_INVALID|UNSUPPORTED)$/) }),
    )
  })

  const refs = [
    '-x',
    '--upload-pack=x',
    'refs/../../x',
    'a..b',
    'HEAD\n',
    'x'.repeat(5_000),
    '@{-1}',
    'a b',
    'a\0b',
    'x.lock',
    '',
  ]
  test.each(refs.map((ref) => [JSON.stringify(ref).slice(0, 40), ref] as const))('G22: the ref %s', (_, ref) => {
    expect(() => gitSource({ url: 'https://git.example/x', ref })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  })

  test('G29: more refs than the limit', async () => {
    const repository = await server.createRepository(`refs-${count++}`)
    const commit = await repository.commit({ a: '1' })
    writeFileSync(
      join(repository.folder, 'packed-refs'),
      Array.from({ length: 500 }, (_, index) => `${commit} refs/heads/b${index}\n`).join(''),
    )
    await expect(
      readAll(repository, { ref: { semver: '*' }, limits: { maxRefs: 100 }, protocol: 0 } as object),
    ).rejects.toMatchObject({
      code: 'SOURCE_LIMIT',
      details: { limit: 'maxRefs' },
    })
  })

  test('G31: a pointer to a large file is not taken for the file', async () => {
    const repository = await server.createRepository(`lfs-${count++}`)
    await repository.commit({
      'a.yaml': `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`,
    })
    await expect(readAll(repository)).rejects.toMatchObject({
      code: 'SOURCE_LFS_POINTER',
      message: expect.stringContaining('a.yaml'),
    })
  })

  test('G32: a tree that refers to an object nobody has', async () => {
    const repository = await hostileRepository()
    await repository.point(await repository.tree([{ name: 'a.yaml', id: '1'.repeat(40) }]))
    await expect(readAll(repository)).rejects.toMatchObject({ code: expect.stringMatching(/^SOURCE_/) })
  })
})

describe('G28: a ref that moves while it is read', () => {
  test('forward: the revision is wholly the one or wholly the other', async () => {
    const { repository, old, next } = await movingRepository()
    moveAtFetch(repository, next)
    await using source = gitSource({ url: repository.url, ref: 'main' })
    const { id } = await source.resolve(call)
    expect(await repository.git('rev-parse', 'main')).toBe(next)
    expect([old, next]).toContain(id)
    const content = id === old ? 'old' : 'new'
    expect(await filesOf(source, id)).toEqual({ 'a.yaml': content, 'b.yaml': content })
    expect((await source.resolve(call)).id).toBe(next)
    expect(await filesOf(source, next)).toEqual({ 'a.yaml': 'new', 'b.yaml': 'new' })
  })

  test('to unrelated history, and the commit that was listed is thrown away: nothing is mixed', async () => {
    const { repository, next } = await movingRepository()
    const who = 'A <a@example.com> 1700000000 +0000'
    const tree = await repository.git('rev-parse', `${next}^{tree}`)
    const content = Buffer.from(`tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nunrelated\n`)
    const unrelated = writeLoose(repository, 'commit', content)
    moveAtFetch(repository, unrelated, () => {
      execFileSync('git', ['reflog', 'expire', '--expire=now', '--all'], { cwd: repository.folder })
      execFileSync('git', ['prune', '--expire=now'], { cwd: repository.folder })
    })
    await using source = gitSource({ url: repository.url, ref: 'main', retry: { maxAttempts: 1, baseDelayMs: 1 } })
    const first = await source.resolve(call).then(
      ({ id }) => id,
      ({ code }: { code: string }) => code,
    )
    expect(first).toMatch(/^([0-9a-f]{40}|SOURCE_[A-Z]+|REVISION_NOT_FOUND)$/)
    server.fail(undefined)
    const later = await source.resolve(call).then(
      ({ id }) => id,
      ({ code }: { code: string }) => code,
    )
    // What was in force before is not left without anybody being asked.
    expect(later).toBe(/^[0-9a-f]{40}$/.test(first) && first !== unrelated ? 'REVISION_REWRITTEN' : unrelated)
    if (later === unrelated) expect(await filesOf(source, later)).toEqual({ 'a.yaml': 'new', 'b.yaml': 'new' })
  })

  async function filesOf(source: ReturnType<typeof gitSource>, id: string): Promise<Record<string, string>> {
    const snapshot = await source.snapshot({ id }, call)
    const files: Record<string, string> = {}
    for (const path of ['a.yaml', 'b.yaml']) files[path] = Buffer.from(await snapshot.read(path, call)).toString()
    return files
  }
})

/** `main` is at `old`; `next` follows it, and no ref leads there yet. */
async function movingRepository(): Promise<{ repository: ServedRepository; old: string; next: string }> {
  const repository = await server.createRepository(`moving-${count++}`)
  const old = await repository.commit({ 'a.yaml': 'old', 'b.yaml': 'old' })
  const next = await repository.commit({ 'a.yaml': 'new', 'b.yaml': 'new' })
  await repository.git('update-ref', 'refs/heads/main', old)
  return { repository, old, next }
}

/** Between the list of refs and the fetch, once. */
function moveAtFetch({ folder }: ServedRepository, to: string, then: () => void = () => {}): void {
  server.fail(({ method, body }) => {
    if (method !== 'POST' || !body.includes('command=fetch')) return undefined
    execFileSync('git', ['update-ref', 'refs/heads/main', to], { cwd: folder })
    then()
    server.fail(undefined)
    return undefined
  })
}
