import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GitOpsError, label, type RunCall } from '@gitops-sdk/core'
import { releaseIfDead } from '../backend/lease.ts'
import { type SavedResource, type StateJson, parseState, resourcesIn } from '../backend/state.ts'
import { failureOf } from '../cli/diagnostics.ts'
import { lifeOf } from '../cli/identity.ts'
import { whenAbsent } from '../store/blobs.ts'
import { asking, runCommand } from './command.ts'
import type { Kit } from './kit.ts'
import { type Run, type RunJournal, closeRun, leftRuns, linesOf, planFile, writeJournal } from './runs.ts'
import { type Site, leaveSite, removeVariables } from './site.ts'
import { type FoundSuspect, hasCreations, suspectsIn } from './suspects.ts'

/** The state the binary could not save, in its working folder. */
const errored = 'errored.tfstate'

/** What was found of earlier runs. */
export interface Leftovers {
  readonly suspects: readonly FoundSuspect[]
  readonly actions: readonly string[]
}

/**
 * Settles what earlier runs left: a state that could not be saved is saved now, before anything is planned from the
 * older one; what may exist without the state knowing is a suspect. Throws `TARGET_LOCKED` while such a run still works.
 */
export async function settleLeftovers(kit: Kit, site: Site, call: RunCall): Promise<Leftovers> {
  const suspects: FoundSuspect[] = []
  const actions: string[] = []
  const left = await leftRuns(site)
  for (const { run, journal } of left.journaled) {
    refuseAlive(site, journal)
    const found = await settleRun(kit, site, run, journal, true, call)
    suspects.push(...found.suspects)
    actions.push(...found.actions)
  }
  if (kit.backend.kind === 'managed') await releaseIfDead(site.leases)
  // A process that died in a run left the folder as it was just then.
  if (left.count > 0) await (suspects.length === 0 ? leaveSite(site) : removeVariables(site))
  return { suspects, actions }
}

/** Nothing is planned or applied on top of what is not known. Throws `APPLY_UNKNOWN`, naming the suspects. */
export async function refuseSuspects(kit: Kit, site: Site, call: RunCall): Promise<void> {
  const { suspects } = await settleLeftovers(kit, site, call)
  if (suspects.length === 0) return
  const names = suspects.map(({ ref, reason }) => `${label(ref)} (${reason})`).join(', ')
  const message = `It is not known what became of ${names}. Import it or make sure that it does not exist, then resolve the suspects.`
  throw new GitOpsError('APPLY_UNKNOWN', message, { details: { suspects: names } })
}

/** Saves what the run could not save, and says what it may have made besides. A run without suspects is forgotten. */
export async function settleRun(
  kit: Kit,
  site: Site,
  run: Run,
  journal: RunJournal,
  stopped: boolean,
  call: RunCall,
): Promise<Leftovers> {
  // It holds every secret in the clear.
  await rm(join(run.folder, planFile), { force: true })
  const actions = (await pushErrored(kit, site, run, journal, call))
    ? ['saved the state that the run could not save']
    : []
  const lines = await linesOf(run)
  const { replaced = [] } = journal
  const facts = async () => ({ saved: await savedResources(kit, site, journal, run, call), stopped, replaced })
  const suspects = hasCreations(lines, stopped) ? suspectsIn(lines, await facts()) : []
  if (suspects.length === 0) await closeRun(run)
  else await writeJournal(run, { ...journal, suspects })
  return { suspects, actions }
}

function refuseAlive({ application }: Site, { id, process }: RunJournal): void {
  if (process === undefined || lifeOf(process) === 'dead') return
  const message = `Run ${id} of ${application} still works (process ${process.pid} on ${process.host}), although whoever started it is gone. It is waited for.`
  throw new GitOpsError('TARGET_LOCKED', message, { retryAfterMs: 5_000, details: { run: id, pid: process.pid } })
}

async function pushErrored(kit: Kit, site: Site, run: Run, { folder }: RunJournal, call: RunCall): Promise<boolean> {
  const kept = join(run.folder, errored)
  // Into the folder of the run, which outlives the working folder.
  await rename(join(folder, errored), kept).catch(whenAbsent(undefined))
  const bytes = await readFile(kept).catch(whenAbsent(undefined))
  if (bytes === undefined) return false
  if (kit.backend.kind === 'managed') await site.versions.write(bytes)
  else await pushState(kit, site, run, folder, kept, call)
  await rm(kept)
  return true
}

async function pushState(kit: Kit, site: Site, run: Run, folder: string, path: string, call: RunCall): Promise<void> {
  const end = await runCommand(kit, site, asking(run.id, folder, ['state', 'push', path], 'write'), call)
  if (end.exitCode !== 0) throw failureOf(`Saving the state of ${site.application}`, end, 'APPLY_UNKNOWN')
}

async function savedResources(
  kit: Kit,
  site: Site,
  { folder }: RunJournal,
  run: Run,
  call: RunCall,
): Promise<ReadonlyMap<string, SavedResource>> {
  const state = await currentState(kit, site, run, folder, call)
  // Nothing is known to be saved: everything that was begun is suspect.
  return state === undefined ? new Map() : resourcesIn(state)
}

/** The lineage of the state as it is now; empty when there is none. */
export async function currentLineage(kit: Kit, site: Site, run: Run, folder: string, call: RunCall): Promise<string> {
  return (await currentState(kit, site, run, folder, call))?.lineage ?? ''
}

/** The state as it is now, absent when there is none or it cannot be read. */
async function currentState(
  kit: Kit,
  site: Site,
  { id }: Run,
  folder: string,
  call: RunCall,
): Promise<StateJson | undefined> {
  if (kit.backend.kind === 'managed') {
    const head = await site.versions.head()
    return head && parseState(await site.versions.read(head), head.name)
  }
  const { exitCode, stdout } = await runCommand(kit, site, asking(id, folder, ['state', 'pull']), call)
  return exitCode === 0 && stdout.trim() !== '' ? parseState(stdout, 'The state') : undefined
}
