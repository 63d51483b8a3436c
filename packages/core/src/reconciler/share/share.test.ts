import { afterEach, expect, test } from 'vitest'
import type { ApplicationEvent } from '../../feedback/events.ts'
import { memoryLedger } from '../../ledger/memory.ts'
import { type MemoryQueue, memoryQueue } from '../../queue/memory.ts'
import { quarantineAfter } from '../../queue/queue.ts'
import { type Fence, createCall } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { seededRandom } from '../../runtime/random.ts'
import { type MemorySource, memorySource } from '../../source/memory.ts'
import type { Target } from '../../target/target.ts'
import { type ManualClock, manualClock } from '../../testing/clock.ts'
import { type FaultSchedule, withFaults } from '../../testing/faults.ts'
import { type MemorySystem, memorySystem } from '../../testing/memory-system.ts'
import { memoryTarget } from '../../testing/memory-target.ts'
import type { Application } from '../application.ts'
import { type Reconciler, createReconciler } from '../reconciler.ts'

interface Worker {
  readonly id: number
  readonly reconciler: Reconciler
  readonly events: ApplicationEvent[]
  /** From now on nothing it does reaches anything. */
  die(): void
  /** Cuts it off from the store, or connects it again. */
  cut(isCut: boolean): void
}

interface Stage {
  readonly clock: ManualClock
  readonly queue: MemoryQueue
  readonly system: MemorySystem
  readonly sources: readonly MemorySource[]
  /** How often each source was asked, by anybody. */
  readonly asked: Map<string, number>
  /** Who watches: target id to workers. */
  readonly watching: Map<string, Set<number>>
  readonly fences: Fence[]
  start(more?: Partial<Application>): Worker
}

const workers: Worker[] = []
afterEach(() => void workers.splice(0))

/** Some applications, each with a source and a target of its own, and a store that workers share. */
function stageOf(
  names: readonly string[],
  given: Partial<Record<string, Partial<Application>>> = {},
  withHints = true,
): Stage {
  const clock = manualClock()
  const whole = memoryQueue({ clock })
  const error = new GitOpsError('LEDGER_UNAVAILABLE', 'Nobody is told anything.')
  const noHints: FaultSchedule = ({ method }) => (method === 'hints' ? { kind: 'fail', error } : undefined)
  const queue = withHints ? whole : withFaults(whole, noHints)
  const ledger = memoryLedger({ queue, installKey: new Uint8Array(32) })
  const system = memorySystem()
  const sources = names.map((name) => memorySource({ id: name }))
  const stage: Omit<Stage, 'start'> = {
    clock,
    queue,
    system,
    sources,
    asked: new Map(),
    watching: new Map(),
    fences: [],
  }
  const start = (): Worker => {
    const id = workers.length + 1
    let state: 'alive' | 'dead' | 'cut' = 'alive'
    const deadOnly: FaultSchedule = () => (state === 'dead' ? { kind: 'hang' } : undefined)
    const deadOrCut: FaultSchedule = () => (state === 'alive' ? undefined : { kind: 'hang' })
    const applications = names.map((name, index): Application => ({
      name,
      source: withFaults(counted(sources[index]!, stage), deadOnly),
      target: withFaults(observed(memoryTarget({ id: `target of ${name}`, system }), id, stage), deadOnly),
      policy: { mode: 'automatic', prune: true, intervalMs: 60_000 },
      ...given[name],
    }))
    const reconciler = createReconciler({
      applications,
      ledger: withFaults(ledger, deadOrCut),
      clock: {
        ...clock,
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        setTimer: (delayMs, run) => clock.setTimer(delayMs, () => (state === 'dead' ? undefined : run())),
      },
      random: seededRandom(id),
    })
    const events: ApplicationEvent[] = []
    reconciler.onAny((event) => void events.push(event))
    reconciler.start()
    const worker: Worker = {
      id,
      reconciler,
      events,
      die: () => void (state = 'dead'),
      cut: (isCut) => void (state = isCut ? 'cut' : 'alive'),
    }
    workers.push(worker)
    return worker
  }
  return { ...stage, start }
}

