import { load } from '../peers.ts'
import { type Engine, type Place } from './engine.ts'

interface Graphile {
  readonly makeWorkerUtils: (options: object) => Promise<{
    migrate(): Promise<void>
    addJobs(jobs: readonly object[]): Promise<unknown>
    release(): Promise<void>
  }>
  readonly run: (options: object) => Promise<{
    readonly events: { on(event: 'job:complete', listener: () => void): void }
    stop(): Promise<void>
  }>
  readonly Logger: new (factory: () => () => void) => object
}

/** With a key for each job, so that it waits once, and jobs fetched and completed in batches (`localQueue`). */
export async function openGraphileWorker({ url, folder }: Place): Promise<Engine> {
  const { makeWorkerUtils, run, Logger } = await load<Graphile>(folder, 'graphile-worker')
  const connectionString = url.replace('postgres://', 'postgres://gitops@')
  const logger = new Logger(() => () => {})
  const utils = await makeWorkerUtils({ connectionString, logger })
  await utils.migrate()
  return {
    enqueue: async (keys, revision) => {
      await utils.addJobs(keys.map((key) => ({ identifier: 'run', payload: { key, revision }, jobKey: String(key) })))
    },
    work: async (batch, { began, settled }) => {
      const batched = batch > 1 ? { localQueue: { size: batch }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } : {}
      const taskList = { run: async ({ key }: { key: number }): Promise<void> => began(key) }
      const runner = await run({
        connectionString,
        logger,
        taskList,
        noHandleSignals: true,
        concurrency: 16,
        pollInterval: 1_000,
        preset: { worker: { maxPoolSize: 8, ...batched } },
      })
      runner.events.on('job:complete', settled)
      return { [Symbol.asyncDispose]: () => runner.stop() }
    },
    [Symbol.asyncDispose]: () => utils.release(),
  }
}
