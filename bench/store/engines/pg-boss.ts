import { type Engine, type Place } from './engine.ts'
import { load } from '../peers.ts'

interface Boss {
  on(event: 'error', listener: (error: Error) => void): void
  start(): Promise<unknown>
  stop(options: object): Promise<void>
  createQueue(name: string, options: object): Promise<void>
  insert(jobs: readonly object[]): Promise<unknown>
  fetch(name: string, options: object): Promise<readonly { id: string; data: { key: number } }[]>
  complete(name: string, ids: readonly string[]): Promise<unknown>
  work(
    name: string,
    options: object,
    handler: (jobs: readonly { data: { key: number } }[]) => Promise<void>,
  ): Promise<string>
  offWork(name: string): Promise<void>
}

const queue = 'applications'

/** The policy that keeps one job of a key waiting and one running: `stately` with a singleton key. */
export async function openPgBoss({ url, folder }: Place): Promise<Engine> {
  const Boss = await load<new (options: object) => Boss>(folder, 'pg-boss')
  const boss = new Boss({ connectionString: url.replace('postgres://', 'postgres://gitops@'), max: 8 })
  boss.on('error', () => {})
  await boss.start()
  await boss.createQueue(queue, { name: queue, policy: 'stately' })
  return {
    enqueue: async (keys, revision) => {
      await boss.insert(keys.map((key) => ({ name: queue, data: { key, revision }, singletonKey: String(key) })))
    },
    work: async (batchSize, { began, settled }) => {
      // Its own `work` waits half a second between batches: asked directly it shows what it can do.
      let isOver = false
      const turns = async (): Promise<void> => {
        while (!isOver) {
          const jobs = await boss.fetch(queue, { batchSize })
          for (const { data } of jobs) began(data.key)
          if (jobs.length > 0) {
            await boss.complete(
              queue,
              jobs.map(({ id }) => id),
            )
            settled()
          } else await new Promise((resolve) => setTimeout(resolve, 500))
        }
      }
      const working = Promise.all([turns(), turns()])
      return {
        [Symbol.asyncDispose]: async () => {
          isOver = true
          await working
        },
      }
    },
    [Symbol.asyncDispose]: () => boss.stop({ graceful: false, wait: true }),
  }
}
