import { mkdir, readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Call, randomId, type Suspect } from '@gitops-sdk/core'
import type { ProcessIdentity } from '../cli/identity.ts'
import { streamFiles } from '../cli/streams.ts'
import { whenAbsent, writeDurably } from '../store/blobs.ts'
import type { Site } from './site.ts'

/** One run of the binary, with a private folder for its streams and its journal. */
export interface Run {
  readonly id: string
  readonly folder: string
}

/** What is known of a run that changes something, written down before it begins. */
export interface RunJournal {
  readonly id: string
  /** Where it works: the state it could not save lies there. */
  readonly folder: string
  readonly startedAt: number
  readonly process?: ProcessIdentity
  /** What it may have made without anybody knowing. */
  readonly suspects?: readonly Suspect[]
  /** Addresses where an older resource stands until then. */
  readonly replaced?: readonly string[]
}

const journalFile = 'run.json'
/** The name of the plan that is made or applied, while the binary needs it as a file. */
export const planFile = 'plan'

/** A run of its own folder. */
export async function openRun({ runs }: Site, call: Call): Promise<Run> {
  const id = randomId(call.random)
  const folder = join(runs, id)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return { id, folder }
}

/** Removes everything the run left. */
export function closeRun({ folder }: Pick<Run, 'folder'>): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 3 })
}

/** Durable when it resolves. */
export function writeJournal({ folder }: Run, journal: RunJournal): Promise<void> {
  return writeDurably(join(folder, journalFile), JSON.stringify(journal))
}

/** Runs that were not closed. */
export interface LeftRuns {
  readonly count: number
  /** Those that may have changed something. */
  readonly journaled: readonly { readonly run: Run; readonly journal: RunJournal }[]
}

/** Runs that a process left behind, with their journals. Those without one changed nothing, and are removed. */
export async function leftRuns({ runs }: Site): Promise<LeftRuns> {
  const names = await readdir(runs)
  const found = await Promise.all(names.map((id) => readRun({ id, folder: join(runs, id) })))
  return { count: names.length, journaled: found.flatMap((each) => each ?? []) }
}

async function readRun(run: Run): Promise<{ run: Run; journal: RunJournal } | undefined> {
  const text = await readFile(join(run.folder, journalFile), 'utf8').catch(whenAbsent(undefined))
  // Written by `writeJournal`, whole or not at all.
  if (text !== undefined) return { run, journal: JSON.parse(text) as RunJournal }
  await closeRun(run)
  return undefined
}

/** The lines a run printed, also after the process that read them is gone. */
export async function linesOf({ folder }: Run): Promise<readonly string[]> {
  const text = await readFile(join(folder, streamFiles.stdout), 'utf8').catch(whenAbsent(''))
  return text.split('\n')
}
