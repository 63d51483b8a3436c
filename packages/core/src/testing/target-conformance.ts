import type { ActualState } from '../actual/actual.ts'
import type { Inventory, Owned } from '../actual/inventory.ts'
import type { Outcome } from '../apply/outcome.ts'
import type { DesiredState } from '../desired/desired.ts'
import { parsePointer, valueAt } from '../desired/pointer.ts'
import { compareRefs, label, refKey } from '../desired/ref.ts'
import type { Plan, PlanRequest } from '../plan/plan.ts'
import { createSeal } from '../plan/seal.ts'
import { createCall, type RunCall } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { Json } from '../runtime/json.ts'
import type { Snapshot } from '../source/source.ts'
import type { Target } from '../target/target.ts'
import { testCall } from './call.ts'
import { check, checkSame } from './check.ts'

/** What `testTargetConformance` needs. */
export interface TargetConformance<Port extends Target = Target> {
  /** Registers one test; the `test` of any runner fits. */
  readonly test: (name: string, run: () => Promise<void>) => unknown
  /** Makes a target over a managed system in which nothing of `snapshot` exists. Called once per test; disposed at its end. */
  readonly createTarget: () => Port | Promise<Port>
  /** Declares two resources or more. */
  readonly snapshot: Snapshot
  /** Declares the same with something changed and at least one resource left out. */
  readonly nextSnapshot?: Snapshot
  /** Changes something in the managed system that `snapshot` declares, past the target. */
  readonly drift?: (target: Port) => void | Promise<void>
  /** Makes every read of the managed system fail from now on. */
  readonly breakReads?: (target: Port) => void | Promise<void>
  /** A second target over the same managed system, as after a restart. */
  readonly reopenTarget?: (target: Port) => Port | Promise<Port>
}

/** Registers the tests that every target has to pass: a target that passes is supported. */
export function testTargetConformance<Port extends Target>(suite: TargetConformance<Port>): void {
  const { nextSnapshot, drift, breakReads, reopenTarget } = suite
  register(suite, always)
  if (nextSnapshot !== undefined) register(suite, whenDeclarationChanges(nextSnapshot))
  if (drift !== undefined) register(suite, whenItDrifts(drift))
  if (breakReads !== undefined) register(suite, whenReadsFail(breakReads))
  if (reopenTarget !== undefined) register(suite, whenItRestarts(reopenTarget))
}

type Statements<Port extends Target> = Readonly<Record<string, (world: World<Port>) => Promise<void>>>

function register<Port extends Target>(suite: TargetConformance<Port>, statements: Statements<Port>): void {
  for (const [name, run] of Object.entries(statements)) {
    suite.test(name, async () => {
      const target = await suite.createTarget()
      const world = createWorld(target, suite.snapshot)
      try {
        await run(world)
      } finally {
        world.abort()
        await target[Symbol.asyncDispose]?.()
        await target[Symbol.asyncDispose]?.()
      }
    })
  }
}

/** One application on one target, with the inventory that the engine would keep for it. */
interface World<Port extends Target> {
  readonly target: Port
  readonly snapshot: Snapshot
  readonly call: RunCall
  readonly abort: () => void
  owned: Inventory
  previous: DesiredState | undefined
}

function createWorld<Port extends Target>(target: Port, snapshot: Snapshot): World<Port> {
  const abortable = new AbortController()
  // A target may do real work, so the call has the time of the machine.
  const call: RunCall = { ...testCall({ application: 'conformance' }), ...createCall({ signal: abortable.signal }) }
  return { target, snapshot, call, abort: () => abortable.abort(), owned: new Map(), previous: undefined }
}

