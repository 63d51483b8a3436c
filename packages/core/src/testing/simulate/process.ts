import type { ActualChange, ActualState } from '../../actual/actual.ts'
import type { Plan } from '../../plan/plan.ts'
import type { Call } from '../../runtime/call.ts'
import type { Clock } from '../../runtime/clock.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { seededRandom } from '../../runtime/random.ts'
import { type Reconciler, createReconciler } from '../../reconciler/reconciler.ts'
import { sleep } from '../../runtime/call.ts'
import { type Fault, type FaultPoint, withFaults } from '../faults.ts'
import { type MemoryOperation, memoryTarget } from '../memory-target.ts'
import type { Target } from '../../target/target.ts'
import type { ResourceRef } from '../../desired/desired.ts'
import type { Checks } from './checks.ts'
import { type SimulatedApplication, type Stage, chance, note, pick } from './stage.ts'

/** The stage with what plays on it. */
export interface World extends Stage {
  readonly checks: Checks
  process: Process | undefined
  processes: number
}

/** One process of the embedder's: a reconciler over ports that fail now and then, until it dies. */
export interface Process {
  readonly id: number
  readonly reconciler: Reconciler
  /** Plans that wait for an approval, by application. */
  readonly pending: Map<string, Plan>
  alive: boolean
}

/** Starts a process on what the last one left behind. */
export function startProcess(world: World): Process {
  const id = ++world.processes
  const process: Process = { id, alive: true, pending: new Map(), reconciler: undefined as unknown as Reconciler }
  // From the first moment on: a process may die while it starts.
  world.process = process
  note(world, `process ${id} starts`)
  const schedule = (point: FaultPoint): Fault | undefined => faultFor(world, process, point)
  const reconciler = createReconciler({
    applications: world.applications.map((application) => ({
      name: application.name,
      source: withFaults(application.source, schedule),
      target: withFaults(targetOf(world, process, application), schedule),
      policy: {
        mode: application.mode,
        prune: true,
        intervalMs: 90_000,
        healthTimeoutMs: 120_000,
        oscillationLimit: 10_000,
        retry: { maxMs: 30_000 },
      },
    })),
    ledger: withFaults(world.ledger, schedule),
    clock: mortalClock(world.clock, process),
    random: seededRandom(world.seed + id),
    observeTimeoutMs: 20_000,
    sourceTimeoutMs: 20_000,
    log: world.checks.log,
  })
  const started = Object.assign(process, { reconciler })
  world.checks.listen(started)
  reconciler.on('approvalRequested', ({ application, plan }) => void process.pending.set(application, plan))
  reconciler.on('approved', ({ application }) => void process.pending.delete(application))
  reconciler.start()
  return started
}

/** Ends a process where it stands: nothing it still waits for ever reaches it, and nothing it still does reaches a port. */
export function killProcess(world: World): void {
  if (world.process === undefined) return
  note(world, `process ${world.process.id} dies`)
  world.process.alive = false
  world.process = undefined
}

function mortalClock(clock: Clock, process: Process): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs, run) => clock.setTimer(delayMs, () => (process.alive ? run() : undefined)),
  }
}

const outages = ['TARGET_UNREACHABLE', 'TARGET_THROTTLED', 'TARGET_INTERNAL'] as const
const refusals = [...outages, 'APPLY_CONFLICT'] as const

/** The dead hang. The living meet a fault now and then; what kind depends on the port. */
function faultFor(world: World, process: Process, { method }: FaultPoint): Fault | undefined {
  if (!process.alive) return { kind: 'hang' }
  if (method === 'watch' || !chance(world, world.faultRate)) return undefined
  note(world, `fault at ${method}`)
  if (world.deaths && chance(world, 0.2)) {
    killProcess(world)
    return chance(world, 0.5) ? { kind: 'hang' } : undefined
  }
  if (method === 'commit') {
    const error = new GitOpsError('LEDGER_UNAVAILABLE', 'The disk is full.')
    return pick<Fault>(world, [
      { kind: 'fail', error },
      { kind: 'lose', error },
    ])
  }
  if (method.startsWith('queue.')) return queueFault(world)
  if (method === 'read' || method === 'installKey' || method === 'history') {
    return { kind: 'fail', error: new GitOpsError('LEDGER_UNAVAILABLE', 'The ledger cannot be read.') }
  }
  const source = method === 'resolve' || method.startsWith('snapshot')
  const error = new GitOpsError(source ? 'SOURCE_UNREACHABLE' : pick(world, outages), 'It does not answer.')
  // A stream that breaks off: what came so far must not be taken for all there is.
  if (method === 'snapshot.list' && chance(world, 0.5)) return { kind: 'fail', error, afterItems: 1 }
  if (method === 'apply') return { kind: 'fail', error, afterItems: Math.floor(world.random.next() * 3) }
  return pick<Fault>(world, [{ kind: 'fail', error }, { kind: 'delay', delayMs: 3_000 }, { kind: 'hang' }])
}

