// The shared queue on PostgreSQL, alone on this machine: how fast keys are made due, claimed and completed.
// `STORE_KEYS=1000000` sweeps a million. Other queues are not part of it yet.
import { createCall } from '@gitops-sdk/core'
import { openPostgres } from '../../packages/sql-store/src/database/postgres.ts'
import { sqlLedger } from '../../packages/sql-store/src/ledger/ledger.ts'
import { postgresBin, startPostgres } from '../../packages/sql-store/test/postgres-server.ts'
import { type Benchmark, type Row, figure } from '../harness.ts'

const batch = 500
const workers = 4

export const run: Benchmark = async ({ say }) => {
  const bin = postgresBin()
  const nothing = figure([Number.NaN])
  if (bin === undefined) return [{ name: 'queue', unit: '/s', ours: nothing, missing: 'PostgreSQL is not installed' }]
  await using server = await startPostgres(bin)
  await using database = openPostgres({ url: server.url, user: 'gitops', connections: workers, hints: false })
  const { queue } = sqlLedger(database)
  const call = createCall()
  const count = Number(process.env['STORE_KEYS'] ?? 100_000)
  const keys = Array.from({ length: count }, (_, index) => `application/${index}`)
  const enqueue = async (revision: number): Promise<number> => {
    const started = performance.now()
    for (let from = 0; from < count; from += batch)
      await queue.enqueue(
        keys.slice(from, from + batch).map((key) => ({ key, revision })),
        call,
      )
    return (count / (performance.now() - started)) * 1000
  }
  say(`${count} keys`)
  const enqueued = [await enqueue(1), await enqueue(2)]
  say('sweep')
  const done = new Map<string, number>()
  const started = performance.now()
  const work = async (worker: string): Promise<void> => {
    for (;;) {
      const request = { worker, pool: 'application', limit: batch, leaseMs: 60_000 }
      const claims = await queue.claim(request, call)
      if (claims.length === 0) return
      const accepted = await queue.complete(
        claims.map((claim) => ({ claim })),
        call,
      )
      for (const key of accepted) done.set(key, (done.get(key) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, index) => work(`w${index}`)))
  const swept = (count / (performance.now() - started)) * 1000
  const lost = count - done.size
  const twice = [...done.values()].filter((times) => times > 1).length
  const row = (name: string, unit: string, values: readonly number[], more: Partial<Row> = {}): Row => ({
    name,
    unit,
    ours: figure(values),
    ...more,
  })
  const goal = { goal: '≥ 5000 /s', reached: swept >= 5_000 }
  return [
    row(`enqueue, ${count} keys by ${batch}`, '/s', enqueued),
    row(`sweep of ${count} keys with a no-op target`, 'runs/s', [swept], goal),
    row('keys lost in the sweep', 'keys', [lost], { goal: '0', reached: lost === 0 }),
    row('keys run twice in the sweep', 'keys', [twice], { goal: '0', reached: twice === 0 }),
  ]
}
