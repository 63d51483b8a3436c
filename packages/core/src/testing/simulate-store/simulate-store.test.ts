import { expect, test } from 'vitest'
import { simulateStore } from './simulate-store.ts'
import { storeBugs } from './world.ts'

/** More with `pnpm simulate --store --seeds N`. */
test('a store loses nothing while workers die, rest, and backups come back', async () => {
  for (let seed = 1; seed <= 400; seed++) {
    const { violations } = await simulateStore({ seed })
    expect(violations, `seed ${seed}`).toEqual([])
  }
})

test.each(storeBugs)(
  'a planted bug is found: %s',
  async (bug) => {
    let found: number | undefined
    for (let seed = 1; seed <= 5_000 && found === undefined; seed++) {
      const { violations } = await simulateStore({ seed, bug })
      if (violations.length > 0) found = seed
    }
    expect(found).toBeDefined()
  },
  600_000,
)
