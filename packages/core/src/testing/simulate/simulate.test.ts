import { expect, test } from 'vitest'
import { simulate } from './simulate.ts'

/** More with `pnpm simulate --seeds N`. A failing seed is replayed with `pnpm simulate --seed S`. */
const seeds = Array.from({ length: Number(process.env['SIMULATE_SEEDS'] ?? 60) }, (_, index) => index + 1)

test('no invariant is violated while ports fail, people interfere and processes die', async () => {
  const broken: string[] = []
  for (const seed of seeds) {
    const { violations } = await simulate({ seed })
    broken.push(...violations.map(({ invariant, message }) => `seed ${seed}: invariant ${invariant}: ${message}`))
  }
  expect(broken).toEqual([])
}, 600_000)

test('none is violated either where the ledger is one that processes share', async () => {
  const broken: string[] = []
  for (const seed of seeds.slice(0, 20)) {
    const { violations } = await simulate({ seed, faults: { shared: true } })
    broken.push(...violations.map(({ invariant, message }) => `seed ${seed}: invariant ${invariant}: ${message}`))
  }
  expect(broken).toEqual([])
}, 600_000)

test('the same seed is the same run, line by line', async () => {
  for (const seed of [7, 42, 205]) {
    const first = await simulate({ seed })
    const second = await simulate({ seed })
    expect(second.trace).toEqual(first.trace)
  }
})

test('a world without faults converges as well', async () => {
  for (const seed of [1, 2, 3]) {
    const { violations } = await simulate({ seed, faults: { rate: 0, deaths: false } })
    expect(violations).toEqual([])
  }
})
