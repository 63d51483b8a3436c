import { expect, test } from 'vitest'
import { memoryLedger } from '../ledger/memory.ts'
import { memoryQueue } from '../queue/memory.ts'
import { abortable } from '../runtime/settle.ts'
import { seededRandom } from '../runtime/random.ts'
import { memorySource } from '../source/memory.ts'
import type { Target } from '../target/target.ts'
import { manualClock } from '../testing/clock.ts'
import { memorySystem } from '../testing/memory-system.ts'
import { memoryTarget } from '../testing/memory-target.ts'
import type { Application } from './application.ts'
import { createReconciler } from './reconciler.ts'

/** A tenant with forty applications whose target never answers a write, and one with a single application, in one cluster. */
function cluster(tenantConcurrency: number | undefined, isShared: boolean) {
  const clock = manualClock()
  const system = memorySystem()
  const writing = { now: 0, most: 0 }
  const cluster = memoryTarget({ id: 'cluster', system })
  const stuck: Target = {
    ...cluster,
    async *apply(_plan, _desired, call) {
      writing.most = Math.max(writing.most, ++writing.now)
      yield await abortable(call.signal)
        .until(new Promise<never>(() => {}))
        .finally(() => writing.now--)
    },
  }
  const application = (name: string, tenant: string, target: Target): Application => {
    const source = memorySource({ id: name, files: { [`item/${name}.json`]: '{}' } })
    return { name, tenant, target, source, policy: { mode: 'automatic', healthTimeoutMs: 3_600_000 } }
  }
  const queue = memoryQueue({ clock })
  const big = Array.from({ length: 40 }, (_, index) => application(`big-${index}`, 'big', stuck))
  const reconciler = createReconciler({
    applications: [...big, application('small', 'small', cluster)],
    ledger: memoryLedger(isShared ? { queue } : {}),
    clock,
    random: seededRandom(1),
    ...(tenantConcurrency !== undefined && { tenantConcurrency }),
  })
  reconciler.start()
  return { clock, reconciler, writing }
}

for (const isShared of [false, true]) {
  const where = isShared ? 'where processes share the applications' : 'in one process'

  test(`a tenant whose work never ends starves nobody, ${where}`, async () => {
    const { clock, reconciler, writing } = cluster(4, isShared)
    await clock.advance(30_000)
    expect(reconciler.status('small').ready).toBeDefined()
    expect(writing.most).toBe(4)
  })

  test(`without a limit for tenants it does, ${where}`, async () => {
    const { clock, reconciler, writing } = cluster(undefined, isShared)
    await clock.advance(30_000)
    expect(reconciler.status('small').ready).toBeUndefined()
    expect(writing.most).toBe(8)
  })
}
