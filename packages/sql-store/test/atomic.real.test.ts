import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Claim, type LedgerChange, createCall, refKey } from '@gitops-sdk/core'
import type { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database, Query } from '../src/database/database.ts'
import { openPostgres } from '../src/database/postgres.ts'
import { openSqlite } from '../src/database/sqlite.ts'
import { type SqlLedger, sqlLedger } from '../src/ledger/ledger.ts'
import { connectAsOwner, stageFolder, stagePostgres } from './stage.ts'

const folder = stageFolder()
const server = stagePostgres()
const call = createCall()
let admin: Client
let made = 0

beforeAll(async () => {
  admin = await connectAsOwner(server)
})
afterAll(() => admin.end())

/** A store, a way to cut its connection off in the middle of a transaction, and what is there when it is opened again. */
interface Victim {
  readonly database: Database
  readonly cut: (query: Query) => Promise<void>
  readonly again: () => Database
}

const victims: readonly [string, () => Victim][] = [
  [
    'PostgreSQL',
    () => {
      const open = (): Database => openPostgres({ url: server.url, user: 'gitops', schema })
      const schema = `atomic_${++made}`
      const cut = async (query: Query): Promise<void> => {
        const [row] = await query('SELECT pg_backend_pid() AS pid', [])
        await admin.query('SELECT pg_terminate_backend($1, 5000)', [row?.['pid']])
      }
      return { database: open(), cut, again: open }
    },
  ],
  [
    'SQLite',
    () => {
      // What is in the files at that moment is what a process leaves that is killed there.
      const [path, left] = [join(folder, `${++made}.db`), join(folder, `${made}-left.db`)]
      const cut = async (): Promise<void> => {
        for (const suffix of ['', '-wal']) if (existsSync(path + suffix)) copyFileSync(path + suffix, left + suffix)
        throw new Error('The process was killed.')
      }
      return { database: openSqlite(path), cut, again: () => openSqlite(left) }
    },
  ],
]

/** Counts the statements of a transaction, and cuts it off after so many. */
function cutAfter({ database, cut }: Victim, after: { statements: number; count: number }): Database {
  const transaction: Database['transaction'] = (work, given) =>
    database.transaction(async (query) => {
      after.count = 0
      const cutting: Query = async (statement, values) => {
        const rows = await query(statement, values)
        if (++after.count === after.statements) await cut(query)
        return rows
      }
      return work(cutting)
    }, given)
  return { ...database, transaction, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
}

const owned = { ref: { kind: 'flag', name: 'checkout' }, state: 'applied', revision: 'r2' } as const

/** The end of a run: record, inventory, history, audit, the end of the claim, and who is woken by it. */
function endOf(claim: Claim): Omit<LedgerChange, 'expect'> {
  const run = {
    runId: 'run',
    application: 'shop',
    startedAt: 1,
    endedAt: 2,
    trigger: 'poll',
    outcome: 'applied',
  } as const
  return {
    claim,
    complete: { claim, note: { ready: true }, wakes: [{ key: 'pool/next' }] },
    inventory: { put: [owned], remove: [refKey({ kind: 'flag', name: 'old' })] },
    journal: null,
    state: { failures: 0 },
    run: { ...run, counts: {}, changed: [] },
    audit: [{ at: 2, actor: 'ann', action: 'applied', application: 'shop', details: {} }],
  }
}

async function begun(ledger: SqlLedger): Promise<Claim> {
  const old = { ...owned, ref: { kind: 'flag', name: 'old' } }
  await ledger.commit('shop', { expect: 0, inventory: { put: [old] }, state: { failures: 3 } }, call)
  await ledger.queue.enqueue([{ key: 'pool/shop' }], call)
  const [claim] = await ledger.queue.claim({ worker: 'w', pool: 'pool', limit: 1, leaseMs: 600_000 }, call)
  return claim!
}

async function contentOf(ledger: SqlLedger) {
  const { version, inventory, state } = await ledger.read('shop', call)
  const count = async (items: AsyncIterable<unknown>): Promise<number> => {
    let found = 0
    for await (const _ of items) found++
    return found
  }
  const items = await ledger.queue.items({}, call)
  return {
    version,
    failures: state.failures,
    owned: [...inventory.values()].map(({ ref }) => ref.name),
    runs: await count(ledger.history({}, call)),
    audits: await count(ledger.audit({}, call)),
    keys: items.map(({ key, worker }) => `${key}${worker === undefined ? '' : ' claimed'}`),
  }
}

const before = { version: 1, failures: 3, owned: ['old'], runs: 0, audits: 0, keys: ['pool/shop claimed'] }
const after = { version: 2, failures: 0, owned: ['checkout'], runs: 1, audits: 1, keys: ['pool/next', 'pool/shop'] }

describe.each(victims)('in %s the end of a run is there as a whole or not at all', (_name, victimOf) => {
  test('wherever the connection is cut between two statements', { timeout: 120_000 }, async () => {
    let cuts = 0
    for (let statements = 1; ; statements++) {
      const victim = victimOf()
      const point = { statements: 0, count: 0 }
      const ledger = sqlLedger(cutAfter(victim, point))
      const claim = await begun(ledger)
      point.statements = statements
      const ended = await ledger.commit('shop', { expect: 1, ...endOf(claim) }, call).then(
        () => 'stored',
        ({ code }: { code: string }) => code,
      )
      if (ended === 'stored') {
        expect(await contentOf(ledger)).toEqual(after)
        await ledger[Symbol.asyncDispose]?.()
        break
      }
      cuts++
      expect(ended).toBe('LEDGER_UNAVAILABLE')
      const again = sqlLedger(victim.again())
      expect(await contentOf(again), `cut after statement ${statements}`).toEqual(before)
      await again.commit('shop', { expect: 1, ...endOf(claim) }, call)
      expect(await contentOf(again)).toEqual(after)
      for (const each of [ledger, again]) await each[Symbol.asyncDispose]?.()
    }
    expect(cuts).toBeGreaterThan(9)
  })
})
