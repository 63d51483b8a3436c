import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { EngineName } from './engines/by-name.ts'
import type { Place } from './engines/engine.ts'

/** What a worker process is told when it starts. */
export interface WorkerOptions {
  readonly engine: EngineName
  readonly place: Place
  /** How many keys there are. */
  readonly keys: number
  readonly batch: number
  /** Whether each run is told when it begins. */
  readonly tellsEach: boolean
  /** Where it writes how often each key was run. */
  readonly out: string
}

export type ToWorker = 'go' | 'end'

export interface FromWorker {
  readonly ready?: boolean
  readonly working?: boolean
  readonly began?: number
  readonly key?: number
  /** Nanoseconds of the clock that all processes of a machine share. */
  readonly atNs?: string
  readonly settledNs?: string
}

/** What many processes did with the keys. */
export interface Swept {
  readonly seconds: number
  readonly lost: number
  readonly twice: number
}

export type FleetOptions = Omit<WorkerOptions, 'out'> & { readonly processes: number }

/** As long as something is run, it goes on; after so long without, what is missing is lost. */
const stalledMs = 30_000
/** How long is waited for what is run a second time. */
const quietMs = 1_000

interface Worker {
  readonly child: ChildProcess
  readonly out: string
  began: number
  settledNs: bigint
}

/** Starts the processes, lets them work on what is due already, and counts. */
export async function sweep(options: FleetOptions): Promise<Swept> {
  await using fleet = await startFleet(options, () => {})
  const startedNs = process.hrtime.bigint()
  await fleet.go()
  const total = (): number => fleet.workers.reduce((sum, { began }) => sum + began, 0)
  let [seen, movedMs] = [0, performance.now()]
  while (total() < options.keys && performance.now() - movedMs < stalledMs) {
    await pause(20)
    if (total() > seen) [seen, movedMs] = [total(), performance.now()]
  }
  await pause(quietMs)
  const runs = await fleet.end()
  const settledNs = fleet.workers.reduce((last, each) => (each.settledNs > last ? each.settledNs : last), startedNs)
  return {
    seconds: Number(settledNs - startedNs) / 1e9,
    lost: runs.filter((times) => times === 0).length,
    twice: runs.filter((times) => times > 1).length,
  }
}

/** Milliseconds from the call that enqueues one key to the beginning of its handler, in processes that have nothing else to do. */
export async function latencies(
  options: FleetOptions,
  enqueue: (key: number) => Promise<void>,
): Promise<readonly number[]> {
  const began = new Map<number, bigint>()
  await using fleet = await startFleet({ ...options, tellsEach: true }, ({ key, atNs }) => {
    if (key !== undefined && atNs !== undefined) began.set(key, BigInt(atNs))
  })
  await fleet.go()
  await pause(1_500)
  const waited: number[] = []
  for (let key = 0; key < options.keys; key++) {
    const askedNs = process.hrtime.bigint()
    await enqueue(key)
    for (let waits = 0; !began.has(key) && waits < 5_000; waits++) await pause(2)
    waited.push(Number((began.get(key) ?? askedNs + 10_000_000_000n) - askedNs) / 1e6)
    await pause(50 + Math.random() * 100)
  }
  await fleet.end()
  return waited
}

async function startFleet(options: FleetOptions, heard: (message: FromWorker) => void) {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-bench-store-'))
  const { processes, ...rest } = options
  const workers = await Promise.all(
    Array.from({ length: processes }, (_, index) => start({ ...rest, out: join(folder, String(index)) }, heard)),
  )
  const all = (message: ToWorker, until: (answer: FromWorker) => boolean): Promise<unknown> =>
    Promise.all(
      workers.map(({ child }) => {
        const answered = answerOf(child, until)
        child.send(message)
        return answered
      }),
    )
  return {
    workers: workers as readonly Worker[],
    go: () => all('go', ({ working }) => working === true),
    /** How often each key was run. */
    end: async (): Promise<Uint8Array> => {
      await all('end', ({ settledNs }) => settledNs !== undefined)
      const counts = workers.map(({ out }) => readFileSync(out))
      return Uint8Array.from({ length: options.keys }, (_, key) =>
        counts.reduce((sum, each) => sum + (each[key] ?? 0), 0),
      )
    },
    [Symbol.asyncDispose]: async () => {
      for (const { child } of workers) child.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function start(options: WorkerOptions, heard: (message: FromWorker) => void): Promise<Worker> {
  const args = ['--import', 'tsx', '--conditions=@gitops-sdk/source', '--no-warnings', script, JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const worker: Worker = { child, out: options.out, began: 0, settledNs: 0n }
  child.on('message', (message: FromWorker) => {
    if (message.began !== undefined) worker.began = message.began
    if (message.settledNs !== undefined) worker.settledNs = BigInt(message.settledNs)
    heard(message)
  })
  await answerOf(child, ({ ready }) => ready === true)
  return worker
}

function answerOf(child: ChildProcess, until: (answer: FromWorker) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: FromWorker) => {
      if (until(message)) resolve()
    })
    child.once('exit', (code) => reject(new Error(`A worker process ended with ${code}.`)))
  })
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs))
}

const script = fileURLToPath(new URL('worker.ts', import.meta.url))
