import { describe, expect, test } from 'vitest'
import type { Change, Drift, Plan } from '../plan/plan.ts'
import { silentLog } from '../runtime/log.ts'
import { systemClock } from '../runtime/clock.ts'
import type { ApplicationEvent, EventBodies, EventType } from './events.ts'
import { createFeedback } from './feedback.ts'
import { type ApplicationState, initialState, reduce } from './state.ts'

const ref = { kind: 'flag', name: 'checkout' }
const old = { id: 'a1' }
const fresh = { id: 'b2' }
const drift: Drift = { ref, kind: 'modified', fields: [], healed: true }
const error = { code: 'TARGET_UNREACHABLE', message: 'No answer.', retryable: true } as const

const change = (cause: Change['cause']): Change => ({
  ref,
  action: 'update',
  cause,
  fields: [],
  step: { phase: 'Sync', wave: 0 },
})

function plan(parts: Partial<Plan> = {}): Plan {
  return {
    application: 'shop',
    revision: fresh,
    mode: 'converge',
    effect: 'changes',
    complete: true,
    changes: [],
    drift: [],
    ignored: [],
    blocked: [],
    warnings: [],
    basis: { digest: 'd', version: 'v' },
    fingerprint: 'f1',
    ...parts,
  }
}

function event<T extends EventType>(type: T, body: EventBodies[T]): ApplicationEvent {
  return { type, application: 'shop', sequence: 7, at: 1_000, ...body } as ApplicationEvent
}

function after(...events: readonly ApplicationEvent[]): ApplicationState {
  return events.reduce(reduce, initialState('shop'))
}

describe('alignment after a plan', () => {
  test.each([
    ['nothing differs', plan(), 'aligned'],
    ['nothing differs in what could be read', plan({ complete: false }), 'unknown'],
    ['the declaration has something new', plan({ changes: [change('revision')] }), 'behind'],
    ['only the target moved', plan({ changes: [change('drift')], drift: [drift] }), 'drifted'],
    ['the target moved and is not healed', plan({ drift: [{ ...drift, healed: false }] }), 'drifted'],
    ['both moved', plan({ changes: [change('drift'), change('revision')], drift: [drift] }), 'behind'],
    ['one field moved on both sides', plan({ changes: [change('both')], drift: [drift] }), 'behind'],
    ['a change is blocked', plan({ blocked: [{ rule: 'prune-disabled', message: 'Kept.' }] }), 'behind'],
  ] as const)('%s', (_reason, planned, alignment) => {
    expect(after(event('planned', { plan: planned })).alignment).toBe(alignment)
  })
})

test.each(['declare', 'observe', 'plan'] as const)(
  'a failure to %s makes the alignment unknown, never aligned',
  (during) => {
    const state = after(event('planned', { plan: plan() }), event('failed', { error, during }))
    expect(state).toMatchObject({ alignment: 'unknown', error, failedDuring: during, failures: 1, phase: 'idle' })
  },
)

test('a source that does not answer says nothing about the target', () => {
  const state = after(event('planned', { plan: plan() }), event('failed', { error, during: 'resolve' }))
  expect(state.alignment).toBe('aligned')
})

test('a wait names its blocker and deadline, and both are gone when a run starts', () => {
  const blocker = { kind: 'health', name: 'flag checkout', message: 'Rolling out.' } as const
  const waiting = after(
    event('started', { runId: 'r1', trigger: 'interval' }),
    event('parked', { blocker, deadlineAt: 9_000 }),
    event('finished', { runId: 'r1', outcome: 'parked', durationMs: 5, timings: [] }),
  )
  expect(waiting).toMatchObject({ phase: 'waiting', blocker, deadlineAt: 9_000 })
  const again = reduce(waiting, event('started', { runId: 'r2', trigger: 'health' }))
  expect(again).not.toHaveProperty('blocker')
  expect(again).not.toHaveProperty('deadlineAt')
})

test('an error stays visible until a run ends well', () => {
  const broken = after(
    event('failed', { error, during: 'observe' }),
    event('started', { runId: 'r2', trigger: 'retry' }),
  )
  expect(broken.error).toEqual(error)
  const mended = reduce(broken, event('finished', { runId: 'r2', outcome: 'unchanged', durationMs: 5, timings: [] }))
  expect(mended).toMatchObject({ failures: 0, phase: 'idle', lastRunAt: 1_000 })
  expect(mended).not.toHaveProperty('error')
})

