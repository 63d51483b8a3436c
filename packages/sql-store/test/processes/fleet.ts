import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { type Server, type Socket, connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WorkerOptions } from './worker.ts'

/** A worker process. */
export interface FleetWorker {
  readonly id: number
  readonly child: ChildProcess
  readonly ended: Promise<void>
}

/** Worker processes over one store, and what they wrote down. */
export interface Fleet extends AsyncDisposable {
  start(store: WorkerOptions['store']): FleetWorker
  /** Commits that were accepted or fenced, by all workers. */
  commits(): readonly CommitLine[]
}

/** What a worker writes down of a commit. */
export interface CommitLine {
  readonly application: string
  readonly token: number
  readonly worker: number
  /** Of the record after it; absent when it was fenced. */
  readonly version?: number
  readonly fenced?: boolean
}

export function createFleet(options: Omit<WorkerOptions, 'id' | 'log' | 'store'>): Fleet {
  const folder = mkdtempSync(join(tmpdir(), 'gitops-fleet-'))
  const workers: FleetWorker[] = []
  return {
    start: (store) => {
      const id = workers.length + 1
      const given: WorkerOptions = { ...options, id, store, log: join(folder, `${id}.jsonl`) }
      const args = [
        '--import',
        'tsx',
        '--conditions=@gitops-sdk/source',
        '--no-warnings',
        script,
        JSON.stringify(given),
      ]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
      const worker = { id, child, ended: new Promise<void>((resolve) => child.once('exit', () => resolve())) }
      workers.push(worker)
      return worker
    },
    commits: () =>
      readdirSync(folder).flatMap((name) =>
        readFileSync(join(folder, name), 'utf8')
          .split('\n')
          // The last line of a worker that was killed may be cut.
          .filter((line) => line.endsWith('}'))
          .map((line) => JSON.parse(line) as CommitLine),
      ),
    [Symbol.asyncDispose]: async () => {
      for (const { child } of workers) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await Promise.all(workers.map(({ ended }) => ended))
      if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
    },
  }
}

const script = fileURLToPath(new URL('worker.ts', import.meta.url))

/** Commits of an older claim after a newer one had written: each is a zombie that was believed. */
export function believedZombies(lines: readonly CommitLine[]): readonly CommitLine[] {
  const accepted = lines.filter(({ version }) => version !== undefined)
  const inOrder = accepted.toSorted((left, right) => (left.version ?? 0) - (right.version ?? 0))
  const newest = new Map<string, number>()
  return inOrder.filter(({ application, token }) => {
    const known = newest.get(application) ?? 0
    newest.set(application, Math.max(known, token))
    return token < known
  })
}

/** A way to a database that can be cut. */
export interface Cable extends AsyncDisposable {
  readonly port: number
  cut(isCut: boolean): void
}

export async function startCable(to: number): Promise<Cable> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server: Server = createServer((near) => {
    if (isCut) return near.destroy()
    const far = connect(to, '127.0.0.1')
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy()).on('close', () => (sockets.delete(one), other.destroy()))
      one.pipe(other)
    }
    return undefined
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (value: boolean): void => {
    isCut = value
    if (value) for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    [Symbol.asyncDispose]: async () => {
      cut(true)
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
