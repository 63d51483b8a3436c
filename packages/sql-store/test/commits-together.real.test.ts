import { join } from 'node:path'
import { type Held, type LedgerChange, createCall } from '@gitops-sdk/core'
import { expect, test } from 'vitest'
import type { SqlLedger } from '../src/ledger/ledger.ts'
import { postgres } from '../src/postgres.ts'
import { sqlite } from '../src/sqlite.ts'
import { stageFolder, stagePostgres } from './stage.ts'

const folder = stageFolder()
const server = stagePostgres()
const call = createCall()
const names = Array.from({ length: 100 }, (_, index) => `app-${String(index).padStart(3, '0')}`)

test('commits of a hundred applications at once in PostgreSQL: each is made or refused by itself', async () => {
  const ledger = postgres({ url: server.url, user: 'gitops' })
  // PostgreSQL keeps no NUL in text.
  const refused = new Map([['app-050', 'LEDGER_UNAVAILABLE']])
  await eachByItself(ledger, { 'app-050': 'a\0b' }, refused)
  await ledger[Symbol.asyncDispose]?.()
})

test('commits of a hundred applications at once in SQLite: each is made or refused by itself', async () => {
  const ledger = sqlite(join(folder, 'gitops.db'))
  await eachByItself(ledger, {}, new Map())
  await ledger[Symbol.asyncDispose]?.()
})

/** Besides what the database refuses: two stale versions, a lost claim, and a claim that was completed already. */
async function eachByItself(
  ledger: SqlLedger,
  odd: Readonly<Record<string, string>>,
  refused: ReadonlyMap<string, string>,
): Promise<void> {
  const { queue } = ledger
  await queue.enqueue(
    names.map((name) => ({ key: `application/${name}` })),
    call,
  )
  const request = { worker: 'w', pool: 'application', limit: 100, leaseMs: 60_000 }
  const claims = new Map((await queue.claim(request, call)).map((claim) => [claim.key, claim]))
  const completed = claims.get('application/app-040')
  if (completed !== undefined) await queue.complete([{ claim: completed }], call)
  const expected = new Map([
    ...refused,
    ['app-010', 'LEDGER_FENCED'],
    ['app-020', 'LEDGER_FENCED'],
    ['app-030', 'LEDGER_FENCED'],
    ['app-040', 'LEDGER_FENCED'],
  ])
  const settled = await Promise.allSettled(
    names.map((name) => {
      const claim = claims.get(`application/${name}`)
      if (claim === undefined) throw new Error(`${name} was not claimed.`)
      const held = { key: claim.key, token: name === 'app-030' ? claim.token - 1 : claim.token }
      return ledger.commit(name, changeOf(name, odd[name] ?? 'plain', held, claim.revision), call)
    }),
  )
  const found = settled.map((result) =>
    result.status === 'rejected' ? (result.reason as { code: string }).code : result.value,
  )
  expect(Object.fromEntries(names.map((name, index) => [name, found[index]]))).toEqual(
    Object.fromEntries(names.map((name) => [name, expected.get(name) ?? 1])),
  )
  for (const name of names) {
    const { version, inventory } = await ledger.read(name, call)
    const runs: unknown[] = []
    for await (const one of ledger.history({ application: name }, call)) runs.push(one)
    const isMade = !expected.has(name)
    expect([name, version, inventory.size, runs.length]).toEqual(isMade ? [name, 1, 2, 1] : [name, 0, 0, 0])
  }
  const open = (await queue.items({ pool: 'application' }, call)).filter(({ worker }) => worker !== undefined)
  expect(open.map(({ key }) => key)).toEqual(
    [...expected.keys()]
      .filter((name) => name !== 'app-040')
      .toSorted()
      .map((name) => `application/${name}`),
  )
}

function changeOf(name: string, word: string, claim: Held, revision: number): LedgerChange {
  const refs = ['one', 'two'].map((kind) => ({ kind, name }))
  return {
    expect: name === 'app-010' || name === 'app-020' ? 7 : 0,
    claim,
    inventory: { put: refs.map((ref) => ({ ref, state: 'applied', revision: word })) },
    run: {
      runId: `run-${name}`,
      application: name,
      startedAt: 1,
      endedAt: 2,
      trigger: 'poll',
      outcome: 'applied',
      counts: {},
      changed: [],
    },
    complete: { claim: { ...claim, revision } },
  }
}
