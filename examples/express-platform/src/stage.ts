import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Reconciler } from '@gitops-sdk/core'
import { fileLedger } from '@gitops-sdk/core/node'
import { type ServedRepository, startGitServer } from '@gitops-sdk/core/testing/git'
import { createApp } from './app.ts'
import { createPlatform } from './platform.ts'

export const WEBHOOK_SECRET = 'a-secret-of-some-length'

/** The platform as it is served, with one team whose flags are delivered. For tests. */
export interface Stage extends AsyncDisposable {
  readonly url: string
  readonly repository: ServedRepository
  readonly reconciler: Reconciler
  commit(rollout: number): Promise<string>
  /** The flag as it is. */
  read(): Promise<unknown>
  /** Changes the flag behind the back of the platform. */
  tamper(body: object): Promise<void>
}

export async function createStage(): Promise<Stage> {
  const home = await mkdtemp(join(tmpdir(), 'express-platform-'))
  const git = await startGitServer()
  const repository = await git.createRepository('shop')
  const commit = (rollout: number): Promise<string> =>
    repository.commit(
      { 'flags.yaml': `flag: checkout\nenabled: true\nrollout: ${rollout}\n` },
      { message: `Checkout for ${rollout} %` },
    )
  await commit(25)
  const folder = join(home, 'flags')
  const reconciler = createPlatform(
    [{ name: 'shop', repository: repository.url, folder }],
    fileLedger(join(home, 'ledger')),
  )
  await reconciler.reconcile('shop')
  const repositories = { [repository.url]: ['shop'] }
  const app = createApp({ reconciler, webhookSecret: WEBHOOK_SECRET, repositories, userOf: () => 'ada' })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const file = join(folder, 'checkout.json')
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    repository,
    reconciler,
    commit,
    read: async () => JSON.parse(await readFile(file, 'utf8')),
    tamper: (body) => writeFile(file, JSON.stringify({ ...body, managedBy: 'shop' })),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
      await reconciler[Symbol.asyncDispose]()
      await git.close()
      await rm(home, { recursive: true, force: true })
    },
  }
}
