import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type Source, GitOpsError, describeEvent } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'
import { directorySource, fileLedger } from '@gitops-sdk/core/node'
import { documentTarget } from './document-target.ts'
import { createPlatform } from './platform.ts'

const [repository, path = ''] = process.argv.slice(2)
if (repository === undefined)
  endWith('Name the repository, and a folder in it: npm start -- https://git.example/you/repo deploy')

const platform = createPlatform({
  source: sourceOf(repository, path),
  // A map that is forgotten when the process ends: put the adapter of your system here.
  target: documentTarget(),
  ledger: fileLedger('.gitops'),
  // Your chat, your pager.
  notify: (message) => say(`! ${message}`),
})
platform.onAny((event) => {
  if (event.type !== 'progressed') say(describeEvent(event))
})

const shutdown = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => shutdown.abort())
platform.start()
await once(shutdown.signal, 'abort')
await platform[Symbol.asyncDispose]()

/** A folder on this machine, or the default branch of a repository. */
function sourceOf(where: string, folder: string): Source {
  try {
    return existsSync(where) ? directorySource({ path: `${where}/${folder}` }) : gitSource({ url: where, path: folder })
  } catch (error) {
    if (!(error instanceof GitOpsError)) throw error
    endWith(error.message)
  }
}

function say(message: string): void {
  process.stdout.write(`${message}\n`)
}

function endWith(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}
