import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createCall } from '../../runtime/call.ts'
import { runGit } from '../../testing/git/git-command.ts'
import { type GitServer, startGitServer } from '../../testing/git/git-server.ts'
import type { ServedRepository } from '../../testing/git/served-repository.ts'
import { difference } from '../difference.ts'
import { walk } from '../walk.ts'
import { gitSource } from './source.ts'

// What things cost, in counts: the same on every machine. How long they take is for `pnpm bench`.

let server: GitServer
let repository: ServedRepository
let count = 0
beforeAll(async () => {
  server = await startGitServer({ backend: 'upload-pack' })
})
afterAll(() => server.close())
const call = createCall()
const files = 1_000
const pathOf = (file: number): string =>
  `teams/team-${Math.floor(file / 100)}/app-${Math.floor(file / 10) % 10}/${file}`
const content = (seed: number): string =>
  Array.from({ length: 20 }, (_, line) => `${line}: ${seed * 7919 + line}\n`).join('')
beforeEach(async () => {
  repository = await server.createRepository(`budgets-${count++}`)
  await repository.commit(Object.fromEntries(Array.from({ length: files }, (_, at) => [pathOf(at), content(at)])))
})

interface Cost {
  readonly requests: number
  readonly sentBytes: number
}

async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const before = server.requests.length
  await work()
  const made = server.requests.slice(before)
  return { requests: made.length, sentBytes: made.reduce((sum, { sentBytes }) => sum + sentBytes, 0) }
}

test('requests: three for the first commit, one for a poll, two for a new commit, three for a hundred', async () => {
  await using source = gitSource({ url: repository.url, ref: 'main' })
  const resolve = (): Promise<unknown> => source.resolve(call)
  expect(await costOf(resolve)).toMatchObject({ requests: 3 })
  expect(await costOf(resolve)).toMatchObject({ requests: 1, sentBytes: expect.closeTo(65, -1) })
  await repository.commit({ [pathOf(1)]: 'changed' })
  expect(await costOf(resolve)).toMatchObject({ requests: 2 })
  for (let at = 0; at < 2; at++) await repository.commit({ [pathOf(at)]: `two at once ${at}` })
  expect(await costOf(resolve)).toMatchObject({ requests: 2 })
  const old = await repository.git('rev-parse', 'main')
  for (let at = 0; at < 10; at++) await repository.commit({ [pathOf(at)]: `many at once ${at}` })
  expect(await costOf(resolve)).toMatchObject({ requests: 3 })
  const question = server.requests.findLast(({ body }) => body.includes(`want ${old}`) && body.includes('have '))
  expect(question?.sentBytes, 'the commits in between stay where they are').toBeLessThan(100)
})

test('requests: where many commits came at once, how the next many are related is asked for beside them', async () => {
  await using source = gitSource({ url: repository.url, ref: 'main' })
  const many = async (): Promise<void> => {
    for (let at = 0; at < 5; at++) await repository.commit({ [pathOf(at)]: `${count++}` })
  }
  await source.resolve(call)
  await many()
  await source.resolve(call)
  await many()
  let seen: (() => void) | undefined
  const until = new Promise<void>((resolve) => (seen = resolve))
  server.fail(({ body }) => {
    if (body.includes('filter tree:0')) seen?.()
    else return body.includes('command=fetch') ? { kind: 'delay', until } : undefined
    return undefined
  })
  expect(await costOf(() => source.resolve(call)), 'the commits wait for that here').toMatchObject({
    requests: 3,
  })
  server.fail(undefined)
  await repository.commit({ [pathOf(1)]: 'one' })
  expect(await costOf(() => source.resolve(call)), 'one in vain').toMatchObject({ requests: 3 })
  await repository.commit({ [pathOf(1)]: 'and one more' })
  expect(await costOf(() => source.resolve(call))).toMatchObject({ requests: 2 })
})

test('connections: polls and fetches one after the other use the same ones again', async () => {
  await using source = gitSource({ url: repository.url, ref: 'main' })
  const round = async (at: number): Promise<void> => {
    await server.idle()
    await repository.commit({ [pathOf(at)]: `number ${at}` })
    await source.resolve(call)
  }
  await round(0)
  const before = server.connections
  for (let at = 1; at <= 10; at++) await round(at)
  // A fetch may begin while the end of the answer before it is on its way: two are enough for ever.
  expect(server.connections - before).toBeLessThanOrEqual(1)
})

test('turns: who reads a thousand files, or lists their folders, leaves some to others', async () => {
  await using source = gitSource({ url: repository.url, ref: 'main' })
  const snapshot = await source.snapshot(await source.resolve(call), call)
  const paths: string[] = []
  for await (const { path } of walk(snapshot, '', call)) paths.push(path)
  await server.idle()
  const read = async (): Promise<void> => {
    for (const path of paths) await snapshot.read(path, call)
  }
  const list = async (): Promise<void> => {
    for (let at = 0; at < 10; at++) for await (const _ of walk(snapshot, '', call));
  }
  expect(await turnsIn(read)).toBeGreaterThanOrEqual(2)
  expect(await turnsIn(list)).toBeGreaterThanOrEqual(2)
})

/** How often the event loop came round meanwhile. */
async function turnsIn(work: () => Promise<void>): Promise<number> {
  let turns = 0
  let isOver = false
  const turn = (): void => {
    turns++
    if (!isOver) setImmediate(turn)
  }
  await new Promise((resolve) => setImmediate(resolve))
  setImmediate(turn)
  await work()
  isOver = true
  return turns
}

test('bytes: a new commit brings no more than it brings to git', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gitops-sdk-budgets-'))
  try {
    await runGit(['clone', '--quiet', '--bare', '--depth=1', repository.url, 'clone'], { cwd: folder })
    await using source = gitSource({ url: repository.url, ref: 'main' })
    await source.resolve(call)
    for (const changed of [1, 50]) {
      await repository.commit(
        Object.fromEntries(Array.from({ length: changed }, (_, at) => [pathOf(at * 17), content(at + 5_000)])),
      )
      const ours = await costOf(() => source.resolve(call))
      const fetch = ['fetch', '--quiet', '--depth=1', 'origin', '+main:main']
      const theirs = await costOf(() => runGit(fetch, { cwd: join(folder, 'clone') }))
      expect(ours.sentBytes).toBeLessThanOrEqual(theirs.sentBytes)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('folders: those that did not change are not looked into', async () => {
  await using source = gitSource({ url: repository.url, ref: 'main' })
  const before = await source.snapshot(await source.resolve(call), call)
  await repository.commit({ [pathOf(555)]: 'changed' })
  const after = await source.snapshot(await source.resolve(call), call)
  const looked: string[] = []
  const watched = { ...after, list: (path: string) => (looked.push(path), after.list(path, call)) }
  const changes: unknown[] = []
  for await (const change of difference(before, watched, '', call)) changes.push(change)
  expect(changes).toEqual([{ path: pathOf(555), change: 'modified' }])
  expect(looked).toEqual(['', 'teams', 'teams/team-5', 'teams/team-5/app-5'])
})
