import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCall } from '../../runtime/call.ts'
import { type GitServer, startGitServer } from '../../testing/git/git-server.ts'
import type { ServedRepository } from '../../testing/git/served-repository.ts'
import { gitSource } from './source.ts'

let server: GitServer
beforeAll(async () => {
  server = await startGitServer()
})
afterAll(() => server.close())
const call = createCall()
let count = 0
const create = (): ReturnType<GitServer['createRepository']> => server.createRepository(`rewrites-${count++}`)

test('a branch that moves forward, by one commit or many or a merge, is no rewrite', async () => {
  const repository = await create()
  await repository.commit({ a: '0' })
  await using source = gitSource({ url: repository.url, ref: 'main' })
  await source.resolve(call)
  for (let i = 0; i < 12; i++) await repository.commit({ a: `${i + 1}` })
  const last = await repository.git('rev-parse', 'main')
  expect((await source.resolve(call)).id).toBe(last)
  const side = await repository.git('commit-tree', '-p', `${last}~4`, '-m', 'side', `${last}~3^{tree}`)
  const merge = await repository.git('commit-tree', '-p', side, '-p', last, '-m', 'merge', `${last}^{tree}`)
  await repository.git('update-ref', 'refs/heads/main', merge)
  expect(await source.resolve(call)).toEqual(expect.objectContaining({ id: merge }))
})

test('a force-push is held with both ids, passes when it is accepted, and keeps the last good revision readable', async () => {
  const repository = await create()
  await repository.commit({ a: '0' })
  const good = await repository.commit({ a: '1' })
  await using source = gitSource({ url: repository.url, ref: 'main' })
  const revision = await source.resolve(call)
  await repository.git('update-ref', 'refs/heads/main', `${good}~1`)
  const other = await repository.commit({ a: 'other' })
  const rewrite = {
    code: 'REVISION_REWRITTEN',
    details: { kind: 'history replaced', ref: 'refs/heads/main', from: good, to: other },
  }
  await expect(source.resolve(call)).rejects.toMatchObject(rewrite)
  await expect(source.resolve(call)).rejects.toMatchObject(rewrite)
  const snapshot = await source.snapshot(revision, call)
  expect(Buffer.from(await snapshot.read('a', call)).toString()).toBe('1')
  source.acceptRewrite(other)
  expect(await source.resolve(call)).toMatchObject({ id: other, replaces: good })
})

test('a branch that goes back to an older commit is held, and goes on when it is restored', async () => {
  const repository = await create()
  const old = await repository.commit({ a: '0' })
  const good = await repository.commit({ a: '1' })
  await using source = gitSource({ url: repository.url, ref: 'main' })
  await source.resolve(call)
  await repository.git('update-ref', 'refs/heads/main', old)
  await expect(source.resolve(call)).rejects.toMatchObject({
    code: 'REVISION_REWRITTEN',
    details: { from: good, to: old },
  })
  await repository.git('update-ref', 'refs/heads/main', good)
  expect((await source.resolve(call)).id).toBe(good)
})

test('with `follow` a rewrite is taken, and the revision says what it replaces', async () => {
  const repository = await create()
  const good = await repository.commit({ a: '1' })
  await using source = gitSource({ url: repository.url, ref: 'main', onRewritten: 'follow' })
  await source.resolve(call)
  await repository.git('update-ref', '-d', 'refs/heads/main')
  const unrelated = await repository.commit({ b: '1' })
  expect(await source.resolve(call)).toMatchObject({ id: unrelated, replaces: good })
})

test('a deleted branch is a rewrite without a new id, never an empty desired state', async () => {
  const repository = await create()
  const good = await repository.commit({ a: '1' })
  await repository.commit({ a: '1' }, { branch: 'other' })
  await using source = gitSource({ url: repository.url, ref: 'main' })
  await source.resolve(call)
  await repository.git('update-ref', '-d', 'refs/heads/main')
  const error = { code: 'REVISION_REWRITTEN', details: { kind: 'ref deleted', from: good } }
  await expect(source.resolve(call)).rejects.toMatchObject(error)
  await using follower = gitSource({ url: repository.url, ref: 'main', onRewritten: 'follow' })
  await expect(follower.resolve(call)).rejects.toMatchObject({
    code: 'REVISION_NOT_FOUND',
    details: { nearby: ['other'] },
  })
})

