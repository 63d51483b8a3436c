// A process that follows a repository in a folder which it shares with others, one step for each message of its parent.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { createCall, walk } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'

/** What the parent asks for. */
export type Task =
  /** Resolves the branch and reads every file of it. */
  | { readonly kind: 'read' }
  /** Reads every file of an older revision. */
  | { readonly kind: 'read old'; readonly revision: string }
  /** From now on stands still for ever, and says so, when a file is about to get a name that ends like this. */
  | { readonly kind: 'stand still'; readonly before: string }
  | { readonly kind: 'end' }

/** What it answers. */
export type Answer =
  | { readonly kind: 'read'; readonly revision: string; readonly digest: string }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'stands still'; readonly path: string }

const [url = '', folder = ''] = process.argv.slice(2)
const call = createCall()
// Without a cache everything is read from the folder, where the others put packs together and remove them.
const source = gitSource({ url, ref: 'main', storage: { folder }, keepRevisions: 2, limits: { cacheBytes: 1 } })
const answer = (message: Answer): void => void process.send?.(message)

async function digestOf(revision: string): Promise<string> {
  const snapshot = await source.snapshot({ id: revision }, call)
  const hash = createHash('sha256')
  for await (const { path, type } of walk(snapshot, '', call))
    if (type === 'file') hash.update(`${path}\0`).update(await snapshot.read(path, call))
  return hash.digest('hex')
}

async function read(revision: string): Promise<void> {
  answer({ kind: 'read', revision, digest: await digestOf(revision) })
}

function standStill(before: string): void {
  const { rename } = fs.promises
  fs.promises.rename = (from, to) => {
    if (!String(to).endsWith(before)) return rename(from, to)
    answer({ kind: 'stands still', path: String(to) })
    return new Promise(() => {})
  }
  syncBuiltinESMExports()
}

async function perform(task: Task): Promise<void> {
  if (task.kind === 'read') return read((await source.resolve(call)).id)
  if (task.kind === 'read old') return read(task.revision)
  if (task.kind === 'stand still') return standStill(task.before)
  await source[Symbol.asyncDispose]()
  process.disconnect()
}

process.on('message', (task: Task) => {
  perform(task).catch((error: unknown) => answer({ kind: 'failed', message: String(error) }))
})
