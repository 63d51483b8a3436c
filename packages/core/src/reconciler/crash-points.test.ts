import { expect, test } from 'vitest'
import type { ResourceRef } from '../desired/desired.ts'
import { refKey } from '../desired/ref.ts'
import { verifyAudit } from '../ledger/audit.ts'
import { memoryLedger } from '../ledger/memory.ts'
import type { Clock } from '../runtime/clock.ts'
import type { JsonObject } from '../runtime/json.ts'
import { seededRandom } from '../runtime/random.ts'
import { type MemorySource, memorySource } from '../source/memory.ts'
import { testCall } from '../testing/call.ts'
import { type ManualClock, manualClock } from '../testing/clock.ts'
import { type Fault, type FaultPoint, withFaults } from '../testing/faults.ts'
import { type MemorySystem, memorySystem } from '../testing/memory-system.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { createReconciler, type Reconciler } from './reconciler.ts'

/** Where a process dies: at the n-th time it waits for a port, before or after the port did what it was asked. */
interface Death {
  readonly at: number
  readonly moment: 'before' | 'after'
}

interface World {
  readonly clock: ManualClock
  readonly source: MemorySource
  readonly system: MemorySystem
  readonly ledger: Ledger
  /** How often a resource became something else than it was, by name and what it became. */
  readonly changed: Map<string, number>
  /** Waits for a port so far, of the process that may die. */
  waits: number
  death: Death | undefined
}

const never = new Promise<never>(() => {})
const hook = { $order: { phase: 'PostSync', hook: { deletePolicy: ['HookSucceeded'] } } }

function createWorld(death: Death | undefined): World {
  return {
    clock: manualClock(),
    source: memorySource({ files: filesOf(1, ['a', 'b', 'c']) }),
    system: memorySystem(),
    ledger: memoryLedger({ installKey: new Uint8Array(32) }),
    changed: new Map(),
    waits: 0,
    death,
  }
}

function filesOf(generation: number, names: readonly string[]): Record<string, JsonObject | null> {
  const all = ['a', 'b', 'c', 'd'].map((name) => [name, names.includes(name) ? { generation } : null] as const)
  const files = Object.fromEntries(all.map(([name, body]) => [`job/${name}.json`, body]))
  return { ...files, 'job/notify.json': { ...hook, generation } }
}

/** A process over ports that are counted; it ends, and with it everything it waits for, where the world says. */
function startProcess(world: World, mayDie: boolean): { reconciler: Reconciler; isAlive(): boolean } {
  const state = { alive: true }
  const dies = (moment: Death['moment']): boolean =>
    mayDie && world.death?.moment === moment && world.waits === world.death.at
  const before = (): boolean => {
    if (!state.alive) return false
    if (mayDie) world.waits++
    if (dies('before')) state.alive = false
    return state.alive
  }
  const after = (): boolean => {
    if (dies('after')) state.alive = false
    return state.alive
  }
  const schedule = (_point: FaultPoint): Fault | undefined => (before() ? undefined : { kind: 'hang' })
  const reconciler = createReconciler({
    applications: [
      {
        name: 'shop',
        source: withFaults(withEnd(world.source, after), schedule),
        target: withFaults(targetOf(world, before, after), schedule),
        policy: { prune: true },
      },
    ],
    ledger: withFaults(withEnd(world.ledger, after), schedule),
    clock: mortal(world.clock, state),
    random: seededRandom(mayDie ? 1 : 2),
  })
  return { reconciler, isAlive: () => state.alive }
}

/** The same port, whose answers are lost from the moment of a death after the act. */
function withEnd<Port extends object>(port: Port, after: () => boolean): Port {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function' || name === 'watch' || name === 'history' || name === 'audit') return member
      return (...args: unknown[]): unknown => {
        const answer: unknown = Reflect.apply(member, target, args)
        return answer instanceof Promise ? answer.then((value) => (after() ? value : never)) : answer
      }
    },
  })
}

