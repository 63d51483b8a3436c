import { describe, expect, test } from 'vitest'
import type { Inventory, Owned } from '../actual/inventory.ts'
import type { Outcome } from '../apply/outcome.ts'
import type { DesiredState } from '../desired/desired.ts'
import { refKey } from '../desired/ref.ts'
import { createSeal } from '../plan/seal.ts'
import type { IgnoreRule, Plan, PlanRequest } from '../plan/plan.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { type MemoryFiles, memorySource } from '../source/memory.ts'
import type { Snapshot } from '../source/source.ts'
import { testCall } from './call.ts'
import { memorySystem } from './memory-system.ts'
import { testTargetConformance } from './target-conformance.ts'
import { memoryTarget, type MemoryTarget, type MemoryTargetOptions } from './memory-target.ts'

const declared = (files: MemoryFiles): Promise<Snapshot> => {
  const source = memorySource({ files })
  return source.snapshot(source.history[0]!, testCall())
}

let unreachable = false
const secret = { user: 'shop', password: 'hunter2', $sensitive: ['/password'] }

describe('a memory target is a target', async () => {
  testTargetConformance({
    test,
    snapshot: await declared({
      'queue/orders.json': { size: 3 },
      'queue/shop/mail.yaml': 'size: 1',
      'login/db.json': secret,
    }),
    nextSnapshot: await declared({
      'queue/orders.json': { size: 4 },
      'login/db.json': { ...secret, password: 'hunter3' },
    }),
    createTarget: () => {
      unreachable = false
      const before = (): void => {
        if (unreachable) throw new GitOpsError('TARGET_UNREACHABLE', 'no answer')
      }
      return memoryTarget({ before })
    },
    drift: ({ system }) => void system.edit(orders, { size: 9 }),
    breakReads: () => void (unreachable = true),
    reopenTarget: ({ system }) => memoryTarget({ system }),
  })
})

const orders = { kind: 'queue', name: 'orders' }

function scene(options: MemoryTargetOptions = {}) {
  const source = memorySource({ files: { 'queue/orders.json': { size: 3 } } })
  const target = memoryTarget(options)
  const call = testCall({ application: 'shop' })
  let owned: Inventory = new Map()
  let previous: DesiredState | undefined
  const plan = async (ignore: readonly IgnoreRule[] = []): Promise<{ plan: Plan; apply: () => Promise<Outcome[]> }> => {
    const desired = await target.declare(await source.snapshot(await source.resolve(call), call), call)
    const actual = await target.observe(desired, owned, call)
    const seal = createSeal(new Uint8Array(32))
    const request: PlanRequest = {
      application: 'shop',
      mode: 'converge',
      owned,
      prune: true,
      ignore,
      seal,
      ...(previous && { previous }),
    }
    const made = await target.plan(desired, actual, request, call)
    const apply = async (): Promise<Outcome[]> => {
      const outcomes = []
      for await (const outcome of target.apply(made, desired, call)) outcomes.push(outcome)
      owned = new Map(
        outcomes.filter(({ status }) => status === 'succeeded').map((each) => [refKey(each.ref), ownedBy(each)]),
      )
      previous = desired
      return outcomes
    }
    return { plan: made, apply }
  }
  return { source, target, call, plan }
}

function ownedBy({ ref, uid }: Outcome): Owned {
  return { ref, state: 'applied', revision: 'r1', ...(uid !== undefined && { uid }) }
}

test('applies what is declared, claims it, and then plans nothing', async () => {
  const { target, plan } = scene()
  const outcomes = await (await plan()).apply()
  expect(outcomes).toMatchObject([{ ref: orders, action: 'create', status: 'succeeded', uid: 'uid-1', version: '1' }])
  expect(target.live.get(refKey(orders))).toMatchObject({ body: { size: 3 }, owner: 'shop' })
  expect((await plan()).plan.effect).toBe('none')
  expect(target.counts).toMatchObject({ observe: 2, read: 2, write: 1 })
})

test('an edit past the engine shows who made it', async () => {
  const { target, plan } = scene()
  await (await plan()).apply()
  target.system.edit(orders, { size: 9 }, { name: 'maria', via: 'console', confidence: 'certain' })
  const [drift] = (await plan()).plan.drift
  expect(drift).toMatchObject({
    kind: 'modified',
    actor: { name: 'maria' },
    fields: [{ path: '/size', before: 9, after: 3 }],
  })
})