function counted(source: MemorySource, { asked }: Pick<Stage, 'asked'>): MemorySource {
  return {
    ...source,
    watch: undefined as never,
    resolve: (call) => {
      asked.set(source.id, (asked.get(source.id) ?? 0) + 1)
      return source.resolve(call)
    },
  }
}

function observed(target: Target, worker: number, { watching, fences }: Pick<Stage, 'watching' | 'fences'>): Target {
  return {
    ...target,
    apply: (plan, desired, call) => {
      if (call.fence !== undefined) fences.push(call.fence)
      return target.apply(plan, desired, call)
    },
    watch: async function* (desired, owned, call) {
      const those = watching.get(target.id) ?? new Set()
      watching.set(target.id, those.add(worker))
      try {
        yield* target.watch!(desired, owned, call)
      } finally {
        those.delete(worker)
      }
    },
  }
}

const names = Array.from({ length: 8 }, (_, index) => `app-${index}`)

function commitAll({ sources }: Stage, size: number): void {
  for (const source of sources) source.commit({ [`item/${source.id}.json`]: { size } })
}

function appliedBy(worker: Worker): string[] {
  return worker.events.flatMap(({ type, application }) => (type === 'applied' ? [application] : []))
}

function sizes({ system }: Stage): unknown[] {
  return [...system.live.values()].map(({ body }) => body['size'])
}

test('two processes share the applications, and each revision is applied once', async () => {
  const stage = stageOf(names)
  commitAll(stage, 1)
  const [first, second] = [stage.start(), stage.start()]
  await stage.clock.advance(10_000)
  expect(sizes(stage)).toEqual(names.map(() => 1))
  commitAll(stage, 2)
  await stage.clock.advance(100_000)
  expect(sizes(stage)).toEqual(names.map(() => 2))
  const applied = [...appliedBy(first), ...appliedBy(second)]
  expect(applied.toSorted()).toEqual([...names, ...names].toSorted())
  expect(appliedBy(first).length).toBeGreaterThan(0)
  expect(appliedBy(second).length).toBeGreaterThan(0)
})

test('each source is asked by one process at a time, on its interval', async () => {
  const stage = stageOf(['shop'])
  commitAll(stage, 1)
  for (let index = 0; index < 4; index++) stage.start()
  await stage.clock.advance(600_000)
  expect(stage.asked.get('shop')).toBeGreaterThan(5)
  expect(stage.asked.get('shop')).toBeLessThan(14)
})

test('a push is not lost when its source cannot be asked: it is asked again long before the interval is over', async () => {
  const source = memorySource({ id: 'shop' })
  let isDown = false
  const flaky: MemorySource = {
    ...source,
    watch: undefined as never,
    resolve: async (call) => {
      if (isDown) throw new GitOpsError('SOURCE_UNREACHABLE', 'The server is down.')
      return source.resolve(call)
    },
  }
  const policy = { mode: 'automatic' as const, prune: true, intervalMs: 3_600_000 }
  const stage = stageOf(['shop'], { shop: { source: flaky, policy } })
  source.commit({ 'item/shop.json': { size: 1 } })
  stage.start()
  await stage.clock.advance(10_000)
  expect(sizes(stage)).toEqual([1])
  source.commit({ 'item/shop.json': { size: 2 } })
  isDown = true
  await stage.queue.enqueue([{ key: 'source/shop', priority: 1, trigger: 'push' }], createCall({ clock: stage.clock }))
  await stage.clock.advance(30_000)
  expect(sizes(stage)).toEqual([1])
  isDown = false
  await stage.clock.advance(60_000)
  expect(sizes(stage)).toEqual([2])
})