function targetOf({ system, changed }: World, before: () => boolean, after: () => boolean) {
  const bodyOf = (ref: ResourceRef | undefined): string => JSON.stringify(system.live.get(refKey(ref!))?.body ?? null)
  let found = ''
  return memoryTarget({
    system,
    concurrency: 1,
    before: async (operation, ref) => {
      if (operation !== 'write' && operation !== 'remove') return
      found = bodyOf(ref)
      if (!before()) await never
    },
    after: async (operation, ref) => {
      if (operation !== 'write' && operation !== 'remove') return
      const made = bodyOf(ref)
      const line = `${ref!.name} ${made}`
      // To write down that it is ours what an earlier process made changes nothing.
      if (made !== found) changed.set(line, (changed.get(line) ?? 0) + 1)
      if (!after()) await never
    },
  })
}

function mortal(clock: Clock, state: { readonly alive: boolean }): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    setTimer: (delayMs, run) => clock.setTimer(delayMs, () => (state.alive ? run() : undefined)),
  }
}

/** Create; update, prune and create at once with a hook around it; roll back. A process that dies is followed by another. */
async function live(world: World): Promise<Reconciler> {
  const { clock, source } = world
  let process = startProcess(world, true)
  process.reconciler.start()
  const settle = async (): Promise<void> => {
    await clock.advance(200_000)
    if (process.isAlive()) return
    process = startProcess(world, false)
    process.reconciler.start()
    await clock.advance(200_000)
  }
  await settle()
  const [first] = source.history
  source.commit(filesOf(2, ['a', 'd']))
  await settle()
  const rollingBack = process.reconciler.rollback('shop', { to: first!, by: 'ann', reason: 'it was better' })
  await settle()
  // A rollback that died with its process before it was written down is asked for again, as a person would.
  await Promise.race([rollingBack.catch(() => {}), clock.settle()])
  if (source.history.length === 2) {
    process.reconciler.rollback('shop', { to: first!, by: 'ann', reason: 'once more' }).catch(() => {})
    await settle()
  }
  return process.reconciler
}

/** What a life without a death does to the system: everything declared happens exactly once. */
const expected: ReadonlyMap<string, number> = new Map([
  ['a {"generation":1}', 2],
  ['b {"generation":1}', 2],
  ['c {"generation":1}', 2],
  ['a {"generation":2}', 1],
  ['d {"generation":2}', 1],
  ['b null', 1],
  ['c null', 1],
  ['d null', 1],
])

async function expectWhole(world: World, reconciler: Reconciler, where: string): Promise<void> {
  const { system, ledger, source, changed } = world
  const call = testCall()
  const there = [...system.live.values()]
    .map(({ ref, body }) => `${ref.name} ${JSON.stringify(body['generation'])}`)
    .toSorted()
  expect(there, where).toEqual(['a 1', 'b 1', 'c 1'])
  const { inventory, journal } = await ledger.read('shop', call)
  expect([...inventory.values()].map(({ ref, state }) => `${ref.name} ${state}`).toSorted(), where).toEqual([
    'a applied',
    'b applied',
    'c applied',
  ])
  expect(journal, where).toBeUndefined()
  expect(source.history, where).toHaveLength(3)
  expect(reconciler.status('shop'), where).toMatchObject({ ready: { id: source.history[0]!.id }, alignment: 'aligned' })
  // Once when it was made and once when it was rolled back to. A hook runs again when it is not known that it ran.
  for (const [line, times] of changed) {
    if (!line.startsWith('notify')) expect(times, `${where}: ${line}`).toBe(expected.get(line))
  }
  const runs: string[] = []
  for await (const run of ledger.history({ limit: 1_000 }, call)) runs.push(run.runId)
  expect(new Set(runs).size, where).toBe(runs.length)
  expect(await verifyAudit(ledger.audit({}, call)), where).toMatchObject({ valid: true })
}

test.each(['before', 'after'] as const)(
  'dying %s any act of a whole life leaves no orphan, applies nothing twice, and records nothing twice',
  async (moment) => {
    const whole = createWorld(undefined)
    await expectWhole(whole, await live(whole), 'no death')
    expect(whole.waits).toBeGreaterThan(60)
    for (let at = 1; at <= whole.waits; at++) {
      const world = createWorld({ at, moment })
      await expectWhole(world, await live(world), `death ${moment} wait ${at} of ${whole.waits}`)
    }
  },
)