test('a moved tag is held, and a range of versions is held when its highest version is withdrawn', async () => {
  const repository = await create()
  const first = await repository.commit({ a: '1' })
  await repository.git('tag', 'v1.0.0')
  const second = await repository.commit({ a: '2' })
  await repository.git('tag', '-a', '-m', 'two', 'v1.1.0')
  await using range = gitSource({ url: repository.url, ref: { semver: '^1' } })
  await using tag = gitSource({ url: repository.url, ref: { tag: 'v1.0.0' } })
  expect(await range.resolve(call)).toMatchObject({ id: second, name: 'v1.1.0' })
  expect(await tag.resolve(call)).toMatchObject({ id: first })
  await repository.git('tag', '-d', 'v1.1.0')
  await expect(range.resolve(call)).rejects.toMatchObject({
    code: 'REVISION_REWRITTEN',
    details: { kind: 'version withdrawn' },
  })
  await repository.git('tag', '-f', 'v1.0.0', second)
  const moved = { kind: 'tag moved', from: first, to: second }
  await expect(tag.resolve(call)).rejects.toMatchObject({ code: 'REVISION_REWRITTEN', details: moved })
})

test('where the server cuts its history off, what cannot be shown to continue is held', async () => {
  const origin = await create()
  for (let i = 0; i < 6; i++) await origin.commit({ a: `${i}` })
  const mirror = await create()
  const fetch = (): Promise<string> => mirror.git('fetch', '--quiet', '--depth=1', origin.url, '+main:main')
  await fetch()
  await using source = gitSource({ url: mirror.url, ref: 'main' })
  await source.resolve(call)
  await origin.commit({ a: 'one more' })
  await fetch()
  expect(await source.resolve(call)).toMatchObject({ message: 'A change' })
  await origin.commit({ a: 'two' })
  await origin.commit({ a: 'three' })
  await fetch()
  await expect(source.resolve(call)).rejects.toMatchObject({
    code: 'REVISION_REWRITTEN',
    details: { kind: 'history unknown' },
  })
})

test('a commit that the server has thrown away after a force-push is missed as well', async () => {
  const repository = await create()
  const good = await repository.commit({ a: '1' })
  await using source = gitSource({ url: repository.url, ref: 'main' })
  await source.resolve(call)
  await repository.git('update-ref', '-d', 'refs/heads/main')
  for (let i = 0; i < 4; i++) await repository.commit({ b: `${i}` })
  await repository.git('reflog', 'expire', '--expire=now', '--all')
  await repository.git('prune', '--expire=now')
  await expect(repository.git('cat-file', '-e', good)).rejects.toThrow()
  await expect(source.resolve(call)).rejects.toMatchObject({
    code: 'REVISION_REWRITTEN',
    details: { kind: 'history replaced', from: good },
  })
})

test.each([0, 1] as const)(
  'protocol %d gives only what refs lead to: there the commits in between are fetched',
  async (protocol) => {
    const repository = await create()
    const first = await repository.commit({ a: '0' })
    await using source = gitSource({ url: repository.url, ref: 'main', protocol })
    await source.resolve(call)
    const last = await commitMany(repository, 5)
    expect((await source.resolve(call)).id).toBe(last)
    expect(wanting(first, repository)).toEqual([])
  },
)

test('that one commit continues another is the word of the server, except where signatures are verified: there it is proved', async () => {
  const repository = await create()
  const old = await commitMany(repository, 5)
  const good = await commitMany(repository, 5)
  const believing = gitSource({ url: repository.url, ref: 'main' })
  const proving = gitSource({ url: repository.url, ref: 'main', verify: async () => {} })
  await believing.resolve(call)
  await proving.resolve(call)
  await repository.git('update-ref', 'refs/heads/main', old)
  server.fail(({ body }) =>
    body.includes(`want ${good}`) ? { kind: 'rewrite', rewrite: () => nothingToSend } : undefined,
  )
  try {
    expect(await believing.resolve(call)).toMatchObject({ id: old })
    await expect(proving.resolve(call)).rejects.toMatchObject({
      code: 'REVISION_REWRITTEN',
      details: { from: good, to: old },
    })
  } finally {
    server.fail(undefined)
    await Promise.all([believing[Symbol.asyncDispose](), proving[Symbol.asyncDispose]()])
  }
})

/** Gives the last of them. */
async function commitMany(repository: ServedRepository, amount: number): Promise<string> {
  let last = ''
  for (let i = 0; i < amount; i++) last = await repository.commit({ a: `number ${i}` })
  return last
}

/** Requests so far that asked for `commit`. */
function wanting(commit: string, { name }: ServedRepository): readonly unknown[] {
  return server.requests.filter(
    ({ path, body }) => path.includes(`/${name}.git/`) && body.includes(`want ${commit}`) && body.includes('have '),
  )
}

/** A pack of no objects, as the server sends it. */
const nothingToSend = Buffer.concat([
  Buffer.from('000dpackfile\n0025\x01PACK\0\0\0\x02\0\0\0\0', 'latin1'),
  Buffer.from('029d08823bd8a8eab510ad6ac75c823cfd3ed31e', 'hex'),
  Buffer.from('0000'),
])
