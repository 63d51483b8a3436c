import { join } from 'node:path'
import { type ServedRepository, createServedRepository } from '@gitops-sdk/core/testing/git'
import { startPlainProcess } from './plain-process.ts'
import type { ServerState } from './server.ts'

/** The Git server in a process of its own. */
export interface BenchServer extends AsyncDisposable {
  createRepository(name: string): Promise<ServedRepository>
  /** Starts the programs that the next requests will need, and gives the bytes of all answers so far. */
  makeReady(): Promise<number>
}

export async function startBenchServer(): Promise<BenchServer> {
  const server = await startPlainProcess('server.ts')
  const ask = async (): Promise<ServerState> => (await server.ask({})).answer as ServerState
  const { url, folder } = await ask()
  return {
    createRepository: (name) => createServedRepository(join(folder, `${name}.git`), name, `${url}/${name}.git`),
    makeReady: async () => (await ask()).sentBytes,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
