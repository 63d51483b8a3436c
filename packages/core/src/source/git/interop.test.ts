import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createCall } from '../../runtime/call.ts'
import { type GitServer, startGitServer } from '../../testing/git/git-server.ts'
import type { ServedRepository } from '../../testing/git/served-repository.ts'
import type { GitRef } from './refs.ts'
import { gitSource } from './source.ts'

const call = createCall()
const versions = [
  { server: 2, client: 2 },
  { server: 1, client: 2 },
  { server: 0, client: 2 },
  { server: 2, client: 1 },
  { server: 2, client: 0 },
] as const

describe.each(versions)('server speaks protocol $server, client asks for $client', ({ server: speaks, client }) => {
  let server: GitServer
  let repository: ServedRepository
  const commits: string[] = []
  beforeAll(async () => {
    server = await startGitServer({ protocol: speaks })
    repository = await server.createRepository('interop')
    for (let i = 0; i < 5; i++)
      commits.push(await repository.commit({ 'app/config': `version ${i}\n`.repeat(200), [`f${i}`]: `${i}` }))
    await repository.git('tag', 'v1.0.0', commits[1] ?? '')
    await repository.git('tag', '-a', '-m', 'annotated', 'v1.2.0', commits[2] ?? '')
    await repository.git('tag', 'v2.0.0-rc.1', commits[4] ?? '')
    await repository.git('update-ref', 'refs/deploy/live', commits[3] ?? '')
    await repository.git('branch', 'twin', commits[0] ?? '')
    await repository.git('tag', 'twin', commits[1] ?? '')
  })
  afterAll(() => server.close())
  const source = (ref?: GitRef): ReturnType<typeof gitSource> =>
    gitSource({ url: repository.url, protocol: client, ...(ref === undefined ? {} : { ref }) })

  test.each<[string, () => GitRef | undefined, number]>([
    ['the default branch', () => undefined, 4],
    ['a branch by name', () => 'main', 4],
    ['a branch', () => ({ branch: 'twin' }), 0],
    ['a tag that shares its name with a branch', () => ({ tag: 'twin' }), 1],
    ['an annotated tag, as the commit behind it', () => 'v1.2.0', 2],
    ['any ref', () => 'refs/deploy/live', 3],
    ['a full commit', () => commits[1] ?? '', 1],
    ['a short commit', () => (commits[2] ?? '').slice(0, 10), 2],
    ['a short commit that no ref leads to', () => ({ commit: (commits[3] ?? '').slice(0, 10) }), 3],
    ['the highest version in a range', () => ({ semver: '>=1 <2' }), 2],
    ['a prerelease, when asked for', () => ({ semver: '>=1', includePrerelease: true }), 4],
  ])('resolves %s', async (_what, ref, expected) => {
    await using one = source(ref())
    const revision = await one.resolve(call)
    expect(revision.id).toBe(commits[expected])
    const snapshot = await one.snapshot(revision, call)
    expect(Buffer.from(await snapshot.read(`f${expected}`, call)).toString()).toBe(`${expected}`)
  })

  test('resolves an annotated tag on a server that gives only what its refs name', async () => {
    const strict = await server.createRepository('strict')
    await strict.git('config', 'uploadpack.allowAnySHA1InWant', 'false')
    const tagged = await strict.commit({ f: 'tagged' })
    await strict.git('tag', '-a', '-m', 'annotated', 'v1.0.0', tagged)
    await strict.commit({ f: 'later' })
    await using one = gitSource({ url: strict.url, protocol: client, ref: 'v1.0.0' })
    const revision = await one.resolve(call)
    expect(revision.id).toBe(tagged)
    const snapshot = await one.snapshot(revision, call)
    expect(Buffer.from(await snapshot.read('f', call)).toString()).toBe('tagged')
  })

  test('of versions that differ only in build metadata, the one that was committed last is taken', async () => {
    const ties = await server.createRepository('ties')
    const older = await ties.commit({ f: 'older' })
    const newer = await ties.commit({ f: 'newer' })
    await ties.git('tag', '-a', '-m', 'made last', 'v1.0.0+zzz', older)
    await ties.git('tag', 'v1.0.0+aaa', newer)
    await ties.git('tag', 'v0.9.0', newer)
    await using one = gitSource({ url: ties.url, protocol: client, ref: { semver: '^1' } })
    expect(await one.resolve(call)).toMatchObject({ id: newer, name: 'v1.0.0+aaa' })
  })

  test.each([true, false])(
    'reads a part of the files, and all of them where the server can leave none out',
    async (can) => {
      const part = await server.createRepository(`part-${can}`)
      await part.git('config', 'uploadpack.allowFilter', String(can))
      await part.commit({ 'app/a': 'one', 'other/b': 'two'.repeat(50_000) })
      await using one = gitSource({ url: part.url, protocol: client, ref: 'main', path: 'app' })
      const before = server.requests.length
      const first = await one.snapshot(await one.resolve(call), call)
      expect(Buffer.from(await first.read('a', call)).toString()).toBe('one')
      await part.commit({ 'app/a': 'three', 'app/c': 'four' })
      const second = await one.snapshot(await one.resolve(call), call)
      expect(Buffer.from(await second.read('a', call)).toString()).toBe('three')
      expect(Buffer.from(await second.read('c', call)).toString()).toBe('four')
      const bodies = server.requests.slice(before).map(({ body }) => body.toString('latin1'))
      expect(bodies.some((body) => body.includes('filter blob:none'))).toBe(can)
    },
  )

  test('refuses a name that is a branch and a tag, and names both', async () => {
    await using one = source('twin')
    const candidates = ['refs/heads/twin', 'refs/tags/twin']
    await expect(one.resolve(call)).rejects.toMatchObject({ code: 'REVISION_AMBIGUOUS', details: { candidates } })
  })

  test('names what is there when a ref is not', async () => {
    await using one = source('mian')
    await expect(one.resolve(call)).rejects.toMatchObject({
      code: 'REVISION_NOT_FOUND',
      details: { nearby: expect.arrayContaining(['main']) },
    })
  })

  test('sends only the difference for a commit, and reads the same as git', async () => {
    await using one = source('main')
    const before = await one.resolve(call)
    await one.snapshot(before, call)
    const next = await repository.commit(
      { 'app/config': `${'version 4\n'.repeat(150)}changed\n${'version 4\n'.repeat(50)}` },
      { branch: 'twin' },
    )
    await repository.git(
      'update-ref',
      'refs/heads/forward',
      await repository.git('commit-tree', '-p', before.id, '-m', 'next', `${next}^{tree}`),
    )
    await using two = source('forward')
    const revision = await two.resolve(call)
    const snapshot = await two.snapshot(revision, call)
    expect(`${Buffer.from(await snapshot.read('app/config', call)).toString()}`).toBe(
      `${await repository.git('show', 'forward:app/config')}\n`,
    )
  })

  test('an empty repository is an error of its own', async () => {
    const empty = await server.createRepository('empty')
    await using one = gitSource({ url: empty.url, protocol: client })
    await expect(one.resolve(call)).rejects.toMatchObject({ code: 'SOURCE_EMPTY' })
  })

  test('a repository that counts by sha256 is refused as what it is', async () => {
    const other = await server.createRepository('sha256', { objectFormat: 'sha256' })
    await other.commit({ a: '1' })
    await using one = gitSource({ url: other.url, ref: 'main', protocol: client })
    await expect(one.resolve(call)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('sha256'),
    })
  })
})
