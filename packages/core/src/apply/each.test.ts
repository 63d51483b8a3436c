import { expect, test } from 'vitest'
import { desiredState, resource } from '../desired/build.ts'
import type { Action, Change, Plan, Step } from '../plan/plan.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { testCall } from '../testing/call.ts'
import { applyEach, type ApplyEachOptions, type Write } from './each.ts'
import type { Outcome } from './outcome.ts'

const ref = (name: string) => ({ kind: 'queue', name })
const names = ['a', 'b', 'c', 'd']
const desired = desiredState(
  { id: 'r1' },
  names.map((name) => resource({ ref: ref(name), body: { name } })),
)

function change(name: string, action: Action = 'create', step: Step = { phase: 'Sync', wave: 0 }): Change {
  return { ref: ref(name), action, cause: 'revision', fields: [], step }
}

function planOf(...changes: Change[]): Plan {
  return {
    application: 'test',
    revision: { id: 'r1' },
    mode: 'converge',
    effect: 'changes',
    complete: true,
    changes,
    drift: [],
    ignored: [],
    blocked: [],
    warnings: [],
    basis: { digest: desired.digest, version: 'v' },
    fingerprint: 'f',
  }
}

async function run(plan: Plan, write: Write, call = testCall(), options?: ApplyEachOptions): Promise<string[]> {
  const seen: Outcome[] = []
  for await (const outcome of applyEach(plan, desired, call, write, options)) seen.push(outcome)
  return seen.map(({ ref, status, error }) => `${ref.name} ${status}${error ? ` ${error.code}` : ''}`)
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('each change is written once with what is declared, and a removal with nothing', async () => {
  const written: unknown[] = []
  const write: Write = async ({ action }, declared) => {
    written.push([action, declared?.body])
    return { uid: 'u', version: '1' }
  }
  expect(await run(planOf(change('a'), change('b', 'update'), change('c', 'delete')), write)).toEqual([
    'a succeeded',
    'b succeeded',
    'c succeeded',
  ])
  expect(written).toEqual([
    ['create', { name: 'a' }],
    ['update', { name: 'b' }],
    ['delete', undefined],
  ])
})

test('a replace is a removal and a creation, and a forget is nothing', async () => {
  const written: string[] = []
  const write: Write = async ({ action, uid }, declared) =>
    void written.push(`${action} ${uid} ${declared === undefined}`)
  await run(planOf({ ...change('a', 'replace'), uid: 'u1' }, change('gone', 'forget')), write)
  expect(written).toEqual(['delete u1 true', 'create undefined false'])
})

test('outcomes come as they settle, at most as many side by side as is allowed', async () => {
  let running = 0
  let most = 0
  const write: Write = async ({ ref: { name } }) => {
    most = Math.max(most, ++running)
    for (let turn = 0; turn < (name === 'a' ? 5 : 1); turn++) await tick()
    running--
  }
  expect(await run(planOf(...names.map((name) => change(name))), write, testCall(), { concurrency: 2 })).toEqual([
    'b succeeded',
    'c succeeded',
    'd succeeded',
    'a succeeded',
  ])
  expect(most).toBe(2)
})

test.each([
  ['a refusal of the target is a failure', new GitOpsError('TARGET_REFUSED', 'no'), 'a failed TARGET_REFUSED'],
  ['a conflict is a failure', new GitOpsError('APPLY_CONFLICT', 'no'), 'a failed APPLY_CONFLICT'],
  [
    'a connection that broke leaves the outcome unknown',
    new GitOpsError('TARGET_UNREACHABLE', 'reset'),
    'a unknown TARGET_UNREACHABLE',
  ],
  [
    'a deadline leaves the outcome unknown',
    new GitOpsError('DEADLINE_EXCEEDED', 'slow'),
    'a unknown DEADLINE_EXCEEDED',
  ],
  ['an error that nobody translated leaves the outcome unknown', new TypeError('oops'), 'a unknown INTERNAL'],
])('%s', async (_, error, expected) => {
  expect(await run(planOf(change('a')), () => Promise.reject(error))).toEqual([expected])
})

test('after a failure the same step is finished and later steps are not begun', async () => {
  const later = { phase: 'Sync', wave: 1 } as const
  const write: Write = async ({ ref: { name } }) => {
    if (name === 'a') throw new GitOpsError('TARGET_REFUSED', 'no')
  }
  expect(await run(planOf(change('a'), change('b'), change('c', 'create', later)), write)).toEqual([
    'a failed TARGET_REFUSED',
    'b succeeded',
    'c skipped APPLY_FAILED',
  ])
})

test('what is for a failure is made after one, and only then', async () => {
  const onFailure = { phase: 'SyncFail', wave: 0 } as const
  const plan = planOf(change('a'), change('b', 'create', onFailure))
  const fail: Write = async ({ ref: { name } }) => {
    if (name === 'a') throw new GitOpsError('TARGET_REFUSED', 'no')
  }
  expect(await run(plan, fail)).toEqual(['a failed TARGET_REFUSED', 'b succeeded'])
  expect(await run(plan, async () => {})).toEqual(['a succeeded', 'b skipped CANCELLED'])
  expect(await run(planOf(change('b', 'create', onFailure)), fail)).toEqual(['b succeeded'])
})

test('an abort ends the wait for a write that ignores it, and nothing else begins', async () => {
  const call = testCall()
  const started: string[] = []
  const write: Write = ({ ref: { name } }) => {
    started.push(name)
    return new Promise(() => {})
  }
  const running = run(planOf(...names.map((name) => change(name))), write, call, { concurrency: 2 })
  await tick()
  call.abort()
  expect(await running).toEqual([
    'a unknown CANCELLED',
    'b unknown CANCELLED',
    'c skipped CANCELLED',
    'd skipped CANCELLED',
  ])
  expect(started).toEqual(['a', 'b'])
})

test('the fence is asked before every write', async () => {
  let asked = 0
  const assertHeld = (): void => {
    if (++asked > 2) throw new GitOpsError('LEDGER_FENCED', 'lost')
  }
  const written: string[] = []
  const write: Write = async ({ ref: { name } }) => void written.push(name)
  const call = testCall({ fence: { token: 1, assertHeld } })
  expect(await run(planOf(...names.map((name) => change(name))), write, call, { concurrency: 1 })).toEqual([
    'a succeeded',
    'b succeeded',
    'c skipped LEDGER_FENCED',
    'd skipped LEDGER_FENCED',
  ])
  expect(written).toEqual(['a', 'b'])
})

test('a plan for another declaration is refused', async () => {
  const stale = { ...planOf(change('a')), basis: { digest: 'other', version: 'v' } }
  await expect(run(stale, async () => {})).rejects.toMatchObject({ code: 'PLAN_STALE' })
  expect(await run(planOf(change('nobody')), async () => {})).toEqual(['nobody failed PLAN_STALE'])
})