const always: Statements<Target> = {
  'declares the same for the same snapshot': async ({ target, snapshot, call }) => {
    const first = await target.declare(snapshot, call)
    const second = await target.declare(snapshot, { ...call, ...testCall(), application: call.application })
    checkSame(second.digest, first.digest, 'the digest')
    checkSame(second.resources, first.resources, 'the resources')
    checkSame(first.revision.id, snapshot.revision.id, 'the revision')
  },

  'declares each resource once, in order, and says where it stands': async ({ target, snapshot, call }) => {
    const { resources } = await target.declare(snapshot, call)
    for (const [index, { ref, origin }] of resources.entries()) {
      const before = resources[index - 1]
      check(before === undefined || compareRefs(before.ref, ref) < 0, `${label(ref)} comes after the one before`)
      if (origin !== undefined)
        check((await snapshot.digest(origin.path, call)) !== '', `${origin.path} is in the snapshot`)
    }
  },

  'plans nothing but creation where nothing is, and the plan is plain data': async (world) => {
    const { plan } = await look(world)
    checkSame(plan.effect, 'changes', 'there is something to do')
    check(plan.complete, 'the plan is complete')
    check(
      plan.changes.every(({ action }) => action === 'create' || action === 'adopt'),
      'only creations',
    )
    checkSame(JSON.parse(JSON.stringify(plan)), plan, 'the plan survives storing it')
  },

  'planning is repeatable and changes nothing': async (world) => {
    const first = await look(world)
    const second = await look(world)
    checkSame(second.plan.fingerprint, first.plan.fingerprint, 'the fingerprint')
    checkSame(second.actual.version, first.actual.version, 'nothing moved in the managed system')
  },

  'shows no secret in a plan': async (world) => {
    const { desired, plan } = await look(world)
    const text = JSON.stringify(plan)
    for (const secret of desired.resources.flatMap(secretsOf))
      check(!text.includes(secret), 'a secret value is in the plan')
  },

  'applies what it planned, one outcome for each change, and then plans nothing': async (world) => {
    const { desired, plan } = await look(world)
    const outcomes = await apply(world, plan, desired)
    const refs = (list: readonly { readonly ref: Plan['changes'][number]['ref'] }[]): string[] =>
      list.map(({ ref }) => refKey(ref)).sort()
    checkSame(refs(outcomes), refs(plan.changes), 'an outcome for each change')
    checkSame(
      outcomes.filter(({ status }) => status !== 'succeeded'),
      [],
      'every change succeeded',
    )
    await checkNothingPlanned(world, 'after applying')
  },

  'reports its health: not healthy before anything was applied': async (world) => {
    const { desired, actual } = await look(world)
    const before = await world.target.assess(desired, actual, world.call)
    check(before.status !== 'healthy', 'what is not there is not healthy')
    await converge(world)
    const { actual: after } = await look(world)
    const health = await world.target.assess(desired, after, world.call)
    check(
      ['healthy', 'progressing', 'suspended'].includes(health.status),
      `what was applied works or is on its way (${health.message})`,
    )
  },

  'applying the same plan again after a crash does no harm': async (world) => {
    const { desired, plan } = await look(world)
    await apply(world, plan, desired)
    await drain(world.target.apply(plan, desired, world.call)).catch((error: unknown) => {
      check(error instanceof GitOpsError, 'a refusal is a GitOpsError')
    })
    await checkNothingPlanned(world, 'after applying twice')
  },

  'applies only the changes it is given': async (world) => {
    if (world.target.supports.granularity !== 'resource') return
    const { desired, plan } = await look(world)
    const [first, ...others] = plan.changes
    check(first !== undefined && others.length > 0, 'the snapshot declares two resources or more')
    await apply(world, { ...plan, changes: [first] }, desired)
    const left = (await look(world)).plan.changes.map(({ ref }) => refKey(ref)).sort()
    checkSame(left, others.map(({ ref }) => refKey(ref)).sort(), 'the others are still to be made')
  },

  'writes nothing when the fence is lost': async (world) => {
    const { desired, plan } = await look(world)
    const assertHeld = (): never => {
      throw new GitOpsError('LEDGER_FENCED', 'Another process took over.')
    }
    const call = { ...world.call, fence: { token: 1, assertHeld } }
    const outcomes = await drain(world.target.apply(plan, desired, call)).catch(() => [])
    check(
      outcomes.every(({ status }) => status !== 'succeeded'),
      'no change succeeded',
    )
    checkSame((await look(world)).plan.fingerprint, plan.fingerprint, 'everything is still to be done')
  },

  'an aborted call ends every verb, and nothing is written': async (world) => {
    const { desired, actual, plan } = await look(world)
    const aborted = { ...world.call, signal: AbortSignal.abort() }
    const { target, snapshot } = world
    await rejectsOrAnswers(target.declare(snapshot, aborted), 'declare')
    await rejectsOrAnswers(target.plan(desired, actual, request(world), aborted), 'plan')
    await rejectsOrAnswers(target.assess(desired, actual, aborted), 'assess')
    const observed = await target.observe(desired, world.owned, aborted).catch((error: unknown) => error)
    check(observed instanceof GitOpsError || isUnread(observed), 'an aborted observe is no empty answer')
    const outcomes = await drain(target.apply(plan, desired, aborted)).catch(() => [])
    check(
      outcomes.every(({ status }) => status !== 'succeeded'),
      'no change succeeded',
    )
    checkSame((await look(world)).plan.fingerprint, plan.fingerprint, 'everything is still to be done')
  },

  'a watch ends when the call is aborted': async (world) => {
    const { target, abort, call } = world
    if (target.watch === undefined) return
    const { desired } = await look(world)
    const ended = drain(target.watch(desired, world.owned, call))
    abort()
    await ended
  },

  'deletes what is owned when it is destroyed, and nothing else': async (world) => {
    const { target } = world
    if (!target.supports.destroy) return
    await converge(world)
    const kept = [...world.owned.values()][0]
    if (target.supports.granularity === 'resource' && kept !== undefined) {
      const fewer = new Map(world.owned)
      fewer.delete(refKey(kept.ref))
      world.owned = fewer
    }
    const { desired, plan } = await look(world, { mode: 'destroy' })
    const deleted = plan.changes.filter(({ action }) => action === 'delete').map(({ ref }) => refKey(ref))
    check(
      deleted.every((key) => world.owned.size === 0 || world.owned.has(key)),
      'only what is owned is deleted',
    )
    await apply(world, plan, desired)
    const after = await look(world, { mode: 'destroy' })
    checkSame(
      after.plan.changes.filter(({ action }) => action !== 'forget'),
      [],
      'nothing is left to destroy',
    )
  },
}

