// npx -y pnpm@12 test:chaos [--applications 6000] [--seconds 30]
// Real processes over one PostgreSQL, and what must not happen to them: a worker is killed in the middle of a run, another is
// stopped for twice its lease and goes on as a zombie, the database is killed three times, and one worker loses its way to
// the database while it still reaches its target. An oracle, which sees every write, counts what was broken.
import { parseArgs } from 'node:util'
import { type Wake, createCall } from '@gitops-sdk/core'
import { openPostgres } from '../../packages/sql-store/src/database/postgres.ts'
import { sqlLedger } from '../../packages/sql-store/src/ledger/ledger.ts'
import { neededPostgresBin, startPostgres } from '../../packages/sql-store/test/postgres-server.ts'
import {
  type FleetWorker,
  believedZombies,
  createFleet,
  startCable,
} from '../../packages/sql-store/test/processes/fleet.ts'
import { type World, type Write, repositoryOf, startWorld } from '../../packages/sql-store/test/processes/world.ts'

const { values } = parseArgs({
  options: { applications: { type: 'string', default: '6000' }, seconds: { type: 'string', default: '30' } },
})
const applications = Number(values.applications)
const chaosMs = Number(values.seconds) * 1000
const leaseMs = 5_000
/** A machine may be busy with other things: what is waited for is given up when nothing at all was written for so long. */
const stalledMs = 60_000
const started = Date.now()
const say = (line: string): void => console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`)
const pause = (durationMs: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, durationMs))

await using server = await startPostgres(neededPostgresBin())
const names = Array.from({ length: applications }, (_, index) => `app-${String(index).padStart(5, '0')}`)
await using world = await startWorld(names, 25)
await using cable = await startCable(Number(new URL(server.url).port))
await using fleet = createFleet({ names, world: world.address, leaseMs })
const store = { url: server.url }

const workers = [1, 2, 3].map(() => fleet.start(store))
const cutOff = fleet.start({ url: `postgres://127.0.0.1:${cable.port}/postgres` })
say(`4 workers, ${applications} applications`)
await until('every application is applied', () => applications - world.live.size)

await using database = openPostgres({ url: server.url, user: 'gitops' })
const waker = sqlLedger(database)
const zombies = new Set<number>()
const wokenUntil = Date.now() + chaosMs
let isOver = false
const waking = wake(() => isOver && Date.now() >= wokenUntil)
await disasters()
isOver = true
const woken = await waking
say(`${woken} changes of applications were announced`)
await until('every application is at its newest generation', () => behind(world).length)
await explain(behind(world).slice(0, 20))
process.exitCode = report()

/** Somebody commits and tells the store, again and again: what was acknowledged must be followed. */
async function wake(isEnough: () => boolean): Promise<number> {
  const hot = names.slice(0, 20)
  let count = 0
  while (!isEnough()) {
    const some = Array.from({ length: 6 }, () => names[Math.floor(Math.random() * names.length)] ?? '')
    const chosen = [...some, hot[count % hot.length] ?? '']
    const sources = [...new Set(chosen.map((name) => world.commit(name)))]
    await acknowledged(sources.map((source) => ({ key: `source/${source}`, priority: 1 as const, trigger: 'push' })))
    count += chosen.length
    await pause(100)
  }
  return count
}

async function acknowledged(wakes: readonly Wake[]) {
  for (;;) {
    try {
      return await waker.queue.enqueue(wakes, createCall())
    } catch {
      await pause(200)
    }
  }
}

