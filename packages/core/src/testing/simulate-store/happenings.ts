import { type Machine, type World, callOf, chance, keyOf, leaseMs, names, objects, pick, refOf } from './world.ts'
import { type Steps, worker } from './worker.ts'

/** A worker that goes on step by step, when its turn comes. */
export interface Actor {
  steps: Steps
  /** Until then it stands still and is told nothing, as on a machine that was suspended. */
  restUntilMs: number
  readonly id: number
  readonly machine: Machine
}

/** Whatever comes next: time passes, and somebody declares, dies, rests, restores, or goes on. */
export async function happen(world: World, actors: Actor[]): Promise<void> {
  const roll = world.random.next()
  passTime(world, pick(world, [0, 1, 20, 150]))
  if (roll < 0.1) await commitTo(world, pick(world, names))
  else if (roll < 0.13) die(world, pick(world, actors))
  else if (roll < 0.16) pick(world, actors).restUntilMs = world.nowMs + leaseMs * 3 * world.random.next()
  else if (roll < 0.165) await restore(world)
  else if (roll < 0.17) world.lagMs += pick(world, [1, 300, 5_000])
  else await step(world, pick(world, actors))
}

/** A clock that is behind is made up for by a twentieth: a store whose clock jumped ahead would end leases early. */
function passTime(world: World, durationMs: number): void {
  world.nowMs += durationMs
  if (world.bug !== 'tokens start over after a restore') world.lagMs = Math.max(0, world.lagMs - durationMs / 20)
}

/** One step of one worker, unless it rests. */
export async function step(world: World, actor: Actor): Promise<void> {
  if (actor.restUntilMs > world.nowMs) return
  const { done } = await actor.steps.next()
  if (done === true) actor.steps = worker(world, actor.id, actor.machine)
}

/** Whatever it was about to do never happens. */
function die(world: World, actor: Actor): void {
  actor.steps = worker(world, actor.id, actor.machine)
}

/** A newer declaration. It counts when the store acknowledged the wake; somebody who is not answered asks again. */
async function commitTo(world: World, name: string): Promise<void> {
  const revision = world.heads.get(name)! + 1
  world.heads.set(name, revision)
  await announce(world, name)
}

async function announce(world: World, name: string): Promise<void> {
  const key = keyOf(name)
  const wake = { key, revision: world.heads.get(name)!, priority: 1 as const }
  for (let attempt = 0; attempt < 20; attempt++) {
    const isLost = !world.quiet && chance(world, 0.1)
    await world.store.queue.enqueue([wake], callOf(world))
    if (world.bug === 'enqueue shortens a lease') await shorten(world, key)
    if (!isLost) return
  }
}

async function shorten(world: World, key: string): Promise<void> {
  const [item] = await world.store.queue.items({ keys: [key] }, callOf(world))
  if (item?.worker !== undefined) await world.store.queue.extend([item], 0, callOf(world))
}

/** The store goes back to an earlier moment. Whoever restores says so, and the sources are asked again. */
async function restore(world: World): Promise<void> {
  // Tokens are the time of the store: its clock has to be right again when a backup comes back.
  if (world.bug !== 'tokens start over after a restore') world.lagMs = 0
  await world.store.restoreTo(Math.floor(world.store.backUp() * (0.5 + world.random.next() / 2)))
  // Nobody restores within the same millisecond.
  world.nowMs += 1
  if (world.bug === 'tokens start over after a restore') world.lagMs = world.nowMs
  await world.store.queue.afterRestore(callOf(world))
  world.claims.clear()
  world.restoredAt = world.nowMs
  for (const name of names) {
    const { inventory } = await world.store.read(name, callOf(world))
    for (const object of objects) {
      const place = `${name}/${object}`
      if (world.live.has(place) && !inventory.has(refOf(object))) world.excused.add(place)
    }
    if (world.heads.get(name)! > 0) await announce(world, name)
  }
}
