import type { LedgerChange } from '../../ledger/ledger.ts'
import type { Claim, Held } from '../../queue/queue.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import {
  type Machine,
  type World,
  callOf,
  chance,
  declared,
  incomparable,
  keyOf,
  leaseMs,
  noteClaim,
  refOf,
  storeTime,
} from './world.ts'

/** Work of one process in steps. Between any two of them it may die, rest, or others may act. */
export type Steps = AsyncGenerator<void, void, void>

/** Claims, works, and begins again. What it holds it holds by its own clock. */
export async function* worker(world: World, id: number, machine: Machine): Steps {
  for (;;) {
    const askedMs = world.nowMs
    const call = callOf(world, machine)
    const request = { worker: `w${id}`, pool: 'application', limit: 1, leaseMs: leaseAskedBy(world, machine) }
    const claims = await world.store.queue.claim(request, call)
    for (const claim of claims) noteClaim(world, claim)
    yield
    // The answer of the store got lost: the claim is held by nobody until its lease ends.
    if (!world.quiet && chance(world, 0.05)) continue
    for (const claim of claims) yield* run(world, claim, askedMs, machine)
  }
}

/** The mistake: the worker says when the lease ends, by its own clock. */
function leaseAskedBy({ bug }: World, { skewMs }: Machine): number {
  return bug === 'leases by the clock of the worker' ? Math.max(1, leaseMs + skewMs) : leaseMs
}

async function* run(world: World, claim: Claim, askedMs: number, machine: Machine): Steps {
  const name = claim.key.slice('application/'.length)
  const call = callOf(world)
  const wanted = declared(name, claim.revision)
  const record = await world.store.read(name, call)
  yield
  const owned = (object: string, state: 'intended' | 'applied') =>
    ({ ref: { kind: 'object', name: object }, state, revision: String(claim.revision) }) as const
  const intent = { put: wanted.map((object) => owned(object, 'intended')) }
  let version: number | undefined = record.version
  let heldMs = askedMs
  const part = world.bug === 'writes until the lease ends' ? 1 : 2 / 3
  const isHeld = (): boolean =>
    world.bug === 'writes without asking for the lease' || (world.nowMs - heldMs) * machine.rate < leaseMs * part
  if (world.bug !== 'inventory after apply') {
    version = await commit(world, name, claim, { expect: version, inventory: intent })
    if (version === undefined) return
    yield
  }
  if (chance(world, 0.3)) {
    const beganMs = world.nowMs
    if ((await extend(world, claim)) === false) return
    heldMs = beganMs
    yield
  }
  const gone = [...record.inventory.values()].map(({ ref }) => ref.name).filter((object) => !wanted.includes(object))
  for (const object of [...wanted, ...gone]) {
    yield
    if (!isHeld()) return
    // It may stand still right here. Only a target that compares tokens can do something about that.
    if (name !== incomparable) yield
    // It claimed before the backup came back, which cannot know of what it does now: stop all workers before a restore.
    const isOfBefore = askedMs < world.restoredAt
    if (isOfBefore) world.excused.add(`${name}/${object}`)
    if (!write(world, name, object, claim, wanted.includes(object), isOfBefore)) return
  }
  yield
  const inventory = { put: wanted.map((object) => owned(object, 'applied')), remove: gone.map(refOf) }
  await finish(world, name, claim, { expect: version, inventory })
}

async function extend(world: World, claim: Claim): Promise<boolean> {
  const held = await current(world, claim)
  const [still] = await world.store.queue.extend([held], leaseMs, callOf(world))
  const known = world.claims.get(claim.key)
  if (still === undefined) return false
  if (known?.token === claim.token) known.untilMs = storeTime(world) + leaseMs
  return true
}

/** A target that can compare tokens changes nothing for an older one; that of `incomparable` takes every write. */
function write(
  world: World,
  name: string,
  object: string,
  { token, revision }: Claim,
  isWanted: boolean,
  isOfBefore: boolean,
): boolean {
  const place = `${name}/${object}`
  const newest = world.seen.get(name) ?? 0
  if (world.bug !== 'no fence' && name !== incomparable && token < newest) return false
  if (token < newest && isWanted && !isOfBefore && (world.live.get(place) ?? 0) > revision)
    world.violations.add(`${place} went back from a newer revision`)
  if (name === incomparable && token < (world.claims.get(keyOf(name))?.token ?? 0) && !isOfBefore)
    world.violations.add(`${place} was written under a claim that was over`)
  world.seen.set(name, Math.max(newest, token))
  if (isWanted) world.live.set(place, revision)
  else world.live.delete(place)
  return true
}

/** The version after the commit, or nothing when it was refused. */
async function commit(world: World, name: string, claim: Claim, change: LedgerChange): Promise<number | undefined> {
  const held = await current(world, claim)
  const fence = world.bug === 'inventory fenced by its own epoch' ? ownEpoch(world, name, claim) : { claim: held }
  if (fence === undefined) return undefined
  try {
    const version = await world.store.commit(name, { ...change, ...fence }, callOf(world))
    checkCurrent(world, claim)
    return !world.quiet && chance(world, 0.03) ? undefined : version
  } catch (error) {
    return refused(error)
  }
}

/** The mistake: the inventory knows a token of its own, and compares with that. */
function ownEpoch(world: World, name: string, { token }: Claim): Record<string, never> | undefined {
  const key = `own ${name}`
  if (token < (world.seen.get(key) ?? 0)) return undefined
  world.seen.set(key, token)
  return {}
}

/** Nothing a worker writes may be kept when a newer claim was handed out. */
function checkCurrent(world: World, { key, token }: Held): void {
  const newest = world.claims.get(key)?.token ?? 0
  if (token < newest) world.violations.add(`a commit of ${key} under an older claim was kept`)
}

async function finish(world: World, name: string, claim: Claim, change: LedgerChange): Promise<void> {
  const held = await current(world, claim)
  const revision = world.bug === 'lost wake-up' ? await newestWanted(world, claim) : claim.revision
  const run = {
    runId: `${claim.key} ${claim.token} ${world.nowMs}`,
    application: name,
    startedAt: 0,
    endedAt: 0,
    trigger: 'poll',
    outcome: 'applied' as const,
    counts: {},
    changed: [],
  }
  try {
    const complete = { claim: { ...held, revision } }
    await world.store.commit(name, { ...change, claim: held, complete, run }, callOf(world))
    checkCurrent(world, claim)
    const known = world.claims.get(claim.key)
    if (known?.token === claim.token) known.untilMs = 0
  } catch (error) {
    refused(error)
  }
}

async function newestWanted(world: World, { key, revision }: Claim): Promise<number> {
  const [item] = await world.store.queue.items({ keys: [key] }, callOf(world))
  return item?.revision ?? revision
}

/** Without a fence, whatever token is the newest is taken for one's own. */
async function current(world: World, claim: Claim): Promise<Held> {
  if (world.bug !== 'no fence') return { key: claim.key, token: claim.token }
  const [item] = await world.store.queue.items({ keys: [claim.key] }, callOf(world))
  return { key: claim.key, token: item?.token ?? claim.token }
}

function refused(error: unknown): undefined {
  if (error instanceof GitOpsError && error.code === 'LEDGER_FENCED') return undefined
  throw error
}