async function disasters(): Promise<void> {
  const [first, second] = workers as [FleetWorker, FleetWorker]
  await pause(1_000)
  await midRun(first)
  first.child.kill('SIGKILL')
  say(`worker ${first.id} is killed in the middle of a run`)
  await pause(1_000)
  await midRun(second)
  second.child.kill('SIGSTOP')
  zombies.add(second.id)
  const itsOwn = world.writtenBy(second.id)
  const stopped = Date.now()
  say(`worker ${second.id} is stopped for ${(2 * leaseMs) / 1000} s`)
  await crash(1)
  await pause(2_000)
  workers.push(fleet.start(store))
  say('another worker joins')
  await pause(Math.max(0, stopped + leaseMs + 500 - Date.now()))
  // What it had under way is urgent to somebody, so that others have it before the zombie goes on.
  await acknowledged(itsOwn.map((name) => ({ key: `application/${name}`, priority: 2 as const, trigger: 'manual' })))
  await pause(Math.max(0, stopped + 2 * leaseMs - Date.now()))
  second.child.kill('SIGCONT')
  say(`worker ${second.id} goes on, as a zombie`)
  await crash(2)
  await pause(2_000)
  await midRun(cutOff)
  cable.cut(true)
  say(`worker ${cutOff.id} loses its way to the database`)
  await pause(2 * leaseMs)
  cable.cut(false)
  say(`worker ${cutOff.id} finds its way again`)
  await crash(3)
}

/** A worker that has writes under way is in the middle of a run. */
async function midRun({ id }: FleetWorker): Promise<void> {
  const untilMs = Date.now() + stalledMs
  while (!world.writing().includes(id) && Date.now() < untilMs) await pause(2)
  if (!world.writing().includes(id)) throw new Error(`Worker ${id} had nothing under way for a minute.`)
}

async function crash(count: number): Promise<void> {
  await server.crash()
  say(`PostgreSQL was killed and is back (${count})`)
}

/** Waits as long as there is progress. */
async function until(what: string, missing: () => number): Promise<void> {
  let written = world.accepted.length
  let givenUpAtMs = Date.now() + stalledMs
  while (missing() > 0 && Date.now() < givenUpAtMs) {
    await pause(200)
    if (world.accepted.length > written) givenUpAtMs = Date.now() + stalledMs
    written = world.accepted.length
  }
  say(missing() === 0 ? `${what}: yes` : `${what}: NO, ${missing()} are not, and nothing was written for a minute`)
}

function behind({ wanted, live }: World): readonly string[] {
  return [...wanted].filter(([name, generation]) => live.get(name) !== generation).map(([name]) => name)
}

/** What store and world know of applications that are behind. */
async function explain(late: readonly string[]): Promise<void> {
  for (const name of late) {
    const source = `source/${repositoryOf(names.indexOf(name))}`
    const items = await waker.queue.items({ keys: [`application/${name}`, source] }, createCall())
    const { state, journal } = await waker.read(name, createCall())
    const generations = { wanted: world.wanted.get(name), live: world.live.get(name) }
    say(`behind: ${JSON.stringify({ name, ...generations, items, state, journal: journal?.runId })}`)
  }
}

function report(): number {
  const lines = fleet.commits()
  const ofZombie = ([left, right]: readonly [Write, Write]): boolean =>
    [left, right].some(({ worker }) => zombies.has(worker) || worker === cutOff.id)
  const counts = {
    'lost applications': applications - world.live.size,
    'lost wake-ups': behind(world).filter((name) => world.live.has(name)).length,
    'overlaps not from a zombie': world.overlaps.filter((pair) => !ofZombie(pair)).length,
    'completions of a zombie accepted': believedZombies(lines).length,
    'older-after-newer writes at a fencing target': world.late.length,
  }
  const seen = {
    'writes accepted': world.accepted.length,
    'overlaps of a zombie or of a worker without its database': world.overlaps.filter(ofZombie).length,
    'writes refused by the target': world.refused.length,
    'commits accepted': lines.filter(({ version }) => version !== undefined).length,
    'commits fenced': lines.filter(({ fenced }) => fenced === true).length,
  }
  for (const [what, count] of Object.entries({ ...seen, ...counts }))
    console.log(`${String(count).padStart(8)}  ${what}`)
  say(
    Object.entries(counts)
      .map(([what, count]) => `${what} ${count}`)
      .join(', '),
  )
  const broken = Object.values(counts).filter((count) => count !== 0).length
  console.log(`Tests  ${Object.keys(counts).length - broken} passed, ${broken} failed`)
  return broken === 0 ? 0 : 1
}
