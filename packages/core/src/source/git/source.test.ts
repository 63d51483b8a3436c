import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCall } from '../../runtime/call.ts'
import { type GitServer, startGitServer } from '../../testing/git/git-server.ts'
import { walk } from '../walk.ts'
import { gitSource } from './source.ts'

let server: GitServer
beforeAll(async () => {
  server = await startGitServer()
})
afterAll(() => server.close())
const call = createCall()

test('reads what a commit on a branch declares, and sees the next one', async () => {
  const repository = await server.createRepository('shop')
  const first = await repository.commit({
    'deploy/a.yaml': 'a: 1\n',
    'deploy/sub/b.yaml': 'b: 1\n',
    'README.md': '# shop',
  })
  await using source = gitSource({ url: repository.url, ref: 'main', path: 'deploy' })
  const revision = await source.resolve(call)
  expect(revision).toMatchObject({ id: first, name: 'main', message: 'A change' })
  const snapshot = await source.snapshot(revision, call)
  const paths: string[] = []
  for await (const { path } of walk(snapshot, '', call)) paths.push(path)
  expect(paths).toEqual(['a.yaml', 'sub/b.yaml'])
  expect(Buffer.from(await snapshot.read('a.yaml', call)).toString()).toBe('a: 1\n')
  const second = await repository.commit({ 'README.md': '# the shop' })
  const next = await source.resolve(call)
  expect(next.id).toBe(second)
  expect(await (await source.snapshot(next, call)).digest('', call)).toBe(await snapshot.digest('', call))
})
