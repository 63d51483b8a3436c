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
  expect(turns).toBeGreaterThanOrEqual(10)
  turns = 0
  await Promise.all(Array.from({ length: 30 }, () => pools.ask('cluster', thought, slot)))
  expect(turns).toBeGreaterThanOrEqual(5)
})

test('of many runs that find everything in memory, no more are under way at a time than may think', async () => {
  const clock = { ...manualClock(), turn: () => new Promise<void>((resolve) => void setImmediate(resolve)) }
  const pools = createPools({ clock, concurrency: 4 })
  let underWay = 0
  let most = 0
  const run = async (): Promise<void> => {
    await pools.think(async () => void (most = Math.max(most, ++underWay)), slot)
    for (let step = 0; step < 50; step++) await Promise.resolve()
    underWay--
  }
  await Promise.all(Array.from({ length: 40 }, run))
  // The last in line waits for nobody.
  expect(most).toBeLessThanOrEqual(5)
})

test('a run that waits for something slow keeps nobody from thinking', async () => {
  const clock = { ...manualClock(), turn: () => new Promise<void>((resolve) => void setImmediate(resolve)) }
  const pools = createPools({ clock, concurrency: 2 })
  let thought = 0
  const run = async (): Promise<void> => {
    await pools.think(async () => void thought++, slot)
    await new Promise(() => {})
  }
  for (let index = 0; index < 20; index++) void run()
  for (let turn = 0; turn < 20; turn++) await clock.turn()
  expect(thought).toBe(20)
})

test('who thinks alone gives no turn first', async () => {
  let turns = 0
  const pools = createPools({ clock: { ...manualClock(), turn: async () => void turns++ } })
  await pools.think(async () => {}, slot)
  expect(turns).toBe(0)
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
