import { expect, test } from 'vitest'
import { actualState } from '../actual/build.ts'
import type { Outcome } from '../apply/outcome.ts'
import type { DesiredState } from '../desired/desired.ts'
import type { Plan } from '../plan/plan.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { type MemoryFiles, memorySource } from '../source/memory.ts'
import type { Snapshot } from '../source/source.ts'
import type { Target } from '../target/target.ts'
import { testCall } from './call.ts'
import { memorySystem } from './memory-system.ts'
import { memoryTarget, type MemoryTarget } from './memory-target.ts'
import { testTargetConformance } from './target-conformance.ts'

/** The names of the statements a target fails. */
async function failuresOf(change: (target: MemoryTarget) => Partial<Target>): Promise<string[]> {
  const snapshot = await declared({
    'queue/a.json': { size: 1 },
    'login/b.json': { password: 'hunter2', $sensitive: ['/password'] },
  })
  const nextSnapshot = await declared({ 'queue/a.json': { size: 2 } })
  const tests: [string, () => Promise<void>][] = []
  let broken = false
  const create = (system = memorySystem()): MemoryTarget => {
    const before = (operation: string): void => {
      if (broken && operation === 'read') throw new GitOpsError('TARGET_UNREACHABLE', 'no answer')
    }
    const target = memoryTarget({ system, before })
    return Object.assign(target, change({ ...target }))
  }
  testTargetConformance({
    test: (name, run) => tests.push([name, run]),
    createTarget: () => create(),
    snapshot,
    nextSnapshot,
    drift: ({ system }) => void system.edit({ kind: 'queue', name: 'a' }, { size: 7 }),
    breakReads: () => void (broken = true),
    reopenTarget: ({ system }) => create(system),
  })
  const failed: string[] = []
  for (const [name, run] of tests) {
    broken = false
    await run().catch(() => failed.push(name))
  }
  return failed
}

async function declared(files: MemoryFiles): Promise<Snapshot> {
  const source = memorySource({ files })
  return source.snapshot(await source.resolve(testCall()), testCall())
}

test('a target that keeps every promise fails nothing', async () => {
  expect(await failuresOf(() => ({}))).toEqual([])
})

test.each<[string, (target: MemoryTarget) => Partial<Target>, string]>([
  [
    'remembers an application and does not look at its files again',
    (old) => {
      const first = new WeakMap<object, DesiredState>()
      return {
        declare: async (snapshot, call) => {
          const known = first.get(call.lifetime ?? call) ?? (await old.declare(snapshot, call))
          first.set(call.lifetime ?? call, known)
          return { ...known, revision: snapshot.revision }
        },
      }
    },
    'declares the same whatever the application declared before',
  ],
  [
    'takes a failed read for an empty one',
    (old) => ({
      observe: async (desired, owned, call) => {
        const actual = await old.observe(desired, owned, call)
        return { ...actual, unknown: new Map(), complete: true }
      },
    }),
    'a failed read is never taken as missing, in sync or to be deleted',
  ],
  [
    'declares something new each time',
    (old) => ({ declare: async (...args) => ({ ...(await old.declare(...args)), digest: String(Math.random()) }) }),
    'declares the same for the same snapshot',
  ],
  [
    'writes while it observes',
    (old) => ({
      observe: async (...args) => {
        old.system.put({ ref: { kind: 'queue', name: 'a' }, body: {} })
        return old.observe(...args)
      },
    }),
    'planning is repeatable and changes nothing',
  ],
  [
    'says it applied what it did not',
    () => ({
      async *apply(plan): AsyncIterable<Outcome> {
        for (const { ref, action } of plan.changes) yield { ref, action, status: 'succeeded' }
      },
    }),
    'applies what it planned, one outcome for each change, and then plans nothing',
  ],
  [
    'is silent about one change',
    (old) => ({
      async *apply(plan, ...args): AsyncIterable<Outcome> {
        let first = true
        for await (const outcome of old.apply(plan, ...args)) {
          if (!first) yield outcome
          first = false
        }
      },
    }),
    'applies what it planned, one outcome for each change, and then plans nothing',
  ],
  [
    'applies everything although it is given a part',
    (old) => {
      let whole: Plan | undefined
      return {
        plan: async (...args) => (whole = await old.plan(...args)),
        apply: (plan, ...args) => old.apply({ ...(whole ?? plan) }, ...args),
      }
    },
    'applies only the changes it is given',
  ],
  [
    'does not ask the fence',
    (old) => ({
      apply: (plan, desired, { fence: _fence, ...call }) => old.apply(plan, desired, call),
    }),
    'writes nothing when the fence is lost',
  ],
  [
    'does not hear an abort',
    (old) => ({
      apply: (plan, desired, call) => old.apply(plan, desired, { ...call, signal: new AbortController().signal }),
      observe: (desired, owned, call) => old.observe(desired, owned, { ...call, signal: new AbortController().signal }),
    }),
    'an aborted call ends every verb, and nothing is written',
  ],
  [
    'prunes what the inventory does not hold',
    (old) => ({
      plan: async (desired, actual, request, call) => {
        const owned = { ref: { kind: 'login', name: 'b' }, state: 'applied', revision: 'r' } as const
        return old.plan(
          desired,
          actualState({ resources: [...actual.resources.values(), { ref: owned.ref, body: {} }], observedAt: 0 }),
          { ...request, owned: new Map([...request.owned, ['/login//b', owned]]) },
          call,
        )
      },
    }),
    'never deletes what the inventory does not hold',
  ],
  [
    'prunes although pruning is off',
    (old) => ({
      plan: (desired, actual, request, call) => old.plan(desired, actual, { ...request, prune: true }, call),
    }),
    'deletes what is no longer declared only where pruning is on',
  ],
  [
    'shows a secret',
    (old) => ({
      plan: async (...args) => ({ ...(await old.plan(...args)), warnings: ['the password is hunter2'] }),
    }),
    'shows no secret in a plan',
  ],
  [
    'hides drift',
    (old) => ({ plan: async (...args) => ({ ...(await old.plan(...args)), drift: [] }) }),
    'reports drift and heals it',
  ],
  [
    'is always healthy',
    () => ({ assess: async () => ({ status: 'healthy', message: 'fine', resources: new Map() }) }),
    'reports its health: not healthy before anything was applied',
  ],
])('a target that %s is caught', async (_, change, statement) => {
  expect(await failuresOf(change)).toContain(statement)
})
