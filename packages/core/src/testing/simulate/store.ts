import { refKey } from '../../desired/ref.ts'
import type { Ledger, LedgerChange } from '../../ledger/ledger.ts'
import { memoryLedger } from '../../ledger/memory.ts'
import { memoryQueue } from '../../queue/memory.ts'
import { type Claim, type Held, type Queue, quarantineAfter } from '../../queue/queue.ts'
import type { Call } from '../../runtime/call.ts'
import type { Clock } from '../../runtime/clock.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { silentLog } from '../../runtime/log.ts'
import { type Random, seededRandom } from '../../runtime/random.ts'

/** A mistake in a store, or in how it is used, that the simulation has to find. */
export const storeBugs = [
  'no fence',
  'inventory fenced by its own epoch',
  'enqueue shortens a lease',
  'lost wake-up',
  'inventory after apply',
  'tokens start over after a restore',
  'writes without asking for the lease',
  'writes until the lease ends',
  'leases by the clock of the worker',
] as const
export type StoreBug = (typeof storeBugs)[number]

/** What is simulated. */
export interface StoreSimulation {
  readonly seed: number
  readonly bug?: StoreBug | undefined
  /** Steps before the world becomes quiet. @defaultValue 120 */
  readonly steps?: number
  /** Makes an empty store whose time is that of the clock. @defaultValue one in memory */
  readonly createStore?: (clock: Clock) => Store
}

/** A ledger with a queue. */
export type Store = Ledger & { readonly queue: Queue }

/** What came of it. */
export interface StoreSimulationResult {
  readonly seed: number
  readonly steps: number
  /** Broken promises, in words. */
  readonly violations: readonly string[]
}

const leaseMs = 1_000
const names = ['a', 'b', 'c'] as const
/** Its target cannot compare tokens: only the lease protects it. */
const incomparable = 'c'
const objects = ['v', 'w', 'x', 'y'] as const

interface Live {
  readonly revision: number
  readonly madeAt: number
}

interface World {
  readonly random: Random
  readonly bug: StoreBug | undefined
  readonly violations: Set<string>
  /** What is really there: `application/object`. */
  readonly live: Map<string, Live>
  /** The largest token the target has seen, by application. */
  readonly seen: Map<string, number>
  /** The newest revision of each application, and the newest that was acknowledged by the store. */
  readonly heads: Map<string, number>
  /** Claims as the store handed them out: the newest of each key, and when its lease ends. */
  readonly claims: Map<string, { token: number; untilMs: number }>
  /** Objects of which a restored backup cannot know. */
  readonly excused: Set<string>
  store: Store
  nowMs: number
  /** How far the clock of the store is behind. It is set back at once, and made up for slowly. */
  lagMs: number
  quiet: boolean
  restoredAt: number
}

/** Work of one process in steps. Between any two of them it may die, rest, or others may act. */
type Steps = AsyncGenerator<void, void, void>

interface Actor {
  steps: Steps
  restUntilMs: number
  readonly machine: Machine
  /** Nothing it holds is told to it, as on a machine that was suspended. */
  readonly id: number
}

/** The clocks of a worker: the one on the wall is off by up to an hour, the monotonic one runs too slow or too fast. */
interface Machine {
  readonly skewMs: number
  readonly rate: number
}

/**
 * Plays workers over one store: they claim, write the inventory, write to a fencing target, prune, complete; they die
 * between any two statements, rest for longer than their lease and go on, answers get lost, backups come back, clocks are
 * wrong. In the end everything must be as declared, with nothing lost and nothing left behind.
 */
export async function simulateStore(options: StoreSimulation): Promise<StoreSimulationResult> {
  const { seed, bug, steps = 120 } = options
  const world = createWorld(seed, bug, options.createStore)
  const actors: Actor[] = [1, 2, 3].map((id) => {
    const machine = { skewMs: (world.random.next() - 0.5) * 7_200_000, rate: 0.75 + world.random.next() / 2 }
    return { id, machine, steps: worker(world, id, machine), restUntilMs: 0 }
  })
  let taken = 0
  for (; taken < steps; taken++) await happen(world, actors)
  taken += await becomeQuiet(world, actors)
  checkEnd(world)
  await world.store[Symbol.asyncDispose]?.()
  return { seed, steps: taken, violations: [...world.violations] }
}

function createWorld(seed: number, bug: StoreBug | undefined, create = inMemory): World {
  const world: World = {
    random: seededRandom(seed),
    bug,
    violations: new Set(),
    live: new Map(),
    seen: new Map(),
    heads: new Map(names.map((name) => [name, 0])),
    claims: new Map(),
    excused: new Set(),
    store: undefined as unknown as Store,
    nowMs: 1_000_000,
    lagMs: 0,
    quiet: false,
    restoredAt: 0,
  }
  const clock: Clock = {
    now: () => world.nowMs - world.lagMs,
    monotonic: () => world.nowMs,
    setTimer: () => ({ cancel: () => {} }),
  }
  const make = (): Store => create(clock)
  world.store = recorded(world, make)
  return world
}

function inMemory(clock: Clock): Store {
  const queue = memoryQueue({ clock })
  return { ...memoryLedger({ queue, installKey: new Uint8Array(32) }), queue }
}

