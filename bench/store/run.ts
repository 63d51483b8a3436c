// Queues on this machine, each in processes of its own: ours on PostgreSQL, and others that people use.
// `STORE_KEYS=1000000` sweeps a million; `STORE_ONLY=ours` and `STORE_ONLY=others` do a part.
import { createCall } from '@gitops-sdk/core'
import { openPostgres } from '../../packages/sql-store/src/database/postgres.ts'
import { type PostgresServer, postgresBin, startPostgres } from '../../packages/sql-store/test/postgres-server.ts'
import { type Benchmark, type Row, figure, growthExponent, missing } from '../harness.ts'
import { type EngineName, engines } from './engines/by-name.ts'
import { type Engine, type Place, requestSize } from './engines/engine.ts'
import { type Swept, latencies, sweep } from './fleet.ts'
import { installPeer, startRedis } from './peers.ts'

const count = Number(process.env['STORE_KEYS'] ?? 100_000)
/** Others are given fewer: some of them would take minutes. */
const peerCount = Math.min(count, 20_000)
const batch = 500
const processes = 2
const samples = 100

export const run: Benchmark = async ({ say }) => {
  const bin = postgresBin()
  if (bin === undefined) return [missing('queue', '–', 'PostgreSQL is not installed')]
  await using server = await startPostgres(bin)
  const only = process.env['STORE_ONLY']
  const ours = only === 'others' ? [] : await oursOn(server, say)
  const others = only === 'ours' ? [] : await othersOn(server, say)
  return [...ours, ...others]
}

async function oursOn(server: PostgresServer, say: (line: string) => void): Promise<Row[]> {
  return [
    ...(await enqueueAndSweep(server, say)),
    ...(await recorded(server, say)),
    ...(await byProcesses(server, say)),
    ...(await growth(server, say)),
    await latency(server, say),
  ]
}

/** All keys made due twice, which leaves one run each, and then run: the sweep of a whole platform. */
async function enqueueAndSweep(server: PostgresServer, say: (line: string) => void): Promise<Row[]> {
  const place = await placeOf(server, 'sweep')
  await using engine = await engines.queue(place)
  const before = await usage(place)
  say(`enqueue ${count} keys, twice`)
  const enqueued = [await enqueueAll(engine, count, 1), await enqueueAll(engine, count, 2)]
  say(`sweep ${count} keys`)
  const swept = await sweep({ engine: 'queue', place, keys: count, batch, tellsEach: false, processes })
  const after = await usage(place)
  const rate = count / swept.seconds
  return [
    row(`enqueue, ${count} keys by ${requestSize}`, '/s', enqueued),
    row(`sweep of ${count} applications with a no-op target`, 'runs/s', [rate], {
      goal: '≥ 5000 /s',
      reached: rate >= 5_000,
    }),
    row('time of that sweep', 's', [swept.seconds]),
    ...nothingLost(swept, 'in the sweep'),
    row('database per application, after two enqueues and a run', 'bytes', [(after.bytes - before.bytes) / count]),
    row('WAL per application, of two enqueues and a run', 'bytes', [(after.wal - before.wal) / count]),
  ]
}

/** Each run leaves its record, an inventory of two resources and its completion. */
async function recorded(server: PostgresServer, say: (line: string) => void): Promise<Row[]> {
  const place = await placeOf(server, 'recorded')
  await using engine = await engines.ledger(place)
  const keys = Math.min(count, 100_000)
  await enqueueAll(engine, keys, 1)
  say(`${keys} runs with record and inventory`)
  const before = await usage(place)
  const swept = await sweep({ engine: 'ledger', place, keys, batch: 100, tellsEach: false, processes })
  const after = await usage(place)
  const rate = keys / swept.seconds
  return [
    row('runs with record, inventory and completion in one commit', 'runs/s', [rate], {
      goal: '≥ 5000 /s',
      reached: rate >= 5_000,
    }),
    ...nothingLost(swept, 'with records'),
    row('database per such run', 'bytes', [(after.bytes - before.bytes) / keys]),
    row('WAL per such run', 'bytes', [(after.wal - before.wal) / keys]),
  ]
}

