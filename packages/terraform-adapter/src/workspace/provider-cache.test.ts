import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testCall } from '@gitops-sdk/core/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { identify } from '../cli/identity.ts'
import { withProviderCache } from './provider-cache.ts'

let cache = ''
beforeEach(async () => void (cache = await mkdtemp(join(tmpdir(), 'provider-cache-'))))
afterEach(() => rm(cache, { recursive: true, force: true }))

test('a cache is filled by one at a time, and the next begins when that one is done', async () => {
  const call = testCall()
  const order: string[] = []
  let finish = (): void => {}
  const first = withProviderCache(cache, call, async () => {
    order.push('first begins')
    await new Promise<void>((resolve) => (finish = resolve))
    order.push('first ends')
  })
  while (order.length === 0) await new Promise(setImmediate)
  const second = withProviderCache(cache, call, async () => void order.push('second'))
  let isDone = false
  void second.then(() => (isDone = true))
  finish()
  await first
  while (!isDone) await call.clock.advance(50)
  expect(order).toEqual(['first begins', 'first ends', 'second'])
  expect(await readdir(cache)).toEqual([])
})

test('the lock of a process that is dead is taken over, one of a process that lives is not', async () => {
  const lock = join(cache, '.gitops-lock')
  await writeFile(lock, JSON.stringify({ ...identify(process.pid), pid: 2 ** 22 + 1 }))
  const call = testCall()
  let isDone = false
  const taken = withProviderCache(cache, call, async () => 'filled').then((answer) => ((isDone = true), answer))
  while (!isDone) await call.clock.advance(50)
  expect(await taken).toBe('filled')
  await writeFile(lock, JSON.stringify(identify(process.pid)))
  const waiting = testCall()
  const refused = withProviderCache(cache, waiting, async () => 'filled')
  await waiting.clock.advance(500)
  waiting.abort()
  await expect(refused).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(await readdir(cache)).toEqual(['.gitops-lock'])
})

test('without a cache there is nothing to wait for', async () => {
  expect(await withProviderCache(undefined, testCall(), async () => 'done')).toBe('done')
})
