import { join } from 'node:path'
import { createCall } from '@gitops-sdk/core'
import { describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { openPostgres } from '../src/database/postgres.ts'
import { openSqlite } from '../src/database/sqlite.ts'
import { type SqlLedger, sqlLedger } from '../src/ledger/ledger.ts'
import { type Migration, migrations } from '../src/schema/schema.ts'
import { stageFolder, stagePostgres } from './stage.ts'

const folder = stageFolder()
const server = stagePostgres()
const call = createCall()

const databases: readonly [string, (name: string) => Database][] = [
  ['PostgreSQL', (name) => openPostgres({ url: server.url, user: 'gitops', schema: name })],
  ['SQLite', (name) => openSqlite(join(folder, `${name}.db`))],
]

/** What a later version of the library may add: a column, a table, an index. */
const next: Migration = {
  version: (migrations.at(-1)?.version ?? 0) + 1,
  statements: [
    'ALTER TABLE gitops_queue ADD COLUMN region TEXT',
    'CREATE TABLE gitops_region (name TEXT PRIMARY KEY)',
    'CREATE INDEX ix_queue_region ON gitops_queue (region) WHERE region IS NOT NULL',
  ],
}

/** Claims, commits and completes what is due, as a worker does, until told to stop. */
async function work(ledger: SqlLedger, worker: string, isOver: () => boolean): Promise<number> {
  let done = 0
  while (!isOver()) {
    await ledger.queue.enqueue([{ key: `pool/${worker}` }, { key: 'pool/shared' }], call)
    for (const claim of await ledger.queue.claim({ worker, pool: 'pool', limit: 4, leaseMs: 60_000 }, call)) {
      const { version } = await ledger.read(claim.key, call)
      await ledger.commit(claim.key, { expect: version, claim, complete: { claim }, state: { failures: done } }, call)
      done++
    }
  }
  return done
}

describe.each(databases)('versions of the library beside each other in %s', (_name, open) => {
  test('a newer one brings the schema up to date while an older one works, and both go on', async () => {
    const older = sqlLedger(open('beside'))
    let isOver = false
    const working = [work(older, 'older', () => isOver)]
    await older.read('shop', call)
    const newer = sqlLedger(open('beside'), {}, [...migrations, next])
    await newer.read('shop', call)
    working.push(work(newer, 'newer', () => isOver))
    for (let round = 0; round < 20; round++) await older.read('shop', call)
    isOver = true
    expect(Math.min(...(await Promise.all(working)))).toBeGreaterThan(0)
    for (const ledger of [older, newer]) await ledger[Symbol.asyncDispose]?.()
  })

  test('an older one that starts afterwards refuses, says what to do, and changes nothing', async () => {
    const newer = sqlLedger(open('after'), {}, [...migrations, next])
    await newer.commit('shop', { expect: 0, state: { failures: 1 } }, call)
    const older = sqlLedger(open('after'))
    const refusal = { code: 'LEDGER_VERSION', message: expect.stringContaining('newer version') as string }
    await expect(older.read('shop', call)).rejects.toMatchObject(refusal)
    await expect(older.queue.enqueue([{ key: 'pool/a' }], call)).rejects.toMatchObject(refusal)
    expect((await newer.read('shop', call)).version).toBe(1)
    expect(await newer.queue.items({}, call)).toEqual([])
    for (const ledger of [older, newer]) await ledger[Symbol.asyncDispose]?.()
  })

  test('versions that start at once leave the newest schema, with what was there', async () => {
    const first = sqlLedger(open('once'))
    await first.commit('shop', { expect: 0, state: { failures: 1 } }, call)
    const starts = [0, 1, 2].map(() => sqlLedger(open('once'), {}, [...migrations, next]))
    const versions = await Promise.all(starts.map(async (ledger) => (await ledger.read('shop', call)).version))
    expect(versions).toEqual([1, 1, 1])
    for (const ledger of [first, ...starts]) await ledger[Symbol.asyncDispose]?.()
  })
})