/** Every write is kept with its time, so that a backup is all writes up to some moment. */
function recorded(world: World, make: () => Store): Store {
  let store = make()
  let log: { readonly at: number; readonly write: (store: Store) => Promise<unknown> }[] = []
  const record = <T>(write: (store: Store) => Promise<T>): Promise<T> => {
    log.push({ at: world.nowMs, write })
    return write(store)
  }
  const restoreTo = async (length: number): Promise<void> => {
    const { nowMs } = world
    await store[Symbol.asyncDispose]?.()
    store = make()
    log = log.slice(0, length)
    for (const { at, write } of log) {
      world.nowMs = at
      await write(store).catch(() => {})
    }
    world.nowMs = nowMs
  }
  return Object.assign(
    facade(() => store, record),
    {
      // Used by the world alone.
      backUp: () => log.length,
      restoreTo,
    },
  )
}

interface Backups {
  backUp(): number
  restoreTo(length: number): Promise<void>
}

function facade(current: () => Store, record: <T>(write: (store: Store) => Promise<T>) => Promise<T>): Store {
  const queue: Queue = {
    enqueue: (wakes, call) => record((store) => store.queue.enqueue(wakes, call)),
    claim: (request, call) => record((store) => store.queue.claim(request, call)),
    extend: (claims, ms, call) => record((store) => store.queue.extend(claims, ms, call)),
    complete: (completions, call) => record((store) => store.queue.complete(completions, call)),
    release: (releases, call) => record((store) => store.queue.release(releases, call)),
    forget: (keys, call) => record((store) => store.queue.forget(keys, call)),
    afterRestore: (call) => record((store) => store.queue.afterRestore(call)),
    items: (query, call) => current().queue.items(query, call),
  }
  return {
    id: 'simulated',
    queue,
    read: (application, call) => current().read(application, call),
    commit: (application, change, call) => record((store) => store.commit(application, change, call)),
    applications: (call) => current().applications(call),
    history: (query, call) => current().history(query, call),
    audit: (query, call) => current().audit(query, call),
    installKey: (call) => current().installKey(call),
    [Symbol.asyncDispose]: async () => current()[Symbol.asyncDispose]?.(),
  }
}

/** The clock of whoever calls is the business of nobody. */
function callOf({ random, nowMs }: World, { skewMs, rate }: Machine = { skewMs: -3_600_000, rate: 1 }): Call {
  const clock = { now: () => nowMs + skewMs, monotonic: () => nowMs * rate, setTimer: () => ({ cancel: () => {} }) }
  return {
    signal: new AbortController().signal,
    clock,
    log: silentLog,
    random,
  }
}

function chance({ random }: World, probability: number): boolean {
  return random.next() < probability
}

function pick<T>({ random }: World, items: readonly T[]): T {
  return items[Math.floor(random.next() * items.length)]!
}

async function happen(world: World, actors: Actor[]): Promise<void> {
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

function storeTime({ nowMs, lagMs }: World): number {
  return nowMs - lagMs
}

async function step(world: World, actor: Actor): Promise<void> {
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
  const backups = world.store as Store & Backups
  await backups.restoreTo(Math.floor(backups.backUp() * (0.5 + world.random.next() / 2)))
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

function keyOf(name: string): string {
  return `application/${name}`
}

function refOf(object: string): string {
  return refKey({ kind: 'object', name: object })
}

/** What a revision declares. Follows from its number. */
function declared(name: string, revision: number): readonly string[] {
  if (revision === 0) return []
  const random = seededRandom(revision * 31 + name.charCodeAt(0))
  return objects.filter(() => random.next() < 0.6)
}

/** Claims, works, and begins again. What it holds it holds by its own clock. */
async function* worker(world: World, id: number, machine: Machine): Steps {
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

function noteClaim(world: World, { key, token }: Claim): void {
  const known = world.claims.get(key)
  if (known !== undefined && storeTime(world) < known.untilMs)
    world.violations.add(`${key} was handed out while its lease was in force`)
  if (known !== undefined && token <= known.token) world.violations.add(`the token of ${key} did not rise`)
  world.claims.set(key, { token, untilMs: storeTime(world) + leaseMs })
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
  if (token < newest && isWanted && !isOfBefore && (world.live.get(place)?.revision ?? 0) > revision)
    world.violations.add(`${place} went back from a newer revision`)
  if (name === incomparable && token < (world.claims.get(keyOf(name))?.token ?? 0) && !isOfBefore)
    world.violations.add(`${place} was written under a claim that was over`)
  world.seen.set(name, Math.max(newest, token))
  if (isWanted) world.live.set(place, { revision, madeAt: world.live.get(place)?.madeAt ?? world.nowMs })
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

/** Nobody dies any more; the rested go on; whatever is owed is done. Only what was acknowledged is announced no more. */
async function becomeQuiet(world: World, actors: readonly Actor[]): Promise<number> {
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

function checkEnd(world: World): void {
  for (const name of names) {
    const wanted = new Set(declared(name, world.heads.get(name)!))
    for (const object of objects) {
      const place = `${name}/${object}`
      if (world.excused.has(place)) continue
      const found = world.live.get(place)
      if (wanted.has(object) && found === undefined) world.violations.add(`${place} is missing in the end`)
      if (wanted.has(object) && found !== undefined && found.revision < world.heads.get(name)!)
        world.violations.add(`${place} is at an older revision in the end`)
      if (!wanted.has(object) && found !== undefined) world.violations.add(`${place} is an orphan in the end`)
    }
  }
}
