import { expect, test } from 'vitest'
import { manualClock } from '../testing/clock.ts'
import { createCall, sleep, withDeadline } from './call.ts'

test('work that fails takes along what it still has under way', async () => {
  const call = createCall({ clock: manualClock() })
  let inner: AbortSignal | undefined
  const failing = withDeadline(call, 1_000, 'Applying', async ({ signal }) => {
    inner = signal
    throw new Error('broken off')
  })
  await expect(failing).rejects.toThrow('broken off')
  expect(inner?.aborted).toBe(true)
})

test('work that takes too long is given up, also when it ignores its signal, and no timer is left', async () => {
  const clock = manualClock()
  const slow = withDeadline(createCall({ clock }), 1_000, 'Asking git', () => new Promise(() => {}))
  const given = expect(slow).rejects.toMatchObject({
    code: 'DEADLINE_EXCEEDED',
    message: expect.stringContaining('Asking git'),
  })
  await clock.advance(1_000)
  await given
  expect(clock.pending).toBe(0)
})

test('a sleep ends as soon as its call is aborted', async () => {
  const controller = new AbortController()
  const clock = manualClock()
  const sleeping = sleep(60_000, { clock, signal: controller.signal })
  controller.abort()
  await expect(sleeping).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(clock.pending).toBe(0)
})
