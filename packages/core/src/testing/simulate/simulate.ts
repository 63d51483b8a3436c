import { refKey } from '../../desired/ref.ts'
import type { JsonObject } from '../../runtime/json.ts'
import { sameJson } from '../../plan/diff.ts'
import { type Violation, canary, withoutMarks } from './checks.ts'
import { type World, killProcess, startProcess } from './process.ts'
import { type SimulatedApplication, chance, note, pick } from './stage.ts'
import { type FaultMix, createWorld } from './world.ts'

/** What is simulated. */
export interface SimulationOptions {
  /** Decides everything; the same seed gives the same run, event by event. */
  readonly seed: number
  readonly faults?: FaultMix
  /** Things that happen before the world becomes quiet. @defaultValue 25 */
  readonly steps?: number
}

/** What came of it. */
export interface SimulationResult {
  readonly seed: number
  /** Broken promises; none for a correct engine. */
  readonly violations: readonly Violation[]
  /** One line for everything that happened, in order. */
  readonly trace: readonly string[]
  /** Things that happened, faults included. */
  readonly steps: number
}

/**
 * Plays one world: commits, people who edit the target, processes that die in the middle of a write, ports that
 * fail, then quiet. While it happens, and when it is quiet, the twelve invariants are checked.
 */
export async function simulate({ seed, faults, steps = 25 }: SimulationOptions): Promise<SimulationResult> {
  const world = createWorld(seed, faults)
  for (const application of world.applications) commitValid(world, application)
  startProcess(world)
  for (let step = 0; step < steps; step++) {
    pick(world, happenings)(world)
    await world.clock.advance(pick(world, [0, 1, 50, 1_500, 6_000, 30_000, 130_000]))
    if (world.process === undefined && chance(world, 0.7)) startProcess(world)
  }
  await becomeQuiet(world)
  await world.checks.finish()
  return { seed, violations: world.checks.violations, trace: world.trace, steps: world.trace.length }
}

type Happening = (world: World) => void

const happenings: readonly Happening[] = [
  (world) => commitValid(world, pick(world, world.applications)),
  (world) => commitValid(world, pick(world, world.applications)),
  (world) => commitBroken(world, pick(world, world.applications)),
  (world) => forcePush(world, pick(world, world.applications)),
  editByHand,
  editByHand,
  deleteByHand,
  recreateByHand,
  addForeign,
  approvePending,
  approvePending,
  rollBack,
  suspendOrResume,
  (world) => (world.deaths ? killProcess(world) : undefined),
  () => undefined,
]

const names = ['a', 'b', 'c', 'd', 'e']

/** Declares some of the items, each with a generation, now and then a slow one, a wave, a secret. */
function commitValid(world: World, application: SimulatedApplication): void {
  const { files, bodies, generation } = newDeclarations(world, application)
  const { id } = application.source.commit(files, { at: world.clock.now() })
  application.declared.set(id, bodies)
  note(world, `${application.name}: commit ${id.slice(0, 8)} (generation ${generation})`)
}

/** The same on top of an older commit: what came in between is no longer part of the history. */
function forcePush(world: World, application: SimulatedApplication): void {
  const { files, bodies, generation } = newDeclarations(world, application)
  const { history } = application.source
  const onto = history[Math.min(2, history.length - 1)] ?? null
  const { id } = application.source.rewrite(files, { onto, at: world.clock.now() })
  application.declared.set(id, bodies)
  note(world, `${application.name}: force-push ${id.slice(0, 8)} (generation ${generation})`)
}

function newDeclarations(world: World, application: SimulatedApplication) {
  const generation = ++application.generation
  const files: Record<string, JsonObject | null> = {}
  const bodies = new Map<string, JsonObject>()
  for (const name of names) {
    const own = `${application.name}-${name}`
    const body = chance(world, 0.7) ? newBody(world, generation) : undefined
    files[`item/${own}.json`] = body ?? null
    if (body !== undefined) bodies.set(own, body)
  }
  const always = `${application.name}-always`
  files[`item/${always}.json`] = { generation, secret: `${canary}${generation}`, $sensitive: ['/secret'] }
  bodies.set(always, files[`item/${always}.json`]!)
  return { files, bodies, generation }
}

function newBody(world: World, generation: number): JsonObject {
  return {
    generation,
    value: Math.floor(world.random.next() * 3),
    ...(chance(world, 0.2) && { slow: true }),
    ...(chance(world, 0.3) && { $order: { wave: pick(world, [-1, 1, 2]) } }),
  }
}

function commitBroken(world: World, { name, source }: SimulatedApplication): void {
  const { id } = source.commit({ 'item/broken.json': '{ "generation": ' }, { at: world.clock.now() })
  note(world, `${name}: broken commit ${id.slice(0, 8)}`)
}

function someLive(world: World) {
  const live = [...world.system.live.values()]
  return live.length === 0 ? undefined : pick(world, live)
}

function editByHand(world: World): void {
  const found = someLive(world)
  if (found === undefined) return
  note(world, `somebody edits ${found.ref.name}`)
  world.checks.disturb()
  world.system.edit(found.ref, { ...found.body, value: 'by hand' })
}

