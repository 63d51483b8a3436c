import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCall } from '@gitops-sdk/core'
import { testLedgerConformance } from '@gitops-sdk/core/testing'
import { afterAll, describe, expect, test } from 'vitest'
import { sqlite } from '../src/sqlite.ts'

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
