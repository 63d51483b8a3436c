import { expect, test } from 'vitest'
import type { Ledger, LedgerChange, RunRecord } from '../../ledger/ledger.ts'
import { memoryLedger } from '../../ledger/memory.ts'
import { memoryQueue } from '../../queue/memory.ts'
import { createCall } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { seededRandom } from '../../runtime/random.ts'
import { memorySource } from '../../source/memory.ts'
import { manualClock } from '../../testing/clock.ts'
import { memorySystem } from '../../testing/memory-system.ts'
import { memoryTarget } from '../../testing/memory-target.ts'
import { createReconciler } from '../reconciler.ts'

const key = 'application/shop'

/** One process with one application; `before` is called before a commit reaches the store, and may refuse it. */
function stage() {
  const clock = manualClock()
  const queue = memoryQueue({ clock })
  const inner = memoryLedger({ queue, installKey: new Uint8Array(32) })
  const commits: LedgerChange[] = []
  const completed: string[] = []
  const system = memorySystem()
  const hooks = { before: async (_change: LedgerChange): Promise<void> => {} }
  const ledger: Ledger = {
    ...inner,
    queue: {
      ...queue,
      complete: (completions, call) => {
        completed.push(...completions.map(({ claim }) => `${claim.key} ${claim.token}`))
        return queue.complete(completions, call)
      },
    },
    commit: async (application, change, call) => {
      await hooks.before(change)
      commits.push(change)
      return inner.commit(application, change, call)
    },
  }
  const source = memorySource({ id: 'shop', files: { 'item/shop.json': '{"size": 1}' } })
  const policy = { mode: 'automatic', selfHeal: true, intervalMs: 86_400_000, driftIntervalMs: 86_400_000 } as const
  const target = memoryTarget({ id: 'target', system })
  const reconciler = createReconciler({
    applications: [{ name: 'shop', source, target, policy }],
    ledger,
    clock,
    random: seededRandom(1),
  })
  const runs = async (): Promise<readonly string[]> => {
    const found: RunRecord[] = []
    for await (const run of inner.history({}, createCall())) found.push(run)
    return found.map(({ outcome }) => outcome)
  }
  reconciler.start()
  return { clock, queue, system, source, commits, completed, hooks, reconciler, runs }
}

test('what a run did and the end of its claim are one commit', async () => {
  const { clock, commits, completed, runs } = stage()
  await clock.advance(5_000)
  expect(await runs()).toEqual(['applied'])
  const last = commits.filter(({ run }) => run !== undefined)
  expect(last).toMatchObject([{ complete: { claim: { key } }, audit: [{ action: 'applied' }] }])
  expect(commits.indexOf(last[0]!)).toBe(commits.length - 1)
  expect(completed).not.toContain(`${key} ${last[0]!.claim?.token}`)
})

test('when that commit does not happen, neither did, whoever asked is told, and it is looked at again', async () => {
  const { clock, hooks, queue, reconciler, runs } = stage()
  hooks.before = async ({ run }) => {
    if (run !== undefined) throw new GitOpsError('LEDGER_UNAVAILABLE', 'Not now.')
  }
  const asked = reconciler.reconcile('shop')
  await clock.advance(500)
  expect(await asked).toMatchObject({ outcome: 'failed', error: { code: 'LEDGER_UNAVAILABLE' } })
  expect(await runs()).toEqual([])
  const [item] = await queue.items({ keys: [key] }, createCall())
  expect([item?.done, item?.dueInMs !== undefined || item?.worker !== undefined]).toEqual([0, true])
  hooks.before = async () => {}
  await clock.advance(60_000)
  expect((await queue.items({ keys: [key] }, createCall()))[0]?.done).toBeGreaterThan(0)
  expect(reconciler.status('shop').ready).toBeDefined()
})

test('what is asked for while the end is being stored is not lost', async () => {
  const { clock, hooks, source, system } = stage()
  await clock.advance(30_000)
  hooks.before = async ({ complete }) => {
    if (complete === undefined) return
    hooks.before = async () => {}
    system.edit({ kind: 'item', name: 'shop' }, { size: 9 })
    // The watch of the target tells of it before the commit goes on.
    for (let turn = 0; turn < 200; turn++) await Promise.resolve()
  }
  source.commit({ 'item/shop.json': '{"size": 2}' })
  await clock.advance(30_000)
  expect([...system.live.values()].map(({ body }) => body['size'])).toEqual([2])
})
