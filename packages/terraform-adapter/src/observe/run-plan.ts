import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { GitOpsError, type PlanMode, type ResourceRef, type RunCall, randomId } from '@gitops-sdk/core'
import { diagnosticsOf, failureOf, sentenceOf } from '../cli/diagnostics.ts'
import { progressOf } from '../cli/progress.ts'
import { addressOf } from '../workspace/address.ts'
import { asking, runCommand } from '../workspace/command.ts'
import type { Kit, Module } from '../workspace/kit.ts'
import { stateInPlan } from '../workspace/plan-file.ts'
import { initialise, prepare, withVariables } from '../workspace/prepare.ts'
import { type Run, closeRun, openRun, planFile } from '../workspace/runs.ts'
import type { Site } from '../workspace/site.ts'
import { checksOf } from './checks.ts'
import type { Observation } from './observation.ts'
import type { PlanJson } from './plan-json.ts'
import { learnSecrets } from './secrets.ts'

/** How many plans of one application are kept to be applied. */
const KEPT_PLANS = 3

/** What is to be planned. */
export interface PlanQuery {
  readonly mode: PlanMode
  readonly only?: readonly ResourceRef[]
}

/** Has the binary look at everything and plan. Writes nothing but a plan, which is encrypted at once. */
export async function runPlan(
  kit: Kit,
  site: Site,
  module: Module,
  query: PlanQuery,
  call: RunCall,
): Promise<Observation> {
  for (const secret of module.variables.secrets) site.redactor.add(secret)
  const run = await openRun(site, call)
  try {
    const { folder, isInitialised } = await prepare(kit, site, module, run.id, call)
    const plan = () => withVariables(folder, module, () => planIn(kit, site, folder, run, query, call))
    if (isInitialised) return await plan()
    return await plan().catch(async (error: unknown) => {
      if (call.signal.aborted || isLocked(error)) throw error
      // Perhaps only because a provider or a module is new: then it is well after this.
      await initialise(kit, site, module, run.id, call)
      return plan()
    })
  } catch (error) {
    throw error instanceof GitOpsError ? site.redactor.error(error) : error
  } finally {
    await closeRun(run)
  }
}

async function planIn(
  kit: Kit,
  site: Site,
  folder: string,
  run: Run,
  query: PlanQuery,
  call: RunCall,
): Promise<Observation> {
  const path = join(run.folder, planFile)
  const args = ['plan', '-json', '-input=false', `-out=${path}`, ...common(kit), ...argsOf(query)]
  const progress = progressOf('looking at resources', call)
  const { onLine } = progress
  const job = { args, folder, run: run.id, access: 'read' as const, streams: { folder: run.folder }, onLine }
  const end = await runCommand(kit, site, job, call).finally(progress.end)
  // A failed plan leaves a file too, which must never be applied.
  if (end.exitCode !== 0) throw failureOf(`Planning ${site.application}`, end, 'PLAN_INCOMPLETE')
  const plan = await showPlan(kit, site, folder, run, path, call)
  learnSecrets(plan, site.redactor)
  const bytes = await readFile(path)
  await rm(path)
  const warnings = diagnosticsOf(end.stdout).filter(({ severity }) => severity === 'warning')
  const artifact =
    doesSomething(plan) || query.mode === 'accept-drift' ? await keepPlan(kit, site, bytes, call) : undefined
  return {
    plan: { ...plan, complete: plan.complete !== false && query.only === undefined },
    base: stateInPlan(bytes),
    checks: checksOf(plan),
    warnings: site.redactor.value(warnings.map(sentenceOf)),
    ...(artifact !== undefined && { artifact }),
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof GitOpsError && error.code === 'TARGET_LOCKED'
}

/** Options of every command that uses the state. */
export function common({ lockTimeoutMs, parallelism }: Kit): string[] {
  return [`-lock-timeout=${Math.round(lockTimeoutMs / 1000)}s`, `-parallelism=${parallelism}`]
}

function argsOf({ mode, only = [] }: PlanQuery): string[] {
  const kinds = { converge: [], destroy: ['-destroy'], 'accept-drift': ['-refresh-only'] }
  // One argument each, so that no address is taken for an option.
  return [...kinds[mode], ...only.map((ref) => `-target=${addressOf(ref)}`)]
}

/** The plan as data. It holds every secret, so it goes through a pipe and not through a file. */
async function showPlan(
  kit: Kit,
  site: Site,
  folder: string,
  run: Run,
  path: string,
  call: RunCall,
): Promise<PlanJson> {
  const end = await runCommand(kit, site, asking(run.id, folder, ['show', '-json', path]), call)
  if (end.exitCode !== 0) throw failureOf(`Reading the plan of ${site.application}`, end, 'PLAN_INCOMPLETE')
  // The format is a promise of the binary; only the declared part is used.
  const { resource_changes, resource_drift, output_changes, errored, complete, checks, configuration, variables } =
    JSON.parse(end.stdout) as PlanJson
  return {
    ...(resource_changes && { resource_changes }),
    ...(resource_drift && { resource_drift }),
    ...(output_changes && { output_changes }),
    ...(errored !== undefined && { errored }),
    ...(complete !== undefined && { complete }),
    ...(checks && { checks }),
    ...(configuration && { configuration }),
    ...(variables && { variables }),
  }
}

/** Whether applying it would change anything, the state included. */
function doesSomething({ resource_changes = [], output_changes = {} }: PlanJson): boolean {
  const isIdle = (verbs: readonly string[]): boolean => verbs.every((verb) => verb === 'no-op' || verb === 'read')
  const moves = resource_changes.some(
    ({ change, previous_address: from }) =>
      !isIdle(change.actions) || change.importing !== undefined || from !== undefined,
  )
  return moves || Object.values(output_changes).some(({ actions }) => !isIdle(actions))
}

async function keepPlan(kit: Kit, { prefix }: Site, bytes: Uint8Array, call: RunCall): Promise<string> {
  const { blobs } = await kit.store()
  const at = String(call.clock.now()).padStart(15, '0')
  const name = `${prefix}/plan-${at}-${randomId(call.random).slice(0, 8)}`
  await blobs.put(name, bytes, { fleeting: true })
  const names = await blobs.list(`${prefix}/plan-`)
  for (const old of names.slice(0, Math.max(0, names.length - KEPT_PLANS))) await blobs.remove(old)
  return name
}
