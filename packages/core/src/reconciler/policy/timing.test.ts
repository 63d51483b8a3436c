import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seededRandom } from '../../runtime/random.ts'
import { defaultPolicy, resolvePolicy } from './policy.ts'
import { driftDelayMs, pollDelayMs, retryDelayMs } from './timing.ts'

const least = { next: () => 0 }
const most = { next: () => 0.999_999 }

test.each([
  [1, 5_000],
  [2, 10_000],
  [3, 20_000],
  [6, 160_000],
  [7, 180_000],
  [5_000, 180_000],
])('after %i failures the delay is %i ms', (failures, delayMs) => {
  expect(retryDelayMs(defaultPolicy.retry, failures, least)).toBe(delayMs)
})

test('jitter takes at most its part off the delay', () => {
  expect(retryDelayMs(defaultPolicy.retry, 1, most)).toBe(4_500)
})

test('what the server asked for is waited for, beyond the cap', () => {
  expect(retryDelayMs(defaultPolicy.retry, 1, least, 600_000)).toBe(600_000)
  expect(retryDelayMs(defaultPolicy.retry, 7, least, 1_000)).toBe(180_000)
})

test('after as many retries as the limit allows there is none', () => {
  const retry = { ...defaultPolicy.retry, limit: 2 }
  expect([1, 2, 3].map((failures) => retryDelayMs(retry, failures, least) !== undefined)).toEqual([true, true, false])
})

test('delays never shrink from one failure to the next, and stay within the cap', () => {
  const retry = fc.record({
    baseMs: fc.integer({ min: 1, max: 60_000 }),
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
    maxMs: fc.integer({ min: 60_000, max: 3_600_000 }),
    jitter: fc.constant(0),
  })
  fc.assert(
    fc.property(retry, fc.integer({ min: 1, max: 2_000 }), (policy, failures) => {
      const [first = 0, second = 0] = [failures, failures + 1].map((count) => retryDelayMs(policy, count, least))
      expect(first).toBeLessThanOrEqual(second)
      expect(second).toBeLessThanOrEqual(policy.maxMs)
    }),
  )
})

test('polls spread over the interval and half of it again, the same way for the same seed', () => {
  const delays = (seed: number): (number | undefined)[] => {
    const random = seededRandom(seed)
    return Array.from({ length: 100 }, () => pollDelayMs(defaultPolicy, random))
  }
  expect(delays(1)).toEqual(delays(1))
  expect(delays(1).every((delayMs = 0) => delayMs >= 120_000 && delayMs <= 180_000)).toBe(true)
  expect(new Set(delays(1)).size).toBeGreaterThan(90)
})

test('an interval of zero leaves it to pushes', () => {
  const policy = resolvePolicy({ intervalMs: 0 })
  expect(pollDelayMs(policy, least)).toBeUndefined()
  expect(driftDelayMs(policy, { observe: 'cheap' }, least)).toBeUndefined()
})

test('an expensive target is observed once an hour unless the policy says otherwise', () => {
  expect(driftDelayMs(defaultPolicy, { observe: 'cheap' }, least)).toBe(120_000)
  expect(driftDelayMs(defaultPolicy, { observe: 'expensive' }, least)).toBe(3_600_000)
  expect(driftDelayMs(resolvePolicy({ driftIntervalMs: 60_000 }), { observe: 'expensive' }, least)).toBe(60_000)
})