function whenDeclarationChanges(nextSnapshot: Snapshot): Statements<Target> {
  return {
    'declares the same whatever the application declared before': async ({ target, snapshot, call }) => {
      const living = { ...call, lifetime: {} }
      for (const each of [snapshot, nextSnapshot, snapshot]) {
        const [after, alone] = [await target.declare(each, living), await target.declare(each, { ...call })]
        checkSame(after.digest, alone.digest, 'the digest')
        checkSame(after.resources, alone.resources, 'the resources')
        checkSame(after.revision.id, each.revision.id, 'the revision')
      }
    },

    'brings what was applied to the next declaration, and then plans nothing': async (world) => {
      await converge(world)
      const next = { ...world, snapshot: nextSnapshot }
      const { plan } = await look(next)
      check(
        plan.changes.some(({ action }) => action === 'update' || action === 'replace'),
        'something is updated',
      )
      await converge(next)
      await checkNothingPlanned(next, 'after the next declaration')
    },

    'deletes what is no longer declared only where pruning is on': async (world) => {
      if (!world.target.supports.prune) return
      await converge(world)
      const next = { ...world, snapshot: nextSnapshot }
      const kept = await look(next, { prune: false })
      checkSame(
        kept.plan.changes.filter(({ action }) => action === 'delete'),
        [],
        'nothing is deleted',
      )
      check(kept.plan.blocked.length > 0, 'what is kept is said')
      const pruned = await look(next, { prune: true })
      check(
        pruned.plan.changes.some(({ action }) => action === 'delete'),
        'what is no longer declared is deleted',
      )
    },

    'never deletes what the inventory does not hold': async (world) => {
      await converge(world)
      const stranger = { ...world, snapshot: nextSnapshot, owned: new Map<string, Owned>() }
      const { plan } = await look(stranger)
      checkSame(
        plan.changes.filter(({ action }) => action === 'delete'),
        [],
        'nothing is deleted',
      )
    },
  }
}

function whenItDrifts<Port extends Target>(drift: NonNullable<TargetConformance<Port>['drift']>): Statements<Port> {
  return {
    'reports drift and heals it': async (world) => {
      await converge(world)
      await drift(world.target)
      const { plan } = await look(world)
      check(plan.drift.length > 0, 'the drift is reported')
      check(
        plan.changes.every(({ cause }) => cause === 'drift'),
        'the cause of every change is drift',
      )
      await converge(world)
      await checkNothingPlanned(world, 'after healing')
    },
  }
}

