import { createCall, GitOpsError } from '@gitops-sdk/core'
import { manualClock } from '@gitops-sdk/core/testing'
import { expect, test } from 'vitest'
import { createAdaptiveLimit } from './limit.ts'

const throttled = (): GitOpsError => new GitOpsError('TARGET_THROTTLED', 'wait', { retryAfterMs: 1000 })

test('halves when the server is overloaded, waits as long as it asked, and tries again', async () => {
  const clock = manualClock()
  const limit = createAdaptiveLimit(8)
  let attempts = 0
  const result = limit.run(async () => {
    if (++attempts < 3) throw throttled()
    return 'done'
  }, createCall({ clock }))
  await clock.settle()
  expect([attempts, limit.limit]).toEqual([1, 4])
  await clock.advance(999)
  expect(attempts).toBe(1)
  await clock.advance(10_000)
  expect(await result).toBe('done')
  expect(limit.limit).toBe(2)
})

test('runs no more at once than allowed, and never fewer than one', async () => {
  const limit = createAdaptiveLimit(2)
  let running = 0
  let most = 0
  const work = async (): Promise<void> => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
  }
  await Promise.all(Array.from({ length: 10 }, () => limit.run(work, createCall())))
  expect(most).toBe(2)
})

test('any other failure is passed on at once', async () => {
  const refused = new GitOpsError('TARGET_REFUSED', 'no')
  await expect(createAdaptiveLimit(2).run(() => Promise.reject(refused), createCall())).rejects.toBe(refused)
})

test('whoever waits for room leaves when the call is aborted', async () => {
  const limit = createAdaptiveLimit(1)
  const ending = new AbortController()
  void limit.run(() => new Promise(() => {}), createCall())
  const waiting = limit.run(async () => 'never', createCall({ signal: ending.signal }))
  ending.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
})
