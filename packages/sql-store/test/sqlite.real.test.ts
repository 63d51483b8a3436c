import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GitOpsError, createCall, seededRandom } from '@gitops-sdk/core'
import {
  type QueueStore,
  patientLedger,
  randomFaults,
  testLedgerConformance,
  testQueueConformance,
} from '@gitops-sdk/core/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { openSqlite } from '../src/database/sqlite.ts'
import { sqlLedger } from '../src/ledger/ledger.ts'
import { sqlite } from '../src/sqlite.ts'
import { shifted } from './shifted.ts'

const folder = mkdtempSync(join(tmpdir(), 'gitops-sqlite-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
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

describe('ledger and queue in SQLite are what they are also through outages', () => {
  const outage = new GitOpsError('LEDGER_UNAVAILABLE', 'Not now.')
  const outages = () => randomFaults(seededRandom(3), 0.3, [{ kind: 'fail', error: outage }])
  testLedgerConformance({ test, createLedger: () => patientLedger(sqlite(nextFile()), outages()) })
  testQueueConformance({
    test,
    createStore: () => {
      const store = storeAt(nextFile())
      return { ...store, ledger: patientLedger(store.ledger, outages()) }
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
