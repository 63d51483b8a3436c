import { join } from 'node:path'
import { type Call, type LedgerChange, type Owned, createCall, verifyAudit } from '@gitops-sdk/core'
import { manualClock } from '@gitops-sdk/core/testing'
import { describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { openPostgres } from '../src/database/postgres.ts'
import { openSqlite } from '../src/database/sqlite.ts'
import type { ResourceQuery } from '../src/history/resources.ts'
import { type SqlLedger, sqlLedger } from '../src/ledger/ledger.ts'
import { stageFolder, stagePostgres } from './stage.ts'

const folder = stageFolder()
const server = stagePostgres()
let made = 0

const databases: readonly [string, () => Database][] = [
  ['SQLite', () => openSqlite(join(folder, `${++made}.db`))],
  ['PostgreSQL', () => openPostgres({ url: server.url, user: 'gitops', schema: `history_${++made}` })],
]

const owned = (name: string, revision: string): Owned => ({
  ref: { kind: 'flag', namespace: 'shop', name },
  state: 'applied',
  revision,
})

async function listOf<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

/** A run of `application` that left `name` at `revision`. */
function runOf(application: string, runId: string, name: string, at: number): LedgerChange {
  const run = { runId, application, startedAt: at, endedAt: at + 5, trigger: 'poll', counts: {}, changed: [] }
  return {
    expect: 0,
    inventory: { put: [owned(name, runId)] },
    run: { ...run, outcome: 'applied', approvedBy: 'ada' },
    audit: [{ at, actor: 'ada', action: 'applied', application, details: {} }],
  }
}

interface World {
  readonly ledger: SqlLedger
  readonly call: Call
  readonly commit: (application: string, change: LedgerChange) => Promise<void>
  readonly at: (ms: number) => Promise<void>
  readonly found: (query: ResourceQuery) => Promise<readonly string[]>
}

/** A store whose clock stands at 0. */
function worldOn(database: Database): World {
  const clock = manualClock(0)
  const call = createCall({ clock })
  const ledger = sqlLedger(database)
  return {
    ledger,
    call,
    commit: async (application, change) => {
      const { version } = await ledger.read(application, call)
      await ledger.commit(application, { ...change, expect: version }, call)
    },
    at: (ms) => clock.advance(ms - clock.now()),
    found: async (query) => {
      const records = await listOf(ledger.resources(query, call))
      return records.map(({ application, owned: { ref, revision } }) => `${application}/${ref.name} ${revision}`)
    },
  }
}

describe.each(databases)('%s', (_name, open) => {
  test('says what is where, since when, by whom, and what was there at an earlier time', async () => {
    const { commit, at, found, call, ledger } = worldOn(open())
    await at(1_000)
    await commit('shop', runOf('shop', 'r1', 'checkout', 1_000))
    await at(2_000)
    await commit('shop', runOf('shop', 'r2', 'checkout', 2_000))
    await commit('blog', runOf('blog', 'r3', 'comments', 2_000))
    await at(3_000)
    await commit('shop', { expect: 0, inventory: { remove: ['/flag/shop/checkout'] } })
    expect(await found({})).toEqual(['blog/comments r3'])
    expect(await found({ at: 999 })).toEqual([])
    expect(await found({ at: 1_000 })).toEqual(['shop/checkout r1'])
    expect(await found({ at: 2_500 })).toEqual(['blog/comments r3', 'shop/checkout r2'])
    expect(await found({ at: 2_500, kind: 'flag', namespace: 'shop', name: 'checkout' })).toEqual(['shop/checkout r2'])
    expect(await found({ at: 2_500, application: 'shop', limit: 1 })).toEqual(['shop/checkout r2'])
    const [record] = await listOf(ledger.resources({ at: 1_500, name: 'checkout' }, call))
    expect(record).toMatchObject({
      since: 1_000,
      until: 2_000,
      runId: 'r1',
      run: { approvedBy: 'ada', trigger: 'poll' },
    })
    await ledger[Symbol.asyncDispose]?.()
  })

  test('answers page by page without losing or repeating one', async () => {
    const { ledger, call, found } = worldOn(open())
    const names = Array.from({ length: 1_203 }, (_, index) => `f${index}`)
    await ledger.commit('shop', { expect: 0, inventory: { put: names.map((name) => owned(name, 'r1')) } }, call)
    const all = await found({})
    expect(all).toHaveLength(1_203)
    expect(new Set(all).size).toBe(1_203)
    expect(await found({ limit: 700 })).toEqual(all.slice(0, 700))
    await ledger[Symbol.asyncDispose]?.()
  })

  test('forgets what is older than it keeps, and nothing that is in force', async () => {
    const { commit, at, found, call, ledger } = worldOn(open())
    for (let index = 1; index <= 5; index++) {
      await at(index * 1_000)
      await commit('shop', runOf('shop', `r${index}`, 'checkout', index * 1_000))
    }
    await at(10_000)
    const kept = { runsMs: 6_500, keepRuns: 1, resourcesMs: 6_500, auditMs: 6_500 }
    // Runs that ended before 3,500, periods that ended before then, audit records written before then.
    expect(await ledger.retain(kept, call)).toEqual({ runs: 3, resources: 2, auditRecords: 3 })
    expect(await ledger.retain(kept, call)).toEqual({ runs: 0, resources: 0, auditRecords: 0 })
    const runs = await listOf(ledger.history({}, call))
    expect(runs.map(({ runId }) => runId)).toEqual(['r5', 'r4'])
    expect(await verifyAudit(ledger.audit({}, call))).toMatchObject({ valid: true, first: 4, records: 2 })
    expect(await found({})).toEqual(['shop/checkout r5'])
    expect((await ledger.read('shop', call)).inventory.size).toBe(1)
    await commit('shop', runOf('shop', 'r6', 'checkout', 10_000))
    expect(await verifyAudit(ledger.audit({}, call))).toMatchObject({ valid: true, first: 4, records: 3 })
    await ledger[Symbol.asyncDispose]?.()
  })

  test('keeps the newest runs and the last audit record, however old', async () => {
    const { commit, at, call, ledger } = worldOn(open())
    for (const index of [1, 2, 3]) await commit('shop', runOf('shop', `r${index}`, 'checkout', index))
    await commit('blog', runOf('blog', 'r9', 'comments', 4))
    await at(1e12)
    await ledger.retain({ keepRuns: 2, auditMs: 1 }, call)
    const runs = await listOf(ledger.history({}, call))
    expect(runs.map(({ runId }) => runId)).toEqual(['r9', 'r3', 'r2'])
    expect(await verifyAudit(ledger.audit({}, call))).toMatchObject({ valid: true, records: 1, first: 4 })
    await ledger[Symbol.asyncDispose]?.()
  })

  test('deletes more than one batch', async () => {
    const { ledger, call, commit, at } = worldOn(open())
    const names = Array.from({ length: 2_500 }, (_, index) => `f${index}`)
    await commit('shop', { expect: 0, inventory: { put: names.map((name) => owned(name, 'r1')) } })
    await at(1_000)
    await commit('shop', { expect: 0, inventory: { put: names.map((name) => owned(name, 'r2')) } })
    await at(5_000)
    expect(await ledger.retain({ resourcesMs: 1 }, call)).toMatchObject({ resources: 2_500 })
    expect((await ledger.read('shop', call)).inventory.size).toBe(2_500)
    await ledger[Symbol.asyncDispose]?.()
  })
})

test('a negative time is refused, and named', async () => {
  const { ledger, call } = worldOn(openSqlite(join(folder, 'refused.db')))
  await expect(ledger.retain({ runsMs: -1 }, call)).rejects.toThrow('runsMs: must be 0 or more, not -1.')
  await ledger[Symbol.asyncDispose]?.()
})
