import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type Change,
  type DesiredState,
  GitOpsError,
  type Outcome,
  type Plan,
  type RunCall,
  throwIfAborted,
} from '@gitops-sdk/core'
import type { CommandEnd } from '../cli/cli.ts'
import { failureOf } from '../cli/diagnostics.ts'
import { progressOf } from '../cli/progress.ts'
import { moduleOf } from '../observe/observe.ts'
import { common } from '../observe/run-plan.ts'
import { addressOf } from '../workspace/address.ts'
import { forgetApplied, keepApplied } from '../workspace/bundle.ts'
import { runCommand } from '../workspace/command.ts'
import type { Kit } from '../workspace/kit.ts'
import { currentLineage, refuseSuspects, settleRun } from '../workspace/leftovers.ts'
import { stateInPlan } from '../workspace/plan-file.ts'
import { prepare, withVariables } from '../workspace/prepare.ts'
import { type Run, type RunJournal, closeRun, openRun, planFile, writeJournal } from '../workspace/runs.ts'
import type { Site } from '../workspace/site.ts'
import { channel } from './channel.ts'
import { settling, succeeded } from './outcomes.ts'

/** Applies the artifact of a plan. Throws `PLAN_STALE` when it is gone or the state moved since it was made. */
export async function* applyModule(
  kit: Kit,
  site: Site,
  plan: Plan,
  desired: DesiredState,
  call: RunCall,
): AsyncIterable<Outcome> {
  if (plan.changes.length === 0 && plan.effect === 'none') return
  refuseOther(plan, desired)
  const outcomes = channel<Outcome>()
  const work = site.inTurn(() => applyInTurn(kit, site, plan, desired, outcomes.push, call))
  work.then(outcomes.end, outcomes.fail)
  yield* outcomes.values
}

/** The artifact would be applied, and another module written down as what was. */
function refuseOther({ basis, revision }: Plan, desired: DesiredState): void {
  if (basis.digest === desired.digest) return
  const message = `The plan was made of another declaration, at ${revision.id}. Plan again.`
  throw new GitOpsError('PLAN_STALE', message)
}

type Tell = (outcome: Outcome) => void

async function applyInTurn(
  kit: Kit,
  site: Site,
  plan: Plan,
  desired: DesiredState,
  tell: Tell,
  call: RunCall,
): Promise<void> {
  throwIfAborted(call)
  call.fence?.assertHeld()
  if (plan.handle === undefined) return onPaper(site, plan, tell)
  await refuseSuspects(kit, site, call)
  const module = await moduleOf(kit, site, desired)
  for (const secret of module.variables.secrets) site.redactor.add(secret)
  const bytes = await takePlan(kit, plan.handle.id)
  const run = await openRun(site, call)
  try {
    const { folder } = await prepare(kit, site, module, run.id, call)
    const path = join(run.folder, planFile)
    await writeFile(path, bytes, { mode: 0o600 })
    const base = stateInPlan(bytes)
    // Before anything is made: also what was made half-way can be destroyed without its source.
    if (plan.mode !== 'destroy') await keepApplied(kit, site, module, call)
    await withVariables(folder, module, () => applyFile({ kit, site, plan, run, folder, path, base, tell }, call))
    if (plan.mode === 'destroy') await forgetApplied(kit, site)
  } catch (error) {
    throw error instanceof GitOpsError ? site.redactor.error(error) : error
  }
}

/** Nothing for the binary to do: only who owns what changes. */
function onPaper({ versions }: Site, { changes }: Plan, tell: Tell): Promise<void> {
  return versions.head().then((head) => {
    for (const change of changes) tell(succeeded(change, head?.lineage ?? ''))
  })
}

async function takePlan(kit: Kit, name: string): Promise<Buffer> {
  const { blobs } = await kit.store()
  const bytes = await blobs.get(name)
  if (bytes === undefined) throw new GitOpsError('PLAN_STALE', `The plan ${name} is no longer kept. It is made again.`)
  // Used once, whatever comes of it.
  await blobs.remove(name)
  return Buffer.from(bytes)
}

interface Applying {
  readonly kit: Kit
  readonly site: Site
  readonly plan: Plan
  readonly run: Run
  readonly folder: string
  readonly path: string
  readonly base: { readonly lineage: string }
  readonly tell: Tell
}

async function applyFile(applying: Applying, call: RunCall): Promise<void> {
  const { kit, site, plan, run, folder, path, base, tell } = applying
  const replaced = plan.changes.filter(({ action }) => action === 'replace').map(({ ref }) => addressOf(ref))
  const journal: RunJournal = { id: run.id, folder, startedAt: call.clock.now(), replaced }
  const settle = settling(plan.changes, site.redactor)
  const progress = progressOf('applying', call, plan.changes.length)
  // The first apply makes the lineage, which everything that is owned is pinned to: until it is known, nobody is told.
  const early: Change[] = []
  const done = (change: Change): void => {
    if (base.lineage === '') early.push(change)
    else tell(succeeded(change, base.lineage))
  }
  const onLine = (line: string): void => {
    progress.onLine(line)
    const change = settle.settled(line)
    if (change !== undefined) done(change)
  }
  // Before it begins: whoever finds the journal knows that something may have been done.
  await writeJournal(run, journal)
  call.fence?.assertHeld()
  const args = ['apply', '-json', '-input=false', ...common(kit), path]
  const onStarted = (process: RunJournal['process']): Promise<void> =>
    writeJournal(run, { ...journal, ...(process && { process }) })
  const job = {
    args,
    folder,
    run: run.id,
    access: 'write' as const,
    streams: { folder: run.folder },
    onLine,
    onStarted,
  }
  const end = await started(() => runCommand(kit, site, job, call), run).finally(progress.end)
  const { suspects } = await settleRun(kit, site, run, journal, end.stopped || end.exitCode === null, aside(call))
  refuseUnbegun(site, end)
  const lineage = base.lineage === '' ? await currentLineage(kit, site, run, folder, aside(call)) : base.lineage
  for (const change of early) tell(succeeded(change, lineage))
  for (const outcome of settle.rest(end, suspects, lineage)) tell(outcome)
  refuseSilentFailure(site, plan, end)
}

/** A run that never started left nothing. */
async function started(work: () => Promise<CommandEnd>, run: Run): Promise<CommandEnd> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof GitOpsError && error.code === 'CONFIG_INVALID') await closeRun(run)
    throw error
  }
}

/** What follows an aborted apply must be done all the same: it saves what is known. */
function aside(call: RunCall): RunCall {
  return call.signal.aborted ? { ...call, signal: new AbortController().signal } : call
}

/** A plan that is stale, or a lock that is held, is a refusal of the whole and not of each change. */
function refuseUnbegun({ application }: Site, end: CommandEnd): void {
  if (end.exitCode === 0) return
  const failure = failureOf(`Applying ${application}`, end, 'APPLY_FAILED')
  if (failure.code === 'PLAN_STALE' || failure.code === 'TARGET_LOCKED') throw failure
}

/** A plan of outputs alone has no change that could tell its failure. */
function refuseSilentFailure({ application }: Site, { changes }: Plan, end: CommandEnd): void {
  if (end.exitCode !== 0 && changes.length === 0) throw failureOf(`Applying ${application}`, end, 'APPLY_FAILED')
}
