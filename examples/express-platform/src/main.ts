import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileLedger } from '@gitops-sdk/core/node'
import { startGitServer } from '@gitops-sdk/core/testing/git'
import { createApp } from './app.ts'
import { createPlatform } from './platform.ts'

/** Shows the platform with a repository of its own, on this machine only. */
const home = await mkdtemp(join(tmpdir(), 'express-platform-'))
await using git = await startGitServer()
const repository = await git.createRepository('shop')
await repository.commit({ 'flags.yaml': 'flag: checkout\nenabled: true\nrollout: 10\n' }, { message: 'Try checkout' })

const folder = join(home, 'shop')
const reconciler = createPlatform(
  [{ name: 'shop', repository: repository.url, folder }],
  fileLedger(join(home, 'ledger')),
)
const app = createApp({
  reconciler,
  webhookSecret: 'only-for-this-demo',
  repositories: { [repository.url]: ['shop'] },
  userOf: () => 'you',
})
await reconciler.reconcile('shop')
await repository.commit({ 'flags.yaml': 'flag: checkout\nenabled: true\nrollout: 25\n' }, { message: 'A quarter' })
await reconciler.reconcile('shop')
await writeFile(join(folder, 'checkout.json'), '{ "enabled": false, "rollout": 25, "managedBy": "shop" }')
await reconciler.reconcile('shop', { refresh: true })
await repository.commit({ 'flags.yaml': 'flag: checkout\nenabled: true\nrollout: 100\n' }, { message: 'Everybody' })
await reconciler.reconcile('shop')
reconciler.start()

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1')
await once(server, 'listening')
const address = server.address()
process.stdout.write(
  `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}  (commit to ${repository.url})\n`,
)
await once(process, 'SIGINT')
server.close()
server.closeAllConnections()
await reconciler[Symbol.asyncDispose]()
await rm(home, { recursive: true })
