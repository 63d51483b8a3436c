import { once } from 'node:events'
import { describeEvent } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'
import { fileLedger } from '@gitops-sdk/core/node'
import { memoryTarget } from '@gitops-sdk/core/testing'
import { createPlatform } from './platform.ts'

const [url] = process.argv.slice(2)
if (url === undefined) throw new Error('Name the repository: npm start -- https://git.example/you/repo')

const shutdown = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => shutdown.abort())

const platform = createPlatform({
  source: gitSource({ url, ref: 'main' }),
  // A map that is forgotten when the process ends: put the adapter of your system here.
  target: memoryTarget(),
  ledger: fileLedger('.gitops'),
  notify: say,
})
platform.onAny((event) => say(describeEvent(event)))
platform.start()
await once(shutdown.signal, 'abort')
await platform[Symbol.asyncDispose]()

function say(message: string): void {
  process.stdout.write(`${message}\n`)
}
