import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type ServedRepository, createServedRepository } from '@gitops-sdk/core/testing/git'

/** The Git server in a process of its own. */
export interface BenchServer extends AsyncDisposable {
  createRepository(name: string): Promise<ServedRepository>
  /** Bytes of all answers so far. */
  sentBytes(): Promise<number>
}

export async function startBenchServer(): Promise<BenchServer> {
  const execArgv = ['--conditions=@gitops-sdk/source', '--import', 'tsx']
  const child = fork(join(import.meta.dirname, 'server.ts'), { execArgv, serialization: 'json' })
  const [{ url, folder }] = (await once(child, 'message')) as [{ url: string; folder: string }]
  return {
    createRepository: (name) => createServedRepository(join(folder, `${name}.git`), name, `${url}/${name}.git`),
    sentBytes: async () => {
      child.send({})
      const [{ sentBytes }] = (await once(child, 'message')) as [{ sentBytes: number }]
      return sentBytes
    },
    [Symbol.asyncDispose]: async () => {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}
