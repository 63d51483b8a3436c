import { copyFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createCall, seededRandom } from '@gitops-sdk/core'
import {
  type QueueStore,
  outages,
  patientLedger,
  testLedgerConformance,
  testQueueConformance,
} from '@gitops-sdk/core/testing'
import { describe, expect, test } from 'vitest'
import { openSqlite } from '../src/database/sqlite.ts'
import { sqlLedger } from '../src/ledger/ledger.ts'
import { sqlite } from '../src/sqlite.ts'
import { shifted } from './shifted.ts'
import { stageFolder } from './stage.ts'

const folder = stageFolder()
let files = 0
const nextFile = () => join(folder, `${++files}.db`)

describe('the SQLite ledger is a ledger', () => {
  testLedgerConformance({
    test,
    createLedger: () => sqlite(nextFile()),
    reopenLedger: (ledger) => sqlite(ledger.id.replace('sqlite:', '')),
  })
})

function storeAt(path: string): QueueStore {
  const { database, advance } = shifted(openSqlite(path))
  return { advance, ledger: sqlLedger(database) }
}

describe('the SQLite queue is a queue', () => {
  testQueueConformance({
    test,
    createStore: () => storeAt(nextFile()),
    reopenStore: ({ ledger }) => storeAt(ledger.id.replace('sqlite:', '')),
  })
})

describe('ledger and queue in SQLite are what they are also through outages and lost answers', () => {
  testLedgerConformance({ test, createLedger: () => patientLedger(sqlite(nextFile()), outages(seededRandom(3), 0.3)) })
  testQueueConformance({
    test,
    createStore: () => {
      const store = storeAt(nextFile())
      return { ...store, ledger: patientLedger(store.ledger, outages(seededRandom(3), 0.3)) }
    },
  })
})

test('two connections to one file never both win', async () => {
  const path = nextFile()
  const call = createCall()
  const ledgers = [sqlite(path), sqlite(path)]
  const results = await Promise.allSettled(ledgers.map((ledger) => ledger.commit('shop', { expect: 0 }, call)))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const ledger of ledgers) await ledger[Symbol.asyncDispose]?.()
})

test('a file that is not a database is refused, and left as it is', async () => {
  const path = nextFile()
  writeFileSync(
    path,
    'this is not a database, and it is longer than a hundred characters so that it is read as one anyway.',
  )
  expect(() => sqlite(path)).toThrow(/not a SQLite database/)
})

test('a backup that comes back, even twice, hands out no token again', async () => {
  const path = nextFile()
  const call = createCall()
  const request = { worker: 'w', pool: 'pool', limit: 10, leaseMs: 60_000 }
  const tokens: number[] = []
  const openAndClaim = async (keys: readonly string[]): Promise<void> => {
    const ledger = sqlite(path)
    await ledger.queue.afterRestore(call)
    await ledger.queue.enqueue(
      keys.map((key) => ({ key })),
      call,
    )
    const claims = await ledger.queue.claim({ ...request, keys }, call)
    tokens.push(...claims.filter(({ key }) => key === 'pool/late').map(({ token }) => token))
    await ledger[Symbol.asyncDispose]?.()
  }
  await openAndClaim(['pool/early'])
  copyFileSync(path, `${path}.backup`)
  for (let round = 0; round < 3; round++) {
    // The key is newer than the backup, which therefore knows nothing of its tokens.
    await openAndClaim(['pool/late'])
    for (const suffix of ['-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
    copyFileSync(`${path}.backup`, path)
  }
  expect(tokens).toHaveLength(3)
  expect(new Set(tokens).size).toBe(3)
  expect(tokens).toEqual(tokens.toSorted((left, right) => left - right))
})
