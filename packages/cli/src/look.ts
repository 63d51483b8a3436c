import {
  type Application,
  type ApplicationEvent,
  type ApplicationState,
  type Call,
  type DesiredState,
  type EventBody,
  GitOpsError,
  type Health,
  type Ledger,
  type LedgerRecord,
  type Plan,
  type ReconcilerOptions,
  type RunCall,
  type RunRecord,
  createCall,
  judge,
  memoryLedger,
  reduce,
  resolvePolicy,
  toGitOpsError,
} from '@gitops-sdk/core'
import type { Run } from './command.ts'

/** What one look at an application shows. */
export interface Look {
  readonly state: ApplicationState
  readonly plan?: Plan
}

/**
 * How an application is doing just now, found out without writing anything: it is planned, its policy is asked what
 * it would do with that plan, and its health is judged. A look that fails is the state of an application that could
 * not be read.
 */
export async function lookAt({ reconciler, config, io }: Run, name: string): Promise<Look> {
  const start = await rememberedState(reconciler, name)
  const call = callOf(config, name, io.signal)
  try {
    const plan = await reconciler.plan(name)
    const application = applicationOf(config, name)
    const ledger = config.ledger ?? memoryLedger()
    const record = await ledger.read(name, call)
    const { desired, health } = await assess(application, plan, record, call)
    const seen = [
      ...(await lastFailure(ledger, plan, call)),
      { type: 'resolved', application: name, revision: plan.revision } as const,
      { type: 'planned', application: name, plan } as const,
      ...driftEvents(plan),
      ...(await decisionEvents(application, plan, record, desired, call)),
      healthEvent(name, start, health),
    ]
    return { plan, state: tell(start, seen, call) }
  } catch (thrown) {
    const error = toGitOpsError(thrown, `Looking at ${name}`)
    return { state: tell(start, [{ type: 'failed', application: name, error: error.toJSON(), during: 'plan' }], call) }
  }
}

/** What the ledger knows of it, as soon as the reconciler has read it. */
async function rememberedState(reconciler: Run['reconciler'], name: string): Promise<ApplicationState> {
  // Any question that is answered later than the reading does; this one reads nothing else.
  await reconciler.waitFor({ application: name, health: 'unknown' }).catch(() => {})
  return reconciler.status(name)
}

async function assess(
  { source, target }: Application,
  { revision }: Plan,
  { inventory }: LedgerRecord,
  call: RunCall,
): Promise<{ readonly desired: DesiredState; readonly health: Health }> {
  const desired = await target.declare(await source.snapshot(revision, call), call)
  const actual = await target.observe(desired, inventory, call)
  const lasting = desired.resources.filter(({ order }) => order?.hook === undefined)
  return { desired, health: await target.assess({ ...desired, resources: lasting }, actual, call) }
}

/** The newest run, where it failed at this revision and what it was about is still to be done. */
async function lastFailure(ledger: Ledger, plan: Plan, call: Call): Promise<EventBody[]> {
  if (plan.changes.length === 0) return []
  const newest = await newestRun(ledger, plan.application, call)
  if (newest?.outcome !== 'failed' || newest.error === undefined) return []
  if (newest.revision?.id !== plan.revision.id) return []
  return [{ type: 'failed', application: plan.application, error: newest.error, during: 'apply' }]
}

async function newestRun(ledger: Ledger, application: string, call: Call): Promise<RunRecord | undefined> {
  for await (const run of ledger.history({ application, limit: 1 }, call)) return run
  return undefined
}

function driftEvents({ application, drift }: Plan): EventBody[] {
  return drift.map((each) => ({
    type: 'drifted',
    application,
    drift: each,
    firstSeenAt: each.firstSeenAt ?? 0,
    occurrences: 1,
  }))
}

/** Why the plan would not be applied now, where that is so. */
async function decisionEvents(
  { name, labels = {}, policy, target }: Application,
  plan: Plan,
  { approvals, inventory, suspension, hold }: LedgerRecord,
  desired: DesiredState,
  call: Call,
): Promise<EventBody[]> {
  const { granularity } = target.supports
  const context = {
    application: name,
    labels,
    trigger: 'manual',
    manual: true,
    now: call.clock.now(),
    granularity,
    owned: inventory.size,
    approvals,
    ...(granularity === 'resource' && { declared: desired.resources.length }),
    ...(suspension && { suspension }),
    ...(hold && { hold }),
  }
  const { verdict, reasons } = await judge(plan, resolvePolicy(policy), context, call)
  if (verdict === 'nothing' || verdict === 'apply') return []
  if (verdict === 'ask') return [{ type: 'approvalRequested', application: name, plan, reasons }]
  return [{ type: 'blocked', application: name, fingerprint: plan.fingerprint, reasons }]
}

function healthEvent(application: string, { health: previous }: ApplicationState, health: Health): EventBody {
  const { status, message, resources } = health
  return { type: 'healthChanged', application, status, previous, message, resources: [...resources.values()] }
}

function tell(start: ApplicationState, bodies: readonly EventBody[], { clock }: Call): ApplicationState {
  const at = clock.now()
  // A body with its stamp is an event: the union of both is the same by construction.
  const events = bodies.map(
    (body, index) => ({ ...body, sequence: start.sequence + index + 1, at }) as ApplicationEvent,
  )
  return { ...events.reduce(reduce, start), lastRunAt: at }
}

/** The application of that name. */
export function applicationOf({ applications = [] }: ReconcilerOptions, name: string): Application {
  const found = applications.find((application) => application.name === name)
  if (found !== undefined) return found
  const names = applications.map((application) => application.name).join(', ')
  throw new GitOpsError('APPLICATION_UNKNOWN', `There is no application ${JSON.stringify(name)}. There are: ${names}.`)
}

function callOf({ clock, random, log }: ReconcilerOptions, application: string, signal: AbortSignal): RunCall {
  const given = { signal, ...(clock && { clock }), ...(random && { random }), ...(log && { log }) }
  return { ...createCall(given), application, inputs: {} }
}
