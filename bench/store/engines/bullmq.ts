import { load } from '../peers.ts'
import { type Engine, type Place } from './engine.ts'

interface Bull {
  readonly Queue: new (
    name: string,
    options: object,
  ) => {
    addBulk(jobs: readonly object[]): Promise<unknown>
    waitUntilReady(): Promise<unknown>
    close(): Promise<void>
  }
  readonly Worker: new (
    name: string,
    handler: (job: { data: { key: number } }) => Promise<void>,
    options: object,
  ) => {
    on(event: 'completed' | 'error', listener: () => void): void
    waitUntilReady(): Promise<unknown>
    close(force?: boolean): Promise<void>
  }
}

const name = 'applications'

/** On Redis that appends to its file and syncs it each second. A job carries the key as its id, so that it waits once. */
export async function openBullmq({ url, folder }: Place): Promise<Engine> {
  const { Queue, Worker } = await load<Bull>(folder, 'bullmq')
  const connection = { host: '127.0.0.1', port: Number(new URL(url).port) }
  const queue = new Queue(name, { connection })
  await queue.waitUntilReady()
  return {
    enqueue: async (keys, revision) => {
      const opts = { removeOnComplete: true, removeOnFail: true }
      await queue.addBulk(
        keys.map((key) => ({ name: 'run', data: { key, revision }, opts: { ...opts, jobId: `key-${key}` } })),
      )
    },
    work: async (_batch, { began, settled }) => {
      const worker = new Worker(name, async ({ data }) => began(data.key), { connection, concurrency: 64 })
      worker.on('error', () => {})
      worker.on('completed', settled)
      await worker.waitUntilReady()
      return { [Symbol.asyncDispose]: () => worker.close() }
    },
    [Symbol.asyncDispose]: () => queue.close(),
  }
}