test('each target is watched by one process, and handed over when that one dies', async () => {
  const stage = stageOf(names)
  commitAll(stage, 1)
  const [first, second] = [stage.start(), stage.start()]
  await stage.clock.advance(120_000)
  const watchers = (): number[] =>
    names.map((name) => [...(stage.watching.get(`target of ${name}`) ?? [])].join()).map(Number)
  expect(watchers().filter((id) => id === first.id)).toHaveLength(4)
  expect(watchers().filter((id) => id === second.id)).toHaveLength(4)
  first.die()
  stage.watching.forEach((those) => those.delete(first.id))
  await stage.clock.advance(120_000)
  expect(watchers()).toEqual(names.map(() => second.id))
  const third = stage.start()
  await stage.clock.advance(120_000)
  expect(watchers().filter((id) => id === third.id)).toHaveLength(4)
  expect(watchers().filter((id) => id === second.id)).toHaveLength(4)
})

test('drift is healed by whoever watches the target', async () => {
  const stage = stageOf(['shop'], { shop: { policy: { mode: 'automatic', intervalMs: 86_400_000 } } })
  commitAll(stage, 1)
  for (let index = 0; index < 2; index++) stage.start()
  await stage.clock.advance(60_000)
  stage.system.edit({ kind: 'item', name: 'shop' }, { size: 9 })
  await stage.clock.advance(20_000)
  expect(sizes(stage)).toEqual([1])
})

test('what a process that died left half-way is taken over when its lease ends', async () => {
  const stage = stageOf(['shop'])
  commitAll(stage, 1)
  const first = stage.start()
  await stage.clock.advance(10_000)
  commitAll(stage, 2)
  first.reconciler.on('applyStarted', () => first.die())
  await stage.clock.advance(70_000)
  expect(sizes(stage)).toEqual([1])
  const second = stage.start()
  await stage.clock.advance(60_000)
  expect(sizes(stage)).toEqual([2])
  expect(second.reconciler.status('shop').ready).toBeDefined()
})

test('a process that is cut off from the store stops writing before its lease ends', async () => {
  const stage = stageOf(['shop'])
  commitAll(stage, 1)
  const worker = stage.start()
  await stage.clock.advance(10_000)
  commitAll(stage, 2)
  let held: Fence | undefined
  worker.reconciler.on('applyStarted', () => {
    worker.cut(true)
    held = stage.fences.at(-1)
  })
  await stage.clock.advance(70_000)
  expect(() => held?.assertHeld()).toThrow(/lost or about to be/)
})

test('tokens rise from run to run, and every write carries one', async () => {
  const stage = stageOf(['shop'])
  stage.start()
  stage.start()
  for (let size = 1; size <= 4; size++) {
    commitAll(stage, size)
    await stage.clock.advance(130_000)
  }
  const tokens = stage.fences.map(({ token }) => token)
  expect(tokens).toHaveLength(4)
  expect(tokens).toEqual(tokens.toSorted((left, right) => left - right))
  expect(new Set(tokens).size).toBe(4)
})

test('an application waits for one that runs elsewhere, and gets its outputs from its target', async () => {
  const target = memoryTarget({ id: 'lower', system: memorySystem() })
  const outputs: Target['outputs'] = async () => ({ url: { value: 'https://shop' } })
  const seen: unknown[] = []
  const upper = memoryTarget({ id: 'upper', system: memorySystem() })
  const stage = stageOf(['lower', 'upper'], {
    lower: { target: { ...target, outputs } },
    upper: {
      dependsOn: ['lower'],
      target: { ...upper, declare: (snapshot, call) => (seen.push(call.inputs), upper.declare(snapshot, call)) },
    },
  })
  commitAll(stage, 1)
  const both = [stage.start(), stage.start()]
  await stage.clock.advance(60_000)
  for (const worker of both) worker.events.splice(0)
  commitAll(stage, 2)
  await stage.clock.advance(140_000)
  expect(both.flatMap(appliedBy).toSorted()).toEqual(['lower', 'upper'])
  expect(both.map(appliedBy).map(({ length }) => length)).toEqual([1, 1])
  expect(seen.at(-1)).toEqual({ lower: { url: { value: 'https://shop' } } })
})

