import { expect, test } from 'vitest'
import { createGuide } from './guided.ts'
import { fuzzTargets } from './planted.ts'
import { search } from './search.ts'

const runs = 150_000
const [planted] = fuzzTargets

test('the fuzzer finds a mistake behind three conditions, which bytes at random meet once in sixteen million', async () => {
  if (planted === undefined) throw new Error('There is no planted target.')
  const guide = await createGuide(new URL('./planted.ts', import.meta.url))
  const { failures, kept } = await search(planted, guide, { runs, seed: 2, saved: [] })
  expect(failures[0]?.problem.message).toBe('the planted mistake')
  expect([...(failures[0]?.bytes.subarray(0, 3) ?? [])]).toEqual([0x67, 0x69, 0x74])
  expect(kept.length).toBeGreaterThanOrEqual(2)
})

test('without looking at coverage it would not be found', async () => {
  if (planted === undefined) throw new Error('There is no planted target.')
  const blind = { instrumented: () => planted, reset: () => {}, isNew: () => false, taken: () => 0, features: () => [] }
  const { failures } = await search(planted, blind, { runs, seed: 2, saved: [] })
  expect(failures).toEqual([])
})