function whenReadsFail<Port extends Target>(
  breakReads: NonNullable<TargetConformance<Port>['breakReads']>,
): Statements<Port> {
  return {
    'a failed read is never taken as missing, in sync or to be deleted': async (world) => {
      await converge(world)
      await breakReads(world.target)
      const looked = await look(world).catch((error: unknown) => error)
      if (looked instanceof Error) return check(looked instanceof GitOpsError, 'the failure is a GitOpsError')
      const { plan, actual } = looked as Look
      check(isUnread(actual), 'what could not be read is unknown')
      check(!plan.complete, 'the plan is not complete')
      checkSame(plan.changes, [], 'nothing is planned on what is not known')
    },
  }
}

function whenItRestarts<Port extends Target>(
  reopenTarget: NonNullable<TargetConformance<Port>['reopenTarget']>,
): Statements<Port> {
  return {
    'after a restart nothing is planned that was already done': async (world) => {
      await converge(world)
      const target = await reopenTarget(world.target)
      const restarted = { ...world, target, previous: undefined }
      await checkNothingPlanned(restarted, 'after a restart')
      await target[Symbol.asyncDispose]?.()
    },
  }
}

interface Look {
  readonly desired: DesiredState
  readonly actual: ActualState
  readonly plan: Plan
}

async function look(world: World<Target>, more: Partial<PlanRequest> = {}): Promise<Look> {
  const { target, snapshot, call, owned } = world
  const desired = await target.declare(snapshot, call)
  const actual = await target.observe(desired, owned, call)
  const plan = await target.plan(desired, actual, { ...request(world), ...more }, call)
  return { desired, actual, plan }
}

function request({ call, owned, previous }: World<Target>): PlanRequest {
  const seal = createSeal(new Uint8Array(32).fill(1))
  const { application } = call
  return { application, mode: 'converge', owned, prune: true, ignore: [], seal, ...(previous && { previous }) }
}

/** Applies, and reads back as the engine does: a target may answer that one look from what its apply was told. */
async function converge(world: World<Target>): Promise<void> {
  const { desired, plan } = await look(world)
  await apply(world, plan, desired)
  await world.target.observe(desired, world.owned, world.call)
}

/** Applies and keeps the inventory as the engine does. */
async function apply(world: World<Target>, plan: Plan, desired: DesiredState): Promise<Outcome[]> {
  const outcomes = await drain(world.target.apply(plan, desired, world.call))
  const owned = new Map(world.owned)
  const digests = new Map(desired.resources.map((each) => [refKey(each.ref), each.digest]))
  for (const { ref, action, status, uid, note } of outcomes) {
    const key = refKey(ref)
    const digest = digests.get(key)
    if (status !== 'succeeded') continue
    if (action === 'delete' || action === 'forget') owned.delete(key)
    else {
      owned.set(key, {
        ref,
        state: 'applied',
        revision: plan.revision.id,
        ...(uid !== undefined && { uid }),
        ...(digest !== undefined && { digest }),
        ...(note !== undefined && { note }),
      })
    }
  }
  world.owned = owned
  world.previous = desired
  return outcomes
}

async function checkNothingPlanned(world: World<Target>, when: string): Promise<void> {
  const { plan } = await look(world)
  checkSame(plan.changes, [], `nothing is planned ${when}`)
  checkSame(plan.effect, 'none', `there is no effect ${when}`)
  checkSame(plan.drift, [], `there is no drift ${when}`)
}

function isUnread(observed: unknown): boolean {
  return (
    typeof observed === 'object' &&
    observed !== null &&
    'unknown' in observed &&
    'complete' in observed &&
    observed.complete === false
  )
}

async function rejectsOrAnswers(work: Promise<unknown>, verb: string): Promise<void> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  check(error === undefined || error instanceof GitOpsError, `${verb} rejects with a GitOpsError when it is aborted`)
}

/** The secret texts a resource declares. */
function secretsOf({ body, sensitive = [] }: DesiredState['resources'][number]): string[] {
  return sensitive.map((pointer) => valueAt(body, parsePointer(pointer))).flatMap(textsIn)
}

function textsIn(value: Json | undefined): string[] {
  if (typeof value === 'string') return value.length > 3 ? [value] : []
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : []
}

async function drain<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}
