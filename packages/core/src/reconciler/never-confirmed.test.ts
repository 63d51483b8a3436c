import { expect, test } from 'vitest'
import type { Ledger } from '../ledger/ledger.ts'
import { memoryLedger } from '../ledger/memory.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { memorySource } from '../source/memory.ts'
import { manualClock } from '../testing/clock.ts'
import { type MemoryTargetOptions, memoryTarget } from '../testing/memory-target.ts'
import { createReconciler } from './reconciler.ts'

const b = { kind: 'flag', name: 'b' }
const theirs = { kind: 'flag', name: 'b', theirs: true }
const lost = new GitOpsError('TARGET_UNREACHABLE', 'The answer was lost.')

/** Two flags are declared, then one. Nobody knows whether the other was ever made: the answer to its creation was lost. */
async function intendedAndUndeclared(options: MemoryTargetOptions) {
  const source = memorySource({ files: { 'flag/a.json': '{"on":true}', 'flag/b.json': '{"on":true}' } })
  const target = memoryTarget(options)
  const kept = memoryLedger()
  const disk = { isFull: false }
  const ledger: Ledger = {
    ...kept,
    commit: async (application, change, call) => {
      if (disk.isFull && change.journal?.step === 1) throw new GitOpsError('LEDGER_UNAVAILABLE', 'The disk is full.')
      return kept.commit(application, change, call)
    },
  }
  const applications = [{ name: 'shop', source, target, policy: { prune: true } }]
  const reconciler = createReconciler({ applications, ledger, clock: manualClock() })
  expect(await reconciler.reconcile('shop')).toMatchObject({ outcome: 'failed' })
  source.commit({ 'flag/b.json': null })
  const bodyOfB = () => [...target.live.values()].find(({ ref }) => ref.name === 'b')?.body
  return { reconciler, target, disk, bodyOfB }
}

test('what somebody makes is theirs, although we once meant to make it and could not write down that we forgot it', async () => {
  const { reconciler, target, disk, bodyOfB } = await intendedAndUndeclared({
    before: (operation, ref) => {
      if (operation === 'write' && ref?.name === 'b') throw lost
    },
  })
  disk.isFull = true
  expect(await reconciler.reconcile('shop')).toMatchObject({ outcome: 'failed', error: { code: 'LEDGER_UNAVAILABLE' } })
  disk.isFull = false
  target.system.put({ ref: b, body: theirs })
  const { plan } = await reconciler.reconcile('shop')
  expect(plan?.blocked).toMatchObject([{ ref: b, rule: 'never-confirmed' }])
  expect(bodyOfB()).toEqual(theirs)
})

test('and although we deleted what we had made in its place, and could not write that down', async () => {
  let isLost = true
  const { reconciler, target, disk, bodyOfB } = await intendedAndUndeclared({
    after: (operation, ref) => {
      if (operation === 'write' && ref?.name === 'b' && isLost) throw lost
    },
  })
  isLost = false
  disk.isFull = true
  expect(await reconciler.reconcile('shop')).toMatchObject({ outcome: 'failed', error: { code: 'LEDGER_UNAVAILABLE' } })
  expect(bodyOfB()).toBeUndefined()
  disk.isFull = false
  target.system.put({ ref: b, body: theirs })
  const { plan } = await reconciler.reconcile('shop')
  expect(plan?.blocked).toMatchObject([{ ref: b, rule: 'never-confirmed' }])
  expect(bodyOfB()).toEqual(theirs)
})
