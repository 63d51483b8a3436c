import { expect, test } from 'vitest'
import { manualClock } from '../testing/clock.ts'
import { type QueuedWork, createQueue } from './queue.ts'

function setUp() {
  const clock = manualClock()
  const started: [string, QueuedWork][] = []
  const endings: (() => void)[] = []
  const queue = createQueue({
    clock,
    work: (key, work) => {
      started.push([key, work])
      return new Promise((resolve) => endings.push(resolve))
    },
  })
  queue.start()
  return { clock, queue, started, keys: () => started.map(([key]) => key), end: () => endings.shift()?.() }
}

test('hands a key out once, however often it was added while it waited', async () => {
  const { clock, queue, started } = setUp()
  queue.add('a', { trigger: 'poll', delayMs: 50 })
  queue.add('a', { trigger: 'push', delayMs: 90, priority: 5 })
  await clock.advance(100)
  expect(started).toEqual([['a', { triggers: ['poll', 'push'], priority: 5 }]])
})

test('of two delays the earlier wins', async () => {
  const { clock, queue, keys } = setUp()
  queue.add('a', { trigger: 'poll', delayMs: 500 })
  queue.add('a', { trigger: 'push', delayMs: 10 })
  await clock.advance(9)
  expect(keys()).toEqual([])
  await clock.advance(1)
  expect(keys()).toEqual(['a'])
})

test('a key that is added during its work is handed out exactly once more', async () => {
  const { clock, queue, keys, end } = setUp()
  queue.add('a', { trigger: 'poll' })
  await clock.settle()
  for (let times = 0; times < 5; times++) queue.add('a', { trigger: 'push' })
  await clock.settle()
  expect(keys()).toEqual(['a'])
  end()
  await clock.settle()
  expect(keys()).toEqual(['a', 'a'])
  end()
  await clock.settle()
  expect(keys()).toEqual(['a', 'a'])
})

test('different keys are worked on side by side', async () => {
  const { clock, queue, keys } = setUp()
  queue.add('a', { trigger: 'poll' })
  queue.add('b', { trigger: 'poll' })
  await clock.settle()
  expect(keys()).toEqual(['a', 'b'])
})

test('stop waits for the work in progress, keeps what waits, and leaves no timer', async () => {
  const { clock, queue, keys, end } = setUp()
  queue.add('a', { trigger: 'poll' })
  queue.add('b', { trigger: 'poll', delayMs: 60_000 })
  await clock.settle()
  const stopped = queue.stop()
  end()
  await stopped
  expect(clock.pending).toBe(0)
  queue.start()
  await clock.advance(60_000)
  expect(keys()).toEqual(['a', 'b'])
})

test('a forgotten key is not handed out', async () => {
  const { clock, queue, keys } = setUp()
  queue.add('a', { trigger: 'poll', delayMs: 10 })
  queue.forget('a')
  await clock.advance(100)
  expect(keys()).toEqual([])
})
