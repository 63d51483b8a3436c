import { expect, test } from 'vitest'
import { sleep } from '../runtime/call.ts'
import { testCall } from './call.ts'
import { manualClock } from './clock.ts'

test('timers run in the order they fall due, then in the order they were set', async () => {
  const clock = manualClock(1_000)
  const seen: string[] = []
  clock.setTimer(20, () => seen.push(`late at ${clock.now()}`))
  clock.setTimer(10, () => seen.push(`first at ${clock.now()}`))
  clock.setTimer(10, () => seen.push(`second at ${clock.now()}`))
  await clock.advance(15)
  expect(seen).toEqual(['first at 1010', 'second at 1010'])
  expect([clock.now(), clock.monotonic(), clock.pending]).toEqual([1_015, 15, 1])
})

test('what a timer sets off settles before the next timer runs', async () => {
  const call = testCall()
  const seen: string[] = []
  const work = async (name: string, delayMs: number): Promise<void> => {
    await sleep(delayMs, call)
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
    seen.push(`${name} ${call.clock.monotonic()}`)
    await sleep(5, call)
    seen.push(`${name} again ${call.clock.monotonic()}`)
  }
  void work('a', 10)
  void work('b', 11)
  await call.clock.advance(100)
  expect(seen).toEqual(['a 10', 'b 11', 'a again 15', 'b again 16'])
})

test('a cancelled timer does not run, and cancelling twice is harmless', async () => {
  const clock = manualClock()
  const timer = clock.setTimer(1, () => expect.unreachable())
  timer.cancel()
  timer.cancel()
  await clock.advance(10)
  expect(await clock.next()).toBe(false)
})

test('next goes straight to the next timer', async () => {
  const clock = manualClock()
  clock.setTimer(3_600_000, () => {})
  expect(await clock.next()).toBe(true)
  expect(clock.monotonic()).toBe(3_600_000)
})
