import { type DesiredState, GitOpsError, type RunCall, throwIfAborted } from '@gitops-sdk/core'
import { parseState } from '../backend/state.ts'
import type { Kit, Module } from '../workspace/kit.ts'
import { lastApplied } from '../workspace/bundle.ts'
import { refuseSuspects } from '../workspace/leftovers.ts'
import type { Site } from '../workspace/site.ts'
import type { Observation, ObservedState } from './observation.ts'
import { runPlan } from './run-plan.ts'

/** What was just applied, so that reading it back costs no process. */
export interface JustApplied {
  readonly digest: string
  readonly blob: string
}

/** Looks at everything the module declares and the state knows. What earlier runs left is settled first. */
export async function observeModule(
  kit: Kit,
  site: Site,
  desired: DesiredState,
  applied: JustApplied | undefined,
  call: RunCall,
): Promise<ObservedState> {
  throwIfAborted(call)
  await refuseSuspects(kit, site, call)
  const known = await readBack(site, desired, applied)
  const observation =
    known ?? (await runPlan(kit, site, await moduleOf(kit, site, desired), { mode: 'converge' }, call))
  return {
    version: await versionOf(kit, observation),
    resources: new Map(),
    unknown: new Map(),
    complete: true,
    observedAt: call.clock.now(),
    observation,
  }
}

/** What a desired state declares; the last applied module where its source is gone. */
export async function moduleOf(kit: Kit, site: Site, { payload }: DesiredState): Promise<Module> {
  const module = (payload as Module | undefined) ?? (await lastApplied(kit, site))
  if (module !== undefined) return module
  const message = `${site.application} declares no module, and none was ever applied. There is nothing to look at.`
  throw new GitOpsError('DECLARATION_EMPTY', message)
}

/** The state right after an apply is what every provider said it made. The next look asks them again. */
async function readBack(
  { versions }: Site,
  { digest }: DesiredState,
  applied: JustApplied | undefined,
): Promise<Observation | undefined> {
  const head = await versions.head()
  if (applied === undefined || head?.name !== applied.blob || applied.digest !== digest) return undefined
  const { lineage, serial, check_results: checks } = parseState(await versions.read(head), head.name)
  return { plan: {}, base: { lineage, serial }, checks: checks ?? [], warnings: [] }
}

/** Equal while the state is the same one and the binary finds the same to do and the same drift. */
async function versionOf(kit: Kit, { base, plan }: Observation): Promise<string> {
  const moving = (plan.resource_changes ?? []).filter(({ change }) => change.actions.join() !== 'no-op')
  const drift = plan.resource_drift ?? []
  const outputs = Object.entries(plan.output_changes ?? {}).filter(([, { actions }]) => actions.join() !== 'no-op')
  const found = moving.length + drift.length + outputs.length
  const { seal } = await kit.store()
  // Plain JSON, as the binary printed it.
  const text = found === 0 ? '' : seal.fingerprint(JSON.stringify([moving, drift, outputs])).slice(0, 16)
  return `${base.lineage}/${base.serial}/${text}`
}
