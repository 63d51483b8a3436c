import { expect, test } from 'vitest'
import { memoryQueue } from '../../queue/memory.ts'
import type { Claim, Queue } from '../../queue/queue.ts'
import { testCall } from '../../testing/call.ts'
import { manualClock } from '../../testing/clock.ts'
import { createLeases } from './leases.ts'

const claim = (key: string): Claim => ({
  key,
  token: 1,
  revision: 1,
  priority: 0,
  triggers: [],
  attempt: 1,
  previous: 0,
})
const leaseMs = 40_000

test('leases are prolonged once in a quarter, also when one was let go and the next held while the store was slow', async () => {
  const clock = manualClock()
  let extensions = 0
  let answer = (): void => {}
  const queue: Queue = {
    ...memoryQueue({ clock }),
    extend: async (claims) => {
      extensions++
      if (extensions === 1) await new Promise<void>((resolve) => (answer = resolve))
      return claims.map(({ key, token }) => ({ key, token, revision: 1 }))
    },
  }
  const leases = createLeases(queue, testCall({ clock }), leaseMs)
  leases.hold(claim('application/a'), clock.monotonic(), { lost: () => {} })
  await clock.advance(leaseMs / 4)
  leases.letGo('application/a')
  leases.hold(claim('application/b'), clock.monotonic(), { lost: () => {} })
  answer()
  await clock.advance(leaseMs)
  expect(extensions).toBe(1 + 4)
  leases.stop()
  expect(clock.pending).toBe(0)
})

test('a writer stops at two thirds of a lease that could not be prolonged, and is told at its end', async () => {
  const clock = manualClock()
  const told: string[] = []
  const queue: Queue = {
    ...memoryQueue({ clock }),
    extend: async () => {
      throw new Error('no connection')
    },
  }
  const leases = createLeases(queue, testCall({ clock }), leaseMs)
  const { fence } = leases.hold(claim('application/a'), clock.monotonic(), { lost: ({ code }) => told.push(code) })
  await clock.advance((leaseMs * 2) / 3 - 1)
  expect(() => fence.assertHeld()).not.toThrow()
  await clock.advance(2)
  expect(() => fence.assertHeld()).toThrow('lost or about to be')
  expect(told).toEqual([])
  await clock.advance(leaseMs / 3)
  expect(told).toEqual(['LEDGER_FENCED'])
  leases.stop()
})