test('a decision that a person makes at one process holds in all of them', async () => {
  const stage = stageOf(['shop'])
  commitAll(stage, 1)
  const both = [stage.start(), stage.start()]
  await stage.clock.advance(10_000)
  const other = both.find((worker) => appliedBy(worker).length === 0)!
  await other.reconciler.suspend('shop', { by: 'ann', reason: 'lunch' })
  commitAll(stage, 2)
  await stage.clock.advance(130_000)
  expect(sizes(stage)).toEqual([1])
  await other.reconciler.resume('shop', { by: 'ann' })
  await stage.clock.advance(10_000)
  expect(sizes(stage)).toEqual([2])
})

test('somebody who asks for a run gets it in the process that was asked', async () => {
  const stage = stageOf(['shop'])
  commitAll(stage, 1)
  const [first, second] = [stage.start(), stage.start()]
  await stage.clock.advance(10_000)
  for (const worker of [first, second]) {
    commitAll(stage, worker.id + 10)
    const asked = worker.reconciler.reconcile('shop')
    await stage.clock.advance(5_000)
    expect((await asked).outcome).toBe('applied')
    expect(sizes(stage)).toEqual([worker.id + 10])
  }
})

test('a process that stops hands over at once', async () => {
  const stage = stageOf(names)
  commitAll(stage, 1)
  const [first, second] = [stage.start(), stage.start()]
  await stage.clock.advance(30_000)
  const stopping = first.reconciler.stop()
  await stage.clock.advance(1_000)
  await stopping
  commitAll(stage, 2)
  await stage.clock.advance(75_000)
  expect(sizes(stage)).toEqual(names.map(() => 2))
  expect(new Set(appliedBy(second))).toEqual(new Set(names))
})

test('a process that was only created, or asked once, takes on nothing else', async () => {
  const stage = stageOf(['shop', 'queue'])
  commitAll(stage, 1)
  const clock = stage.clock
  const ledger = memoryLedger({ queue: stage.queue, installKey: new Uint8Array(32) })
  const applications = stage.sources.map((source) => ({
    name: source.id,
    source,
    target: memoryTarget({ id: source.id, system: stage.system }),
  }))
  const idle = createReconciler({ applications, ledger, clock, random: seededRandom(1) })
  const asked = idle.reconcile('shop')
  await clock.advance(100_000)
  expect((await asked).outcome).toBe('applied')
  expect(idle.list().map(({ phase, ready }) => [phase, ready !== undefined])).toEqual([
    ['idle', true],
    ['idle', false],
  ])
})

test('without hints everything is found by asking, within a second', async () => {
  const stage = stageOf(['shop'], {}, false)
  commitAll(stage, 1)
  for (let index = 0; index < 2; index++) stage.start()
  await stage.clock.advance(10_000)
  commitAll(stage, 2)
  // Some other process was told of the push.
  await stage.queue.enqueue([{ key: 'source/shop', priority: 1 }], createCall({ clock: stage.clock }))
  await stage.clock.advance(1_000)
  expect(sizes(stage)).toEqual([2])
})

test('an application that takes its process down is left alone after five, can be seen, and stops nothing else', async () => {
  const poison = memoryTarget({ id: 'poison', system: memorySystem() })
  let deaths = 0
  const declare: Target['declare'] = () => {
    deaths++
    workers.at(-1)?.die()
    return new Promise(() => {})
  }
  const stage = stageOf(['shop', 'poison'], { poison: { target: { ...poison, declare } } })
  commitAll(stage, 1)
  for (let start = 0; start < 8; start++) {
    stage.start()
    await stage.clock.advance(45_000)
  }
  expect(deaths).toBe(quarantineAfter)
  const query = { keys: ['application/poison'] }
  expect(await stage.queue.items(query, createCall())).toMatchObject([{ crashes: quarantineAfter }])
  commitAll(stage, 2)
  await stage.clock.advance(120_000)
  expect(sizes(stage)).toEqual([2])
})
