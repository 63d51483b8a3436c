import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createCall } from '@gitops-sdk/core'
import { sqlite } from '../src/sqlite.ts'
import { postgres } from '../src/postgres.ts'
import { believedZombies, createFleet } from './processes/fleet.ts'
import { startWorld } from './processes/world.ts'
import { stageFolder, stagePostgres } from './stage.ts'

const server = stagePostgres()
const path = join(stageFolder(), 'shared.db')
const stores = [
  ['PostgreSQL', () => ({ url: server.url }), () => postgres({ url: server.url, user: 'gitops' })],
  ['one SQLite file', () => ({ path }), () => sqlite(path)],
] as const

for (const [name, store, open] of stores) {
  test(`two processes share the applications over ${name}, and one goes on when the other is killed`, async () => {
    const names = Array.from({ length: 40 }, (_, index) => `app-${index}`)
    await using world = await startWorld(names, 5)
    await using fleet = createFleet({ names, world: world.address, leaseMs: 3_000 })
    const ledger = open()
    const commitAll = async (): Promise<void> => {
      const sources = new Set(names.map((each) => world.commit(each)))
      const wakes = [...sources].map((source) => ({ key: `source/${source}`, priority: 1 as const }))
      await ledger.queue.enqueue(wakes, createCall())
      await until(() => names.every((each) => world.live.get(each) === world.wanted.get(each)))
    }
    const [first] = [fleet.start(store()), fleet.start(store())]
    await until(() => world.live.size === names.length)
    // The one that started first may have done everything so far.
    while (new Set(world.accepted.map(({ worker }) => worker)).size < 2) await commitAll()
    expect(world.overlaps).toEqual([])
    first.child.kill('SIGKILL')
    await first.ended
    await commitAll()
    expect(world.late).toEqual([])
    expect(believedZombies(fleet.commits())).toEqual([])
    await ledger[Symbol.asyncDispose]?.()
  })
}

/** Real processes: how long they take is theirs, but for ever is too long. */
async function until(holds: () => boolean): Promise<void> {
  const untilMs = Date.now() + 90_000
  while (!holds()) {
    if (Date.now() > untilMs) throw new Error('It did not come to that within 90 s.')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