async function byProcesses(server: PostgresServer, say: (line: string) => void): Promise<Row[]> {
  const keys = Math.min(count, 50_000)
  const place = await placeOf(server, 'processes')
  await using engine = await engines.queue(place)
  const rows: Row[] = []
  for (const [index, number] of [1, 2, 4].entries()) {
    await enqueueAll(engine, keys, index + 1)
    say(`${number} processes`)
    const swept = await sweep({ engine: 'queue', place, keys, batch, tellsEach: false, processes: number })
    rows.push(
      row(`${number} ${number === 1 ? 'process' : 'processes'} on two cores, ${keys} keys`, 'runs/s', [
        keys / swept.seconds,
      ]),
    )
  }
  return rows
}

/** How the time of enqueueing and sweeping grows with the number of keys. */
async function growth(server: PostgresServer, say: (line: string) => void): Promise<Row[]> {
  const sizes = [1, 10, 100].map((factor) => (factor * Math.min(count, 100_000)) / 100)
  const seconds: number[] = []
  for (const keys of sizes) {
    const place = await placeOf(server, `growth_${keys}`)
    await using engine = await engines.queue(place)
    const enqueued = keys / (await enqueueAll(engine, keys, 1))
    const swept = await sweep({ engine: 'queue', place, keys, batch, tellsEach: false, processes })
    seconds.push(enqueued + swept.seconds)
    say(`${keys} keys: ${(enqueued + swept.seconds).toFixed(2)} s`)
  }
  return [
    ...sizes.map((keys, index) => row(`enqueue and sweep of ${keys} keys`, 's', [seconds[index] ?? Number.NaN])),
    row('growth of that from 1x to 100x, as an exponent', '', [growthExponent(sizes, seconds)], {
      goal: '≤ 1.05',
      reached: growthExponent(sizes, seconds) <= 1.05,
    }),
  ]
}

async function latency(server: PostgresServer, say: (line: string) => void): Promise<Row> {
  const place = await placeOf(server, 'latency')
  await using engine = await engines.queue(place)
  say('latency')
  const waited = await waits(engine, 'queue', place)
  return {
    name: 'enqueue to handler, idle workers, p50 (least–p99)',
    unit: 'ms',
    ours: { median: quantile(waited, 0.5), min: quantile(waited, 0), max: quantile(waited, 0.99) },
  }
}

async function othersOn(server: PostgresServer, say: (line: string) => void): Promise<Row[]> {
  const redis = await startRedis()
  await using _ending = redis
  const mine = await measure('queue', await placeOf(server, 'compared'), say)
  const rows: Row[] = []
  for (const name of ['pg-boss', 'graphile-worker', 'bullmq'] as const) {
    const peer = installPeer(name)
    if ('missing' in peer) rows.push(missing('queue', name, peer.missing))
    else if (name === 'bullmq' && redis === undefined)
      rows.push(missing('queue', name, 'Redis is not installed (Debian: redis-server)'))
    else {
      const { url } = name === 'bullmq' && redis !== undefined ? redis : await placeOf(server, name.replace('-', '_'))
      // One that fails is a row that says so.
      const theirs = await measure(name, { url, folder: peer.folder }, say).catch((error: unknown) => String(error))
      rows.push(...(typeof theirs === 'string' ? [missing('queue', name, theirs)] : comparison(name, mine, theirs)))
    }
  }
  return rows
}

/** What one queue did with the same keys. */
interface Measured extends Swept {
  readonly enqueued: number
  readonly ran: number
  /** Milliseconds from enqueue to handler, sorted. */
  readonly waited: readonly number[]
  /** Bytes per key; absent where there is no PostgreSQL. */
  readonly wal?: number
}

