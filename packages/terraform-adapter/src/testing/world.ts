import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type ApplicationEvent,
  type Ledger,
  type Logger,
  type MemoryFiles,
  memoryLedger,
  type PolicyOptions,
  type Reconciler,
  createReconciler,
  silentLog,
} from '@gitops-sdk/core'
import type { RunJournal } from '../workspace/runs.ts'
import type { TerraformTargetOptions } from '../target/options.ts'
import type { FakeCloudProviderOptions } from './fake-cloud-provider.ts'
import { type Stage, openStage } from './stage.ts'

/** A stage with a reconciler on it, for one application called `shop`. */
export interface World extends Stage {
  readonly ledger: Ledger
  readonly events: ApplicationEvent[]
  readonly reconciler: Reconciler
  /** Ends the reconciler, as when its process is stopped, and starts another one over the same ledger and folder. */
  restart(options?: Partial<TerraformTargetOptions>): Promise<void>
}

/** What a world is made of. */
export interface WorldOptions {
  readonly files: MemoryFiles
  readonly target?: Partial<TerraformTargetOptions>
  readonly policy?: PolicyOptions
  readonly provider?: FakeCloudProviderOptions
  readonly stopTimeoutMs?: number
  readonly log?: Logger
}

/** A reconciler that prunes and heals, unless the policy says otherwise. */
export async function openWorld({
  files,
  target,
  policy,
  provider,
  stopTimeoutMs = 30_000,
  log = silentLog,
}: WorldOptions): Promise<World> {
  const stage = await openStage(files, provider)
  const ledger = memoryLedger()
  const events: ApplicationEvent[] = []
  const start = (more: Partial<TerraformTargetOptions> = {}): Reconciler => {
    const reconciler = createReconciler({
      ledger,
      stopTimeoutMs,
      log,
      applications: [
        {
          name: 'shop',
          source: stage.source,
          target: stage.target({ ...target, ...more }),
          policy: { prune: true, intervalMs: 0, retry: { limit: 0 }, healthTimeoutMs: 5_000, ...policy },
        },
      ],
    })
    reconciler.onAny((event) => void events.push(event))
    return reconciler
  }
  let reconciler = start()
  return {
    ...stage,
    ledger,
    events,
    get reconciler() {
      return reconciler
    },
    restart: async (more) => {
      await reconciler[Symbol.asyncDispose]()
      reconciler = start(more)
    },
    async [Symbol.asyncDispose]() {
      await reconciler[Symbol.asyncDispose]()
      await stage[Symbol.asyncDispose]()
    },
  }
}

/** The journals of the runs under way or not settled, of every application in a folder. */
export async function journalsIn(folder: string): Promise<readonly RunJournal[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const paths = names.filter((name) => name.endsWith('run.json'))
  const texts = await Promise.all(paths.map((path) => readFile(join(folder, path), 'utf8').catch(() => '')))
  // Written by the adapter, whole or not at all.
  return texts.filter((text) => text !== '').map((text) => JSON.parse(text) as RunJournal)
}

/** Resolves as soon as `holds` answers something; fails after thirty seconds. */
export async function eventually<T>(holds: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const end = performance.now() + 30_000; performance.now() < end;) {
    const answer = await holds()
    if (answer !== undefined && answer !== false) return answer
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error('It did not happen within thirty seconds.')
}

/** Everything that lies in a folder, as one text. What disappears meanwhile is left out. */
export async function textsBelow(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true })
  const paths = names.map((name) => join(folder, name))
  const contents = await Promise.all(
    paths
      .map(async (path) => ((await stat(path)).isFile() ? readFile(path, 'latin1') : ''))
      .map((each) => each.catch(() => '')),
  )
  return contents.join('\n')
}
