import {
  type ActualChange,
  type ActualState,
  type DesiredState,
  type Outcome,
  type Plan,
  type PlanRequest,
  type Recovery,
  type RunCall,
  type Target,
  throwIfAborted,
} from '@gitops-sdk/core'
import { applyModule } from '../apply/apply.ts'
import { assessModule } from '../assess/assess.ts'
import { declareModule } from '../declare/declare.ts'
import { observationOf } from '../observe/observation.ts'
import { type JustApplied, moduleOf, observeModule } from '../observe/observe.ts'
import { runPlan } from '../observe/run-plan.ts'
import { assemblePlan } from '../plan/plan.ts'
import type { Rules } from '../plan/blocked.ts'
import type { Kit } from '../workspace/kit.ts'
import { settleLeftovers } from '../workspace/leftovers.ts'
import { resolveRuns } from '../workspace/resolve.ts'
import { type Site, leaveSite, siteBook } from '../workspace/site.ts'
import { type TerraformTargetOptions, kitOf, rulesOf } from './options.ts'
import { orphaned } from './orphan.ts'
import { readOutputs } from './outputs.ts'

/**
 * A root module of Terraform or OpenTofu as a target, on the real binary. A plan is judged by its resources, an
 * approval is for its effect, and what an interrupted apply may have made is never made twice.
 *
 * Throws `CONFIG_INVALID` at once for options that cannot work.
 */
export function terraformTarget(options: TerraformTargetOptions): Target {
  const kit = kitOf(options)
  const session: Session = { kit, rules: rulesOf(options), siteOf: siteBook(kit), sites: new Map(), applied: new Map() }
  const { path = '', extraPaths = [], variables = {}, restrict } = options
  const given = typeof variables === 'function' ? variables : () => variables
  return {
    kind: 'terraform',
    id: `terraform ${kit.cli.binary}`,
    contract: 1,
    supports: {
      granularity: 'whole',
      observe: 'expensive',
      prune: true,
      destroy: true,
      acceptDrift: true,
      ordering: false,
    },
    declare: async (snapshot, call) => {
      throwIfAborted(call)
      return declareModule(kit, snapshot, { path, extraPaths, variables: given, ...(restrict && { restrict }) }, call)
    },
    observe: (desired, _owned, call) => observe(session, desired, call),
    plan: (desired, actual, request, call) => plan(session, desired, actual, request, call),
    apply: (made, desired, call) => apply(session, made, desired, call),
    assess: async (_desired, actual) => assessModule(actual),
    watch: (_desired, _owned, call) => untilAborted(call),
    recover: (_entry, call) => recover(session, call),
    resolveSuspects: async (resolutions, call) => {
      const site = await enter(session, call)
      await site.inTurn(() => resolveRuns(kit, site, resolutions, call))
    },
    outputs: async (desired, call) => {
      const site = await enter(session, call)
      return site.inTurn(() => readOutputs(kit, site, desired, call))
    },
    async [Symbol.asyncDispose]() {
      await kit.server[Symbol.asyncDispose]()
      for (const site of session.sites.values()) await leaveSite(site)
      session.sites.clear()
    },
  }
}

interface Session {
  readonly kit: Kit
  readonly rules: Rules
  readonly siteOf: (application: string) => Promise<Site>
  readonly sites: Map<string, Site>
  /** By application. */
  readonly applied: Map<string, JustApplied>
}

async function enter({ siteOf, sites }: Session, { application }: RunCall): Promise<Site> {
  const site = await siteOf(application)
  sites.set(application, site)
  return site
}

async function observe(session: Session, desired: DesiredState, call: RunCall): Promise<ActualState> {
  throwIfAborted(call)
  const site = await enter(session, call)
  const applied = session.applied.get(call.application)
  session.applied.delete(call.application)
  return site.inTurn(() => observeModule(session.kit, site, desired, applied, call))
}

/** What was observed is what converging would do; anything else is asked of the binary. */
async function plan(
  session: Session,
  desired: DesiredState,
  actual: ActualState,
  request: PlanRequest,
  call: RunCall,
): Promise<Plan> {
  throwIfAborted(call)
  const { kit, rules } = session
  const site = await enter(session, call)
  if (request.mode === 'destroy' && rules.onDelete === 'orphan') return orphaned(desired, actual, request)
  const observed = request.mode === 'converge' && request.only === undefined ? observationOf(actual) : undefined
  const query = { mode: request.mode, ...(request.only && { only: request.only }) }
  const look = async () => runPlan(kit, site, await moduleOf(kit, site, desired), query, call)
  return assemblePlan(site, desired, observed ?? (await site.inTurn(look)), actual.version, request, rules)
}

async function* apply(session: Session, plan: Plan, desired: DesiredState, call: RunCall): AsyncIterable<Outcome> {
  throwIfAborted(call)
  const { kit, applied } = session
  const site = await enter(session, call)
  let isWhole = plan.mode === 'converge' && plan.complete && kit.backend.kind === 'managed'
  for await (const outcome of applyModule(kit, site, plan, desired, call)) {
    isWhole &&= outcome.status === 'succeeded'
    yield outcome
  }
  const head = isWhole ? await site.versions.head() : undefined
  if (head !== undefined) applied.set(call.application, { digest: desired.digest, blob: head.name })
}

/** Nothing announces a change of a cloud; the engine looks again when the interval for drift is over. */
function untilAborted({ signal }: RunCall): AsyncIterable<ActualChange> {
  const ended = async (): Promise<IteratorResult<ActualChange>> => {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    return { done: true, value: undefined }
  }
  return { [Symbol.asyncIterator]: () => ({ next: ended }) }
}

async function recover(session: Session, call: RunCall): Promise<Recovery> {
  const site = await enter(session, call)
  const { suspects, actions } = await site.inTurn(() => settleLeftovers(session.kit, site, call))
  return { status: suspects.length === 0 ? 'clean' : 'attention', suspects, actions }
}