async function measure(name: EngineName, place: Place, say: (line: string) => void): Promise<Measured> {
  await using engine = await engines[name](place)
  say(`${name}: ${peerCount} keys`)
  const isPostgres = place.url.startsWith('postgres')
  const before = isPostgres ? await usage(place) : undefined
  const enqueued = await enqueueAll(engine, peerCount, 1)
  const swept = await sweep({ engine: name, place, keys: peerCount, batch, tellsEach: false, processes })
  const after = isPostgres ? await usage(place) : undefined
  say(`${name}: latency`)
  const waited = await waits(engine, name, place)
  const wal = before === undefined || after === undefined ? {} : { wal: (after.wal - before.wal) / peerCount }
  return { ...swept, enqueued, ran: peerCount / swept.seconds, waited, ...wal }
}

/** Neither keeps a record of the run here. The ratio is of times, so the rates are turned round. */
function comparison(peer: string, mine: Measured, theirs: Measured): Row[] {
  const rate = (name: string, unit: string, ours: number, other: number): Row =>
    row(`${name}, against ${peer}`, unit, [ours], { peer, theirs: figure([other]), ratio: figure([other / ours]) })
  const wait = (name: string, of: number): Row => {
    const [ours, other] = [quantile(mine.waited, of), quantile(theirs.waited, of)]
    const compared = { peer, theirs: figure([other]), ratio: figure([ours / other]) }
    return row(`${name}, against ${peer}`, 'ms', [ours], compared)
  }
  return [
    rate(`enqueue, ${peerCount} keys by ${requestSize}`, '/s', mine.enqueued, theirs.enqueued),
    rate(`claim and complete, ${peerCount} keys`, 'runs/s', mine.ran, theirs.ran),
    row(`lost and run twice, against ${peer}`, 'keys', [mine.lost + mine.twice], {
      peer,
      theirs: figure([theirs.lost + theirs.twice]),
    }),
    wait('enqueue to handler, idle workers, p50', 0.5),
    wait('enqueue to handler, idle workers, p99', 0.99),
    ...(mine.wal === undefined || theirs.wal === undefined
      ? []
      : [row(`WAL per key, against ${peer}`, 'bytes', [mine.wal], { peer, theirs: figure([theirs.wal]) })]),
  ]
}

async function waits(engine: Engine, name: EngineName, place: Place): Promise<readonly number[]> {
  const options = { engine: name, place, keys: samples, batch: 16, tellsEach: true, processes }
  return (await latencies(options, (key) => engine.enqueue([key], 2))).toSorted((a, b) => a - b)
}

function nothingLost({ lost, twice }: Swept, where: string): Row[] {
  return [
    row(`applications lost ${where}`, 'applications', [lost], { goal: '0', reached: lost === 0 }),
    row(`applications run twice ${where}`, 'applications', [twice], { goal: '0', reached: twice === 0 }),
  ]
}

function row(name: string, unit: string, values: readonly number[], more: Partial<Row> = {}): Row {
  return { name, unit, ours: figure(values), ...more }
}

function quantile(sorted: readonly number[], of: number): number {
  return sorted[Math.floor(sorted.length * of)] ?? Number.NaN
}

/** Keys per second. */
async function enqueueAll(engine: Engine, keys: number, revision: number): Promise<number> {
  const started = performance.now()
  for (let from = 0; from < keys; from += requestSize) {
    const size = Math.min(requestSize, keys - from)
    await engine.enqueue(
      Array.from({ length: size }, (_, index) => from + index),
      revision,
    )
  }
  return (keys / (performance.now() - started)) * 1000
}

/** A database of its own on the server. */
async function placeOf(server: PostgresServer, name: string): Promise<Place> {
  await using database = openPostgres({ url: server.url, user: 'gitops', hints: false })
  await database.query(`CREATE DATABASE bench_${name}`, [], createCall())
  return { url: server.url.replace(/postgres$/, `bench_${name}`), folder: '' }
}

/** Bytes of the tables with their indexes, and of the WAL that the server wrote so far. */
async function usage({ url }: Place): Promise<{ bytes: number; wal: number }> {
  await using database = openPostgres({ url, user: 'gitops', hints: false })
  const statement = `SELECT pg_database_size(current_database()) AS bytes, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS wal`
  const [found] = await database.query(statement, [], createCall())
  return { bytes: Number(found?.['bytes']), wal: Number(found?.['wal']) }
}
