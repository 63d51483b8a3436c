import { expect, test } from 'vitest'
import { manualClock } from '../testing/clock.ts'
import { createPools } from './pools.ts'

const slot = { signal: new AbortController().signal, priority: 0 }

test('others have a turn while many applications think and find everything in memory', async () => {
  let elapsedMs = 0
  let turns = 0
  const clock = { ...manualClock(), monotonic: () => elapsedMs, turn: async () => void turns++ }
  const pools = createPools({ clock, concurrency: 1 })
  const thought = async (): Promise<void> => void (elapsedMs += 5)
  await Promise.all(Array.from({ length: 30 }, () => pools.think(thought, slot)))
  expect(turns).toBe(10)
  await Promise.all(Array.from({ length: 30 }, () => pools.ask('cluster', thought, slot)))
  expect(turns).toBeGreaterThanOrEqual(15)
})

test('work that failed gives a turn as well, and still fails', async () => {
  let elapsedMs = 0
  let turns = 0
  const clock = { ...manualClock(), monotonic: () => elapsedMs, turn: async () => void turns++ }
  const failing = async (): Promise<void> => {
    elapsedMs += 20
    throw new Error('no')
  }
  await expect(createPools({ clock }).think(failing, slot)).rejects.toThrow('no')
  expect(turns).toBe(1)
})

test('a clock without turns, such as one that is moved by hand, gives none', async () => {
  expect(manualClock()).not.toHaveProperty('turn')
})
