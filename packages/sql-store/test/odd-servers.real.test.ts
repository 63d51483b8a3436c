import { createCall } from '@gitops-sdk/core'
import { testLedgerConformance, testQueueConformance } from '@gitops-sdk/core/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { selfSigned } from '../../k8s-adapter/test/certificate.ts'
import { openPostgres } from '../src/database/postgres.ts'
import { sqlLedger } from '../src/ledger/ledger.ts'
import { postgres } from '../src/postgres.ts'
import { type Pooler, poolerBin, startPooler } from './pooler.ts'
import { shifted } from './shifted.ts'
import { connectAsOwner, reopening, stagePostgres } from './stage.ts'

const certificate = selfSigned()
const server = stagePostgres(certificate)
let pooler: Pooler
let schemas = 0

beforeAll(async () => {
  const bouncer = poolerBin()
  if (bouncer === undefined) throw new Error('No PgBouncer: install Debian’s pgbouncer, or set PGBOUNCER_BIN.')
  pooler = await startPooler(bouncer, server)
})
afterAll(() => pooler[Symbol.asyncDispose]())

/** Runs statements as the owner of the server. */
async function asOwner(...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const client = await connectAsOwner(server)
  try {
    let rows: readonly Record<string, unknown>[] = []
    for (const statement of statements) ({ rows } = await client.query(statement))
    return rows
  } finally {
    await client.end()
  }
}

describe('behind a pooler that gives each transaction another connection, the ledger is a ledger and the queue a queue', () => {
  const { open, again } = reopening((schema) => postgres({ url: pooler.url, user: 'gitops', schema }))
  testLedgerConformance({
    test,
    createLedger: () => open(`pooled_${++schemas}`),
    reopenLedger: again,
  })
  testQueueConformance({
    test,
    createStore: () => {
      const schema = `pooled_${++schemas}`
      const { database, advance } = shifted(openPostgres({ url: pooler.url, user: 'gitops', schema }))
      return { advance, ledger: sqlLedger(database) }
    },
  })
})

test('a search path with tables of the same names does not divert a single row', async () => {
  await asOwner(
    'CREATE SCHEMA decoy',
    'CREATE ROLE diverted LOGIN',
    'GRANT CREATE ON DATABASE postgres TO diverted',
    'CREATE TABLE decoy.application (name TEXT, version BIGINT, forgotten INTEGER, record TEXT)',
    'CREATE TABLE decoy.gitops_application (name TEXT, version BIGINT, forgotten INTEGER, record TEXT)',
    'GRANT ALL ON SCHEMA decoy TO diverted',
    'GRANT ALL ON ALL TABLES IN SCHEMA decoy TO diverted',
    'ALTER ROLE diverted SET search_path = decoy',
  )
  const ledger = postgres({ url: server.url, user: 'diverted', schema: 'straight' })
  const call = createCall()
  await ledger.commit('shop', { expect: 0, state: { failures: 1 } }, call)
  expect(await ledger.read('shop', call)).toMatchObject({ version: 1, state: { failures: 1 } })
  expect(await asOwner('SELECT name FROM decoy.application UNION SELECT name FROM decoy.gitops_application')).toEqual(
    [],
  )
  expect(await asOwner('SELECT name FROM straight.application')).toEqual([{ name: 'shop' }])
  await ledger[Symbol.asyncDispose]?.()
})

test('a role that may create its schema is enough; one that may not is told so, and nothing is left half-way', async () => {
  await asOwner('CREATE ROLE plain LOGIN')
  const refused = postgres({ url: server.url, user: 'plain', schema: 'plain' })
  const call = createCall()
  await expect(refused.read('shop', call)).rejects.toMatchObject({
    code: 'LEDGER_UNAVAILABLE',
    message: expect.stringContaining('permission denied'),
  })
  expect(await asOwner("SELECT 1 FROM pg_namespace WHERE nspname = 'plain'")).toEqual([])
  await asOwner('CREATE SCHEMA plain AUTHORIZATION plain')
  expect(await refused.read('shop', call)).toMatchObject({ version: 0 })
  expect(await refused.commit('shop', { expect: 0 }, call)).toBe(1)
  await refused[Symbol.asyncDispose]?.()
})

test('a statement that meets the time limit of the server is an outage that may be tried again, and commits nothing', async () => {
  await asOwner(
    'CREATE ROLE hasty LOGIN',
    'CREATE SCHEMA hasty AUTHORIZATION hasty',
    "ALTER ROLE hasty SET statement_timeout = '1s'",
  )
  const ledger = postgres({ url: server.url, user: 'hasty', schema: 'hasty' })
  const call = createCall()
  await ledger.commit('shop', { expect: 0 }, call)
  const holder = await connectAsOwner(server)
  await holder.query('BEGIN')
  await holder.query('SELECT 1 FROM hasty.application FOR UPDATE')
  const late = ledger.commit('shop', { expect: 1, state: { failures: 1 } }, call)
  await expect(late).rejects.toMatchObject({ code: 'LEDGER_UNAVAILABLE', retryable: true })
  await holder.query('ROLLBACK')
  await holder.end()
  expect(await ledger.read('shop', call)).toMatchObject({ version: 1, state: {} })
  expect(await ledger.commit('shop', { expect: 1 }, call)).toBe(2)
  await ledger[Symbol.asyncDispose]?.()
})

test('a certificate of nobody we trust ends the connection; of the authority that is given, it is used', async () => {
  const call = createCall()
  const wrong = postgres({ url: server.url, user: 'gitops', tls: true, schema: 'secure' })
  await expect(wrong.read('shop', call)).rejects.toMatchObject({
    code: 'LEDGER_UNAVAILABLE',
    message: expect.stringMatching(/certificate|SELF_SIGNED/i),
  })
  await wrong[Symbol.asyncDispose]?.()
  const right = postgres({ url: server.url, user: 'gitops', tls: { ca: certificate.cert }, schema: 'secure' })
  expect(await right.commit('shop', { expect: 0 }, call)).toBe(1)
  await right[Symbol.asyncDispose]?.()
})
