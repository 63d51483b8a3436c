import { expect, test } from 'vitest'
import { fileLedger } from '../ledger/file/file.ts'
import { verifyAudit } from '../ledger/audit.ts'
import { memoryLedger } from '../ledger/memory.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { seededRandom } from '../runtime/random.ts'
import { memorySource } from '../source/memory.ts'
import { testCall } from '../testing/call.ts'
import { manualClock } from '../testing/clock.ts'
import { type Disk, createDisk } from '../testing/disk.ts'
import { memorySystem } from '../testing/memory-system.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import { createReconciler } from './reconciler.ts'

const ref = (name: string) => ({ kind: 'flag', name })

/** A source and a managed system that outlive the process, and a process that may die. */
function createWorld() {
  const source = memorySource({ files: { 'flag/a.json': { on: true }, 'flag/b.json': { on: true } } })
  const system = memorySystem()
  system.put({ ref: ref('foreign'), body: { on: true } })
  const processOn = (disk: Disk) => {
    const target = memoryTarget({ system })
    const ledger = fileLedger('/ledger', { files: disk.files })
    const application = { name: 'shop', source, target, policy: { prune: true } }
    const reconciler = createReconciler({
      applications: [application],
      ledger,
      clock: manualClock(),
      random: seededRandom(1),
    })
    return { reconciler, target, ledger }
  }
  return { source, system, processOn }
}

/** Creates, then updates, prunes and creates at once; until the disk dies. */
async function live(disk: Disk, { source, processOn }: ReturnType<typeof createWorld>): Promise<void> {
  const { reconciler } = processOn(disk)
  await reconciler.reconcile('shop').catch(() => {})
  source.commit({ 'flag/a.json': { on: false }, 'flag/b.json': null, 'flag/c.json': { on: true } })
  await reconciler.reconcile('shop').catch(() => {})
}

async function operationsOfLife(): Promise<number> {
  const disk = createDisk()
  await live(disk, createWorld())
  return disk.operations()
}

test.each(['process', 'none'] as const)(
  'dying at any operation on the disk (%s) leaves no orphan, and the next process finishes the work',
  async (kept) => {
    const total = await operationsOfLife()
    expect(total).toBeGreaterThan(40)
    for (let operation = 1; operation <= total; operation++) {
      const world = createWorld()
      const disk = createDisk()
      disk.dieAt(operation, 'during')
      await live(disk, world)
      disk.restart(kept)
      await expectConverged(disk, world)
    }
  },
)

async function expectConverged(disk: Disk, { processOn }: ReturnType<typeof createWorld>): Promise<void> {
  const { reconciler, target, ledger } = processOn(disk)
  const call = testCall()
  await reconciler.reconcile('shop')
  await reconciler.reconcile('shop')
  const names = [...target.live.values()].map((each) => each.ref.name).toSorted()
  expect(names).toEqual(['a', 'c', 'foreign'])
  const { inventory, journal } = await ledger.read('shop', call)
  expect([...inventory.values()].map((owned) => owned.ref.name).toSorted()).toEqual(['a', 'c'])
  expect(journal).toBeUndefined()
  const writes = target.counts.write
  expect((await reconciler.reconcile('shop')).outcome).toBe('unchanged')
  expect(target.counts.write).toBe(writes)
  expect((await verifyAudit(ledger.audit({}, call))).valid).toBe(true)
  await reconciler[Symbol.asyncDispose]()
}

test('while nothing changes, nothing is written to the ledger', async () => {
  const ledger = memoryLedger({ installKey: new Uint8Array(32) })
  let commits = 0
  const counting: Ledger = {
    ...ledger,
    commit: (...given) => {
      commits++
      return ledger.commit(...given)
    },
  }
  const clock = manualClock()
  const source = memorySource({ files: { 'flag/a.json': { on: true } } })
  const applications = ['heal', 'report', 'adopt'].map((name) => ({
    name,
    source,
    target: memoryTarget(),
    policy: { selfHeal: name === 'heal' ? true : name === 'adopt' ? ('adopt' as const) : false },
  }))
  const reconciler = createReconciler({ applications, ledger: counting, clock, random: seededRandom(1) })
  reconciler.start()
  await clock.advance(60_000)
  for (const application of applications) application.target.system.edit(ref('a'), { on: false })
  await clock.advance(600_000)
  const before = commits
  await clock.advance(24 * 3_600_000)
  expect(commits).toBe(before)
  await reconciler.stop()
})
