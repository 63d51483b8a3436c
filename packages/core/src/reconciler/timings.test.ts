import { expect, test } from 'vitest'
import type { ApplicationEvent, EventOf } from '../feedback/events.ts'
import { memoryLedger } from '../ledger/memory.ts'
import { seededRandom } from '../runtime/random.ts'
import type { Source } from '../source/source.ts'
import { memorySource } from '../source/memory.ts'
import { sleep } from '../runtime/call.ts'
import { manualClock } from '../testing/clock.ts'
import { type MemoryTargetOptions, memoryTarget } from '../testing/memory-target.ts'
import { createReconciler } from './reconciler.ts'

function setUp(options: MemoryTargetOptions = {}, slow: (source: Source) => Source = (source) => source) {
  const clock = manualClock()
  const memory = memorySource({ files: { 'flag/a.json': { on: true }, 'flag/b.json': { on: true } } })
  const target = memoryTarget(options)
  const events: ApplicationEvent[] = []
  const reconciler = createReconciler({
    applications: [
      { name: 'shop', source: slow(memory), target, policy: { prune: true, healthTimeoutMs: 60_000, jitter: 0 } },
    ],
    ledger: memoryLedger({ installKey: new Uint8Array(32) }),
    clock,
    random: seededRandom(1),
  })
  reconciler.onAny((event) => void events.push(event))
  const finished = () => events.filter((event): event is EventOf<'finished'> => event.type === 'finished')
  return { clock, memory, target, events, reconciler, finished }
}

test('a run says what its time went into, in the order of the verbs', async () => {
  const { reconciler, finished } = setUp()
  await reconciler.reconcile('shop')
  const [{ timings } = { timings: [] }] = finished()
  expect(
    timings.map(({ activity, step }) => (step === undefined ? activity : `${activity} ${step.phase} ${step.wave}`)),
  ).toEqual([
    'resolve',
    'resolve',
    'declare',
    'observe',
    'plan',
    'record',
    'assess Sync 0',
    'apply Sync 0',
    'record',
    'apply',
    'assess',
    'record',
  ])
})

test('waiting for health is told as the time of assess', async () => {
  let healthy = false
  const { reconciler, finished, clock } = setUp({ health: () => (healthy ? 'healthy' : 'progressing') })
  const running = reconciler.reconcile('shop')
  await clock.advance(20_000)
  healthy = true
  await clock.advance(40_000)
  await running
  const waited = finished()[0]?.timings.find(({ activity, step }) => activity === 'assess' && step === undefined)
  expect(waited?.durationMs).toBeGreaterThanOrEqual(20_000)
})

test('what failed carries the code of its error, and the run still says how long it took', async () => {
  const { reconciler, finished, target } = setUp({ health: () => 'degraded' })
  await reconciler.reconcile('shop')
  expect(target.live.size).toBe(2)
  expect(finished()[0]).toMatchObject({ outcome: 'failed' })
  expect(finished()[0]?.timings.at(-1)).toMatchObject({ activity: 'assess', code: 'HEALTH_DEGRADED' })
})

test('removing everything ends with how it went', async () => {
  const { reconciler, finished, events } = setUp()
  await reconciler.reconcile('shop')
  await reconciler.remove('shop', { cascade: true })
  expect(finished().map(({ outcome }) => outcome)).toEqual(['applied', 'applied'])
  expect(events.at(-1)?.type).toBe('removed')
})

test('long work is told as it comes further, at most ten times a second, and short work not at all', async () => {
  const download =
    (blocks: number) =>
    (source: Source): Source => ({
      ...source,
      resolve: async (call) => {
        for (let done = 1; done <= blocks; done++) {
          call.progress?.({ activity: 'receiving', done, total: blocks, unit: 'blocks' })
          await sleep(10, call)
        }
        return source.resolve(call)
      },
    })
  const told = async (blocks: number) => {
    const { reconciler, clock, events } = setUp({}, download(blocks))
    const running = reconciler.reconcile('shop')
    await clock.advance(10_000)
    await running
    return events.flatMap((event) => (event.type === 'progressed' ? event.progress.done : []))
  }
  expect(await told(5)).toEqual([])
  expect(await told(35)).toEqual([11, 21, 31, 35])
})
