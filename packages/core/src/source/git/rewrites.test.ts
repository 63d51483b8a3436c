import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCall } from '../../runtime/call.ts'
import { type GitServer, startGitServer } from '../../testing/git/git-server.ts'
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
