import { build } from 'esbuild'
import http from 'isomorphic-git/http/node'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCall } from '../../../runtime/call.ts'
import { type GitServer, startGitServer } from '../../../testing/git/git-server.ts'
import type { ServedRepository } from '../../../testing/git/served-repository.ts'
import { testSourceConformance } from '../../../testing/source-conformance.ts'
import type { Source } from '../../source.ts'
import { portableGitSource } from './source.ts'

let server: GitServer
beforeAll(async () => {
  server = await startGitServer()
})
afterAll(() => server.close())
const call = createCall()
const repositories = new WeakMap<Source, ServedRepository>()
let count = 0

testSourceConformance({
  test,
  createSource: async (files) => {
    server.fail(undefined)
    const repository = await server.createRepository(`portable-${count++}`)
    await repository.commit(files)
    const source = portableGitSource({ url: repository.url, http, ref: 'main' })
    repositories.set(source, repository)
    return source
  },
  change: async (source, files) => {
    await repositories.get(source)?.commit(files)
  },
})

test.each([
  [401, 'SOURCE_AUTH'],
  [404, 'SOURCE_NOT_FOUND'],
  [500, 'SOURCE_UNREACHABLE'],
])('HTTP %i is %s', async (status, code) => {
  const repository = await server.createRepository(`portable-${count++}`)
  server.fail(() => ({ kind: 'status', status }))
  await expect(portableGitSource({ url: repository.url, http }).resolve(call)).rejects.toMatchObject({ code })
  server.fail(undefined)
})

test('an empty repository and an unknown branch are errors', async () => {
  const repository = await server.createRepository(`portable-${count++}`)
  await expect(portableGitSource({ url: repository.url, http }).resolve(call)).rejects.toMatchObject({
    code: 'SOURCE_EMPTY',
  })
  await repository.commit({ a: '1' })
  const missing = portableGitSource({ url: repository.url, http, ref: 'mian' })
  await expect(missing.resolve(call)).rejects.toMatchObject({
    code: 'REVISION_NOT_FOUND',
    details: { nearby: ['main'] },
  })
})

test('nothing of ours in it needs Node', async () => {
  const entryPoints = [new URL('../../../git-portable.ts', import.meta.url).pathname]
  const external = ['isomorphic-git']
  const conditions = ['@gitops-sdk/source']
  const options = {
    conditions,
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    logLevel: 'silent',
  } as const
  await expect(build({ entryPoints, external, ...options })).resolves.toMatchObject({ errors: [] })
})