function deleteByHand(world: World): void {
  const found = someLive(world)
  if (found === undefined) return
  note(world, `somebody deletes ${found.ref.name}`)
  world.checks.disturb()
  world.system.remove(found.ref)
}

function recreateByHand(world: World): void {
  const found = someLive(world)
  if (found === undefined) return
  note(world, `somebody deletes ${found.ref.name} and makes another`)
  world.checks.disturb()
  world.system.remove(found.ref)
  world.system.put({ ref: found.ref, body: { value: 'another' } })
}

function addForeign(world: World): void {
  const ref = { kind: 'item', name: `foreign-${pick(world, names)}` }
  world.system.put({ ref, body: { value: 'not ours' }, owner: 'somebody else' })
}

function approvePending(world: World): void {
  const { process } = world
  if (process === undefined) return
  for (const [name, plan] of process.pending) approve(world, name, plan.fingerprint)
}

function approve(world: World, name: string, fingerprint: string): void {
  world.checks.approve(fingerprint)
  note(world, `${name}: approve ${fingerprint.slice(0, 8)}`)
  world.process?.reconciler
    .approve(name, { fingerprint, by: 'ann' })
    .catch((error: Error) => note(world, `${name}: ${error.message}`))
}

function rollBack(world: World): void {
  const application = pick(world, world.applications)
  const good = application.source.history.filter(({ id }) => application.declared.has(id))
  if (world.process === undefined || good.length < 2) return
  const to = pick(world, good.slice(1))
  note(world, `${application.name}: roll back to ${to.id.slice(0, 8)}`)
  world.checks.allowOlder(application.name)
  const bodies = application.declared.get(to.id)!
  world.process.reconciler
    .rollback(application.name, { to, by: 'ann', reason: 'it was better' })
    .then(({ commit }) => commit && application.declared.set(commit.id, bodies))
    .catch((error: Error) => note(world, `${application.name}: ${error.message}`))
}

function suspendOrResume(world: World): void {
  const { process } = world
  if (process === undefined) return
  const { name } = pick(world, world.applications)
  const until = world.clock.now() + 60_000
  const done = chance(world, 0.5)
    ? process.reconciler.suspend(name, { by: 'ann', reason: 'lunch', until })
    : process.reconciler.resume(name, { by: 'ann' })
  done.catch((error: Error) => note(world, `${name}: ${error.message}`))
}

/** Faults stop, the sources are whole again, somebody approves: now everything has to come right, and then to rest. */
async function becomeQuiet(world: World): Promise<void> {
  note(world, 'the world becomes quiet')
  world.faultRate = 0
  removeForeignClaims(world)
  const { reconciler, pending } = world.process ?? startProcess(world)
  reconciler.on('approvalRequested', ({ application, plan }) => approve(world, application, plan.fingerprint))
  await world.clock.advance(360_000)
  for (const application of world.applications) {
    application.source.commit({ 'item/broken.json': null }, { at: world.clock.now() })
    commitValid(world, application)
    await reconciler.release(application.name, { by: 'ann', reason: 'quiet' }).catch(() => {})
    await reconciler.resume(application.name, { by: 'ann' }).catch(() => {})
  }
  for (const [name, plan] of pending) approve(world, name, plan.fingerprint)
  await world.clock.advance(900_000)
  for (const application of world.applications) checkConverged(world, application)
  checkNoOrphans(world)
  const before = world.checks.writes
  await world.clock.advance(600_000)
  if (world.checks.writes !== before)
    world.checks.fail(1, `${world.checks.writes - before} writes in ten minutes in which nothing happened`)
  const stopping = reconciler.stop()
  await world.clock.advance(60_000)
  await stopping
  if (world.clock.pending > 0) note(world, `${world.clock.pending} timers are left`)
}

/** Items that somebody made by hand over ours belong to nobody; those of somebody else stay. */
function removeForeignClaims({ system }: World): void {
  for (const found of system.live.values()) if (found.ref.name.startsWith('foreign-')) system.remove(found.ref)
}

function checkConverged(world: World, { name, source, declared }: SimulatedApplication): void {
  const head = source.history[0]!
  const state = world.process!.reconciler.status(name)
  if (state.ready?.id !== head.id) {
    const why = state.error?.message ?? state.blocker?.message ?? state.reasons[0]?.message ?? state.phase
    world.checks.fail(1, `${name} is not ready at its newest revision: ${why}`)
  }
  for (const [item, body] of declared.get(head.id) ?? []) {
    const found = world.system.live.get(refKey({ kind: 'item', name: item }))
    if (found === undefined || !sameJson(found.body, withoutMarks(body)))
      world.checks.fail(1, `item ${item} is not as declared`)
  }
}

/** Whatever an application once made is declared, or gone. */
function checkNoOrphans({ system, applications, checks }: World): void {
  for (const { ref, owner } of system.live.values()) {
    const application = applications.find(({ name }) => name === owner)
    const head = application?.source.history[0]
    if (application === undefined || head === undefined) continue
    if (application.declared.get(head.id)?.has(ref.name) !== true)
      checks.fail(4, `item ${ref.name} is an orphan of ${owner}`)
  }
}
