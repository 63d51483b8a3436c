// `gitSource` in a process of its own, as plain JavaScript: what makes the commits and starts the other processes takes no
// memory and no time of it, as little as of the git command line.
import { type Snapshot, createCall, difference } from '@gitops-sdk/core'
import { type GitSource, gitSource } from '@gitops-sdk/core/git'
import { answerEach } from './plain-process.ts'
import { readAll, readContent } from './reading.ts'

/** What it is asked to do. */
export type SourceTask =
  | { readonly task: 'follow'; readonly url: string }
  | { readonly task: 'unfollow' }
  | { readonly task: 'poll' }
  | { readonly task: 'advance'; readonly mayBeEmpty: boolean }
  | { readonly task: 'read all'; readonly url: string; readonly path: string }

const call = createCall()
let followed: { readonly source: GitSource; snapshot: Snapshot } | undefined

answerEach((question) => perform(question as SourceTask))

async function perform(asked: SourceTask): Promise<unknown> {
  if (asked.task === 'follow') return follow(asked.url)
  if (asked.task === 'read all') return readAll(asked.url, asked.path, call)
  if (followed === undefined) throw new Error('nothing is followed')
  if (asked.task === 'poll') return (await followed.source.resolve(call)).id
  if (asked.task === 'advance') return advance(followed, asked.mayBeEmpty)
  await followed.source[Symbol.asyncDispose]()
  return (followed = undefined)
}

async function follow(url: string): Promise<string> {
  const source = gitSource({ url, ref: 'main' })
  const revision = await source.resolve(call)
  followed = { source, snapshot: await source.snapshot(revision, call) }
  return revision.id
}

/** Fetches, and reads what changed since the last time. */
async function advance(from: NonNullable<typeof followed>, mayBeEmpty: boolean): Promise<void> {
  const snapshot = await from.source.snapshot(await from.source.resolve(call), call)
  const read: unknown[] = []
  for await (const { path, change } of difference(from.snapshot, snapshot, '', call))
    if (change !== 'removed') read.push(await readContent(snapshot, path, call))
  if (read.length === 0 && !mayBeEmpty) throw new Error('nothing changed')
  from.snapshot = snapshot
}