test('a write leaves alone what a rule leaves to somebody else', async () => {
  const { source, target, plan } = scene()
  source.commit({ 'queue/orders.json': { size: 3, on: true } })
  await (await plan()).apply()
  target.system.edit(orders, { size: 9, on: true }, { name: 'autoscaler', confidence: 'certain' })
  source.commit({ 'queue/orders.json': { size: 3, on: false } })
  const rules = [{ actors: ['autoscaler'] }]
  await (await plan(rules)).apply()
  expect(target.live.get(refKey(orders))?.body).toEqual({ size: 9, on: false })
  expect((await plan(rules)).plan).toMatchObject({ changes: [], ignored: [{ path: '/size' }] })
})

test('a live entry set by hand is drift too', async () => {
  const { target, plan } = scene()
  await (await plan()).apply()
  target.live.set(refKey(orders), { ref: orders, body: { size: 9 } })
  expect((await plan()).plan.drift).toMatchObject([{ kind: 'modified' }])
})

test('a read that fails is unknown, not missing', async () => {
  const before: MemoryTargetOptions['before'] = (operation) => {
    if (operation === 'read') throw new GitOpsError('TARGET_UNREACHABLE', 'no answer')
  }
  const { plan } = scene({ before })
  expect((await plan()).plan).toMatchObject({ complete: false, changes: [], blocked: [{ rule: 'unreadable' }] })
})

test('an answer that is lost leaves an unknown outcome behind', async () => {
  const after: MemoryTargetOptions['after'] = (operation) => {
    if (operation === 'write') throw new GitOpsError('TARGET_UNREACHABLE', 'connection reset')
  }
  const { target, plan } = scene({ after })
  expect(await (await plan()).apply()).toMatchObject([{ status: 'unknown', error: { code: 'TARGET_UNREACHABLE' } }])
  expect(target.live.size).toBe(1)
})

test('a write planned against an older version is refused', async () => {
  const { source, target, plan } = scene()
  await (await plan()).apply()
  source.commit({ 'queue/orders.json': { size: 4 } })
  const { apply } = await plan()
  target.system.edit(orders, { size: 9 })
  expect(await apply()).toMatchObject([{ status: 'failed', error: { code: 'PLAN_STALE' } }])
  expect(target.live.get(refKey(orders))?.body).toEqual({ size: 9 })
})

test('a change of something that was deleted meanwhile makes nothing: its identity is gone', async () => {
  const { source, target, plan } = scene()
  await (await plan()).apply()
  source.commit({ 'queue/orders.json': { size: 4 } })
  const { apply } = await plan()
  target.system.remove(orders)
  expect(await apply()).toMatchObject([{ action: 'update', status: 'failed', error: { code: 'PLAN_STALE' } }])
  expect(target.live.size).toBe(0)
})

test('an older writer is fenced off by a newer one', async () => {
  const system = memorySystem()
  system.tokens.set('shop', 2)
  const { target, plan, call } = scene({ system })
  const fenced = { ...call, fence: { token: 1, assertHeld: () => {} } }
  const outcomes = await outcomesWith(target, (await plan()).plan, fenced)
  expect(outcomes).toMatchObject([{ status: 'failed', error: { code: 'LEDGER_FENCED' } }])
  expect(system.live.size).toBe(0)
})

async function outcomesWith(target: MemoryTarget, plan: Plan, call: ReturnType<typeof testCall>): Promise<Outcome[]> {
  const source = memorySource({ files: { 'queue/orders.json': { size: 3 } } })
  const desired = await target.declare(await source.snapshot(await source.resolve(call), call), call)
  const outcomes = []
  for await (const outcome of target.apply(plan, desired, call)) outcomes.push(outcome)
  return outcomes
}

test('health is what the health function says, and missing where nothing is there', async () => {
  const { source, target, call, plan } = scene({ health: () => ({ status: 'progressing', message: '1 of 3 ready' }) })
  const desired = await target.declare(await source.snapshot(await source.resolve(call), call), call)
  const health = async () =>
    (await target.assess(desired, await target.observe(desired, new Map(), call), call)).message
  expect(await health()).toBe('queue orders is missing: It is not there.')
  await (await plan()).apply()
  expect(await health()).toBe('queue orders is progressing: 1 of 3 ready')
})

test('a watch yields what changes and ends with the call', async () => {
  const { target, call } = scene()
  const seen: unknown[] = []
  const watching = (async () => {
    for await (const change of target.watch!({} as never, new Map(), call)) seen.push(change.ref?.name)
  })()
  await call.clock.settle()
  target.system.put({ ref: orders, body: {} })
  await call.clock.settle()
  call.abort()
  await watching
  expect(seen).toEqual(['orders'])
})
