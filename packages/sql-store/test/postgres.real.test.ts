import { createCall, seededRandom } from '@gitops-sdk/core'
import {
  type QueueStore,
  outages,
  patientLedger,
  testLedgerConformance,
  testQueueConformance,
} from '@gitops-sdk/core/testing'
import { describe, expect, test } from 'vitest'
import { openPostgres } from '../src/database/postgres.ts'
import { sqlLedger } from '../src/ledger/ledger.ts'
import { postgres } from '../src/postgres.ts'
import { shifted } from './shifted.ts'
import { reopening, stagePostgres } from './stage.ts'

const server = stagePostgres()
let schemas = 0

/** Each ledger gets a schema of its own, so that tests share one server and nothing else. */
function ledgerIn(schema: string) {
  return postgres({ url: server.url, user: 'gitops', schema })
}

describe('the PostgreSQL ledger is a ledger', () => {
  const { open, again } = reopening(ledgerIn)
  testLedgerConformance({
    test,
    createLedger: () => open(`test_${++schemas}`),
    reopenLedger: again,
  })
})

/** A store in a schema of its own, with a clock that a test moves. */
function storeIn(schema: string): QueueStore {
  const { database, advance } = shifted(openPostgres({ url: server.url, user: 'gitops', schema }))
  return { advance, ledger: sqlLedger(database) }
}

describe('the PostgreSQL queue is a queue', () => {
  const { open, again } = reopening(storeIn)
  testQueueConformance({
    test,
    createStore: () => open(`test_${++schemas}`),
    reopenStore: again,
  })
})

describe('ledger and queue in PostgreSQL are what they are also through outages and lost answers', () => {
  testLedgerConformance({
    test,
    createLedger: () => patientLedger(ledgerIn(`test_${++schemas}`), outages(seededRandom(3), 0.3)),
  })
  testQueueConformance({
    test,
    createStore: () => {
      const store = storeIn(`test_${++schemas}`)
      return { ...store, ledger: patientLedger(store.ledger, outages(seededRandom(3), 0.3)) }
    },
  })
})

/** Of sixty such starts, one met the moment in which a table is not there and its type is. */
const starts = Array.from({ length: 40 }, (_, index) => `together_${index}`)

test.each(starts)('six processes that start at once bring the schema up to date once: %s', async (schema) => {
  const ledgers = Array.from({ length: 6 }, () => ledgerIn(schema))
  const call = createCall()
  await Promise.all(ledgers.map((ledger) => ledger.read('shop', call)))
  const keys = await Promise.all(ledgers.map((ledger) => ledger.installKey(call)))
  expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1)
  for (const ledger of ledgers) await ledger[Symbol.asyncDispose]?.()
})

test('of many writers at one version exactly one wins, and the others are told', async () => {
  const call = createCall()
  const ledgers = Array.from({ length: 4 }, () => ledgerIn('race'))
  const commits = ledgers.map((ledger) => ledger.commit('shop', { expect: 0 }, call))
  const results = await Promise.allSettled(commits)
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const result of results) {
    if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'LEDGER_FENCED' })
  }
  for (const ledger of ledgers) await ledger[Symbol.asyncDispose]?.()
})

test('what was acknowledged survives the crash of the server', async () => {
  const call = createCall()
  const ledger = ledgerIn('crash')
  const owned = { ref: { kind: 'flag', name: 'checkout' }, state: 'applied', revision: 'r1' } as const
  await ledger.commit('shop', { expect: 0, inventory: { put: [owned] } }, call)
  await server.crash()
  expect([...(await ledger.read('shop', call)).inventory.values()]).toEqual([owned])
  await ledger[Symbol.asyncDispose]?.()
})

test('one process is told when another makes something due', async () => {
  const [listener, waker] = [ledgerIn('hints'), ledgerIn('hints')]
  const controller = new AbortController()
  const call = { ...createCall(), signal: controller.signal }
  const hints = listener.queue.hints?.(call)[Symbol.asyncIterator]()
  const hinted = hints?.next()
  // Until the listener is connected nothing hears it: hints may be lost.
  const again = setInterval(() => void waker.queue.enqueue([{ key: 'pool/a' }], createCall()).catch(() => {}), 150)
  expect(await hinted).toEqual({ done: false, value: undefined })
  clearInterval(again)
  controller.abort()
  expect((await hints?.next())?.done).toBe(true)
  for (const ledger of [listener, waker]) await ledger[Symbol.asyncDispose]?.()
})

test('a server that cannot be reached is a clear error', async () => {
  const ledger = postgres({ url: 'postgres://127.0.0.1:1/nothing', user: 'gitops' })
  await expect(ledger.read('shop', createCall())).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE' })
  await ledger[Symbol.asyncDispose]?.()
})

test('credentials in the address are refused, and not repeated', () => {
  expect(() => postgres({ url: 'postgres://user:hunter2@127.0.0.1/db' })).toThrow(/USERINFO|credentials/)
  expect(() => postgres({ url: 'postgres://user:hunter2@127.0.0.1/db' })).not.toThrow(/hunter2/)
})
