import { quarantineAfter } from '../../queue/queue.ts'
import { type Actor, step } from './happenings.ts'
import { type World, callOf, declared, leaseMs, names, noteClaim, objects } from './world.ts'

/** Nobody dies any more; the rested go on; whatever is owed is done. Only what was acknowledged is announced no more. */
export async function becomeQuiet(world: World, actors: readonly Actor[]): Promise<number> {
  world.quiet = true
  let steps = 0
  for (const actor of actors) actor.restUntilMs = 0
  for (let round = 0; round < 240; round++) {
    if (round % 30 === 0) await reviveQuarantined(world)
    world.nowMs += round % 30 === 29 ? leaseMs * 2 : 10
    for (const actor of actors) await step(world, actor)
    steps += actors.length
    if (round % 30 === 29 && (await isDone(world))) break
  }
  return steps
}

/** Somebody looks at what was left alone because its workers kept dying, and gives it another chance. */
async function reviveQuarantined(world: World): Promise<void> {
  const call = callOf(world)
  world.nowMs += leaseMs * 2
  const items = await world.store.queue.items({ pool: 'application' }, call)
  const keys = items.filter(({ crashes }) => crashes >= quarantineAfter).map(({ key }) => key)
  const request = { worker: 'a person', pool: 'application', limit: keys.length, leaseMs, keys }
  const claims = keys.length === 0 ? [] : await world.store.queue.claim(request, call)
  for (const claim of claims) noteClaim(world, claim)
  await world.store.queue.release(
    claims.map((claim) => ({ claim })),
    call,
  )
  for (const { key } of claims) world.claims.get(key)!.untilMs = 0
}

async function isDone(world: World): Promise<boolean> {
  const items = await world.store.queue.items({ pool: 'application' }, callOf(world))
  return items.every(({ worker: holder, dueInMs }) => holder === undefined && dueInMs === undefined)
}

export function checkEnd(world: World): void {
  for (const name of names) {
    const wanted = new Set(declared(name, world.heads.get(name)!))
    for (const object of objects) {
      const place = `${name}/${object}`
      if (world.excused.has(place)) continue
      const found = world.live.get(place)
      if (wanted.has(object) && found === undefined) world.violations.add(`${place} is missing in the end`)
      if (wanted.has(object) && found !== undefined && found < world.heads.get(name)!)
        world.violations.add(`${place} is at an older revision in the end`)
      if (!wanted.has(object) && found !== undefined) world.violations.add(`${place} is an orphan in the end`)
    }
  }
}