test('a plan that waits for an approval is pending until it is approved, applied, or another plan takes its place', () => {
  const asked = after(event('approvalRequested', { plan: plan({ changes: [change('revision')] }), reasons: [] }))
  expect(asked.pending).toEqual({
    fingerprint: 'f1',
    revision: 'b2',
    changes: 1,
    deletions: 0,
    blocked: 0,
    complete: true,
  })
  expect(reduce(asked, event('approved', { fingerprint: 'f1', by: 'ada' })).pending).toBeUndefined()
  expect(reduce(asked, event('approved', { fingerprint: 'f0', by: 'ada' })).pending).toBeDefined()
  expect(reduce(asked, event('planned', { plan: plan({ fingerprint: 'f1' }) })).pending).toBeDefined()
  expect(reduce(asked, event('planned', { plan: plan({ fingerprint: 'f2' }) })).pending).toBeUndefined()
})

test('drift is listed once for each resource and kind until it is resolved', () => {
  const missing: Drift = { ref, kind: 'missing', fields: [], healed: false }
  const both = after(
    event('drifted', { drift, firstSeenAt: 1, occurrences: 1 }),
    event('drifted', { drift, firstSeenAt: 1, occurrences: 2 }),
    event('drifted', { drift: missing, firstSeenAt: 1, occurrences: 1 }),
  )
  expect(both.drift).toEqual([drift, missing])
  const resolved = reduce(both, event('driftResolved', { ref, kind: 'modified', how: 'healed', lastedMs: 5 }))
  expect(resolved.drift).toEqual([missing])
})

test('what the ledger remembers is there from the first event on', () => {
  const suspension = { by: 'ada', at: 1, reason: 'migration' }
  const state = after(event('added', { remembered: { applied: old, failures: 2, suspension } }))
  expect(state).toMatchObject({ applied: old, failures: 2, suspension, alignment: 'unknown' })
})

test('events of other applications and progress change nothing', () => {
  const state = after(event('resolved', { revision: fresh }))
  expect(reduce(state, { ...event('resolved', { revision: old }), application: 'queue' })).toBe(state)
  expect(reduce(state, event('progressed', { progress: { activity: 'reading', done: 1, unit: 'files' } }))).toBe(state)
})

test('a recorded log replays to the same state, also through JSON', () => {
  const feedback = createFeedback({ clock: systemClock, log: silentLog })
  const recorded: ApplicationEvent[] = []
  feedback.onAny((told) => void recorded.push(told))
  feedback.record({ type: 'added', application: 'shop', remembered: { applied: old } })
  feedback.record({ type: 'started', application: 'shop', runId: 'r1', trigger: 'interval' })
  feedback.record({ type: 'resolved', application: 'shop', revision: fresh, previous: old })
  feedback.record({ type: 'planned', application: 'shop', plan: plan({ changes: [change('drift')], drift: [drift] }) })
  feedback.record({ type: 'drifted', application: 'shop', drift, firstSeenAt: 1, occurrences: 1 })
  feedback.record({ type: 'failed', application: 'shop', error, during: 'apply', runId: 'r1' })
  const replayed = (JSON.parse(JSON.stringify(recorded)) as ApplicationEvent[]).reduce(reduce, initialState('shop'))
  expect(replayed).toEqual(feedback.state('shop'))
  expect(recorded.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6])
})

test('an application has a state from added until removed, so a late event leaks nothing', () => {
  const feedback = createFeedback({ clock: systemClock, log: silentLog })
  feedback.record({ type: 'resumed', application: 'shop', by: 'ada' })
  expect(feedback.state('shop')).toBeUndefined()
  feedback.record({ type: 'added', application: 'shop', remembered: {} })
  expect(feedback.state('shop')).toBeDefined()
  feedback.record({ type: 'removed', application: 'shop', destroyed: false })
  feedback.record({ type: 'resumed', application: 'shop', by: 'ada' })
  expect([...feedback.states()]).toEqual([])
})

test('listeners see the state after the event', () => {
  const feedback = createFeedback({ clock: systemClock, log: silentLog })
  let seen: string | undefined
  feedback.on('resolved', ({ application }) => void (seen = feedback.state(application)?.revision?.id))
  feedback.record({ type: 'added', application: 'shop', remembered: {} })
  feedback.record({ type: 'resolved', application: 'shop', revision: fresh })
  expect(seen).toBe('b2')
})