function queueFault(world: World): Fault {
  const error = new GitOpsError('LEDGER_UNAVAILABLE', 'The database does not answer.')
  return pick<Fault>(world, [
    { kind: 'fail', error },
    { kind: 'lose', error },
    { kind: 'delay', delayMs: 3_000 },
  ])
}

function targetOf(world: World, process: Process, { name }: SimulatedApplication): Target {
  const target = memoryTarget({
    id: `target of ${name}`,
    system: world.system,
    health: ({ body }) => (body['slow'] === true && chance(world, 0.3) ? 'progressing' : 'healthy'),
    before: (operation, ref, call) => beforeOperation(world, process, operation, ref, call),
    after: (operation, ref, call) => {
      hasWritten ||= operation === 'write' || operation === 'remove'
      return afterOperation(world, process, operation, ref, call)
    },
  })
  let seen: ActualState | undefined
  /** Whether it wrote since the last look: a target may be late about what others do, and not about that. */
  let hasWritten = false
  return {
    ...target,
    async observe(desired, owned, call) {
      const earlier = hasWritten ? undefined : seen
      hasWritten = false
      seen = await target.observe(desired, owned, call)
      return earlier !== undefined && chance(world, world.faultRate / 2) ? stale(world, name, earlier) : seen
    },
    watch: (desired, owned, call) => unreliable(world, target.watch!(desired, owned, call)),
  }
}

/** What was there at the last look, told as if it were there now. */
function stale(world: World, name: string, earlier: ActualState): ActualState {
  note(world, `${name}: a stale look`)
  world.checks.disturb()
  return earlier
}

/** Some changes are never told, some are told twice. */
async function* unreliable(world: World, changes: AsyncIterable<ActualChange>): AsyncIterable<ActualChange> {
  for await (const change of changes) {
    if (chance(world, world.faultRate)) continue
    yield change
    if (chance(world, world.faultRate)) yield change
  }
}

async function beforeOperation(
  world: World,
  process: Process,
  operation: MemoryOperation,
  ref: ResourceRef | undefined,
  call: Call & { readonly application: string },
): Promise<void> {
  if (!process.alive) await new Promise<never>(() => {})
  if (operation === 'read' && chance(world, world.faultRate / 4))
    throw new GitOpsError('TARGET_INTERNAL', 'One read failed.')
  if (operation !== 'write' && operation !== 'remove') return
  if (chance(world, world.faultRate)) await misfortune(world, process, call)
  if (ref !== undefined) await world.checks.beforeWrite(process, operation, ref, call)
}

async function misfortune(world: World, process: Process, call: Call): Promise<void> {
  if (world.deaths && chance(world, 0.3)) {
    killProcess(world)
    await new Promise<never>(() => {})
  }
  if (chance(world, 0.5)) return sleep(pick(world, [10, 1_000, 40_000]), call)
  if (process.alive) throw new GitOpsError(pick(world, refusals), 'The write was refused.')
}

/** Here the write has happened: what is thrown now is an answer that was lost. */
async function afterOperation(
  world: World,
  process: Process,
  operation: MemoryOperation,
  ref: ResourceRef | undefined,
  call: Call & { readonly application: string },
): Promise<void> {
  if ((operation !== 'write' && operation !== 'remove') || ref === undefined) return
  world.checks.afterWrite(process, operation, ref, call)
  if (!chance(world, world.faultRate)) return
  if (world.deaths && chance(world, 0.5)) {
    killProcess(world)
    await new Promise<never>(() => {})
  }
  throw new GitOpsError('TARGET_UNREACHABLE', 'The answer was lost.')
}
