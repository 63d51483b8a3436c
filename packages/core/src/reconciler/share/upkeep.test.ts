import { expect, test } from 'vitest'
import { memoryLedger } from '../../ledger/memory.ts'
import { memoryQueue } from '../../queue/memory.ts'
import { type Call, createCall } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { seededRandom } from '../../runtime/random.ts'
import { manualClock } from '../../testing/clock.ts'
import { withFaults } from '../../testing/faults.ts'
import { createReconciler } from '../reconciler.ts'

const HOUR_MS = 3_600_000

/** Processes over one store whose ledger wants to be tidied; `upkeep` is told which of them does it. */
function processes(count: number, upkeep: (id: number, call: Call) => Promise<void>) {
  const clock = manualClock()
  const queue = memoryQueue({ clock })
  const ledger = memoryLedger({ queue, installKey: new Uint8Array(32) })
  const dead = new Set<number>()
  for (let id = 1; id <= count; id++) {
    const own = { ...ledger, upkeep: (call: Call) => upkeep(id, call) }
    const reconciler = createReconciler({
      ledger: withFaults(own, () => (dead.has(id) ? { kind: 'hang' } : undefined)),
      clock,
      random: seededRandom(id),
    })
    reconciler.start()
  }
  return { clock, queue, kill: (id: number) => void dead.add(id) }
}

test('of several processes one tidies the ledger, about every hour', async () => {
  const done: number[] = []
  const { clock } = processes(3, async (id) => void done.push(id))
  await clock.advance(60_000)
  expect(done).toHaveLength(1)
  await clock.advance(3 * HOUR_MS)
  expect(done.length).toBeGreaterThanOrEqual(3)
  expect(done.length).toBeLessThanOrEqual(4)
})

test('when the one that tidies dies, another begins anew once its lease is over', async () => {
  const begun: number[] = []
  const stuck = new Promise<void>(() => {})
  const { clock, kill } = processes(2, (id) => {
    begun.push(id)
    return begun.length === 1 ? stuck : Promise.resolve()
  })
  await clock.advance(60_000)
  expect(begun).toHaveLength(1)
  kill(begun[0]!)
  await clock.advance(120_000)
  expect(begun).toHaveLength(2)
  expect(begun[1]).not.toBe(begun[0])
})

test('however long it takes, nobody else begins while it goes on', async () => {
  let running = 0
  let most = 0
  const { clock } = processes(3, async (_id, call) => {
    most = Math.max(most, ++running)
    await new Promise<void>((resolve) => call.clock.setTimer(10 * 60_000, resolve))
    running--
  })
  await clock.advance(3 * HOUR_MS)
  expect(most).toBe(1)
})

test('it is told to stop when its claim is lost', async () => {
  let reason: unknown
  const { clock, queue } = processes(1, (_id, call) => {
    call.signal.addEventListener('abort', () => (reason = call.signal.reason))
    return new Promise<void>(() => {})
  })
  await clock.advance(60_000)
  await queue.forget(['system/upkeep'], createCall({ clock }))
  await clock.advance(60_000)
  expect(reason).toMatchObject({ code: 'LEDGER_FENCED' })
})

test('a failure is tried again an hour later', async () => {
  let tries = 0
  const { clock } = processes(1, async () => {
    if (++tries === 1) throw new GitOpsError('LEDGER_UNAVAILABLE', 'Not now.')
  })
  await clock.advance(HOUR_MS / 2)
  expect(tries).toBe(1)
  await clock.advance(HOUR_MS)
  expect(tries).toBe(2)
})
