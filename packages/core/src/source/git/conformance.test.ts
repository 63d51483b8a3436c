import { afterAll, beforeAll, test } from 'vitest'
import type { ServedRepository } from '../../testing/git/served-repository.ts'
import { type GitServer, startGitServer } from '../../testing/git/git-server.ts'
import { testSourceConformance } from '../../testing/source-conformance.ts'
import { type GitSource, gitSource } from './source.ts'

let server: GitServer
beforeAll(async () => {
  server = await startGitServer()
})
afterAll(() => server.close())

const repositories = new WeakMap<GitSource, ServedRepository>()
let count = 0

testSourceConformance<GitSource>({
  test,
  createSource: async (files) => {
    server.fail(undefined)
    const repository = await server.createRepository(`conformance-${count++}`)
    await repository.commit(files)
    const source = gitSource({
      url: repository.url,
      ref: 'main',
      retry: { maxAttempts: 1 },
      write: { committer: robot },
    })
    repositories.set(source, repository)
    return source
  },
  change: async (source, files) => {
    await repositories.get(source)?.commit(files)
  },
  breakReads: () => server.fail(() => ({ kind: 'status', status: 500 })),
})

const robot = { name: 'Robot', email: 'robot@example.com' }
