import { expect, test } from 'vitest'
import { changeOf, driftOf, planWith } from '../testing/plans.ts'
import { describeEvent } from './describe-event.ts'
import type { EventBodies, EventType } from './events.ts'

const ref = { kind: 'flag', name: 'a' }
const main = { id: '3f2a91c0d5e6f708192a3b4c5d6e7f8091a2b3c4', name: 'main' }
const at = Date.parse('2026-06-01T10:00:00Z')

function told<T extends EventType>(type: T, body: EventBodies[T]): string {
  return describeEvent({ type, application: 'shop', sequence: 1, at, ...body } as Parameters<typeof describeEvent>[0])
}

test('an event is one line that a person can read', () => {
  const actor = { name: 'ada', via: 'console', confidence: 'certain' } as const
  expect([
    told('resolved', { revision: main, previous: { id: 'a1' } }),
    told('planned', { plan: planWith({ changes: [changeOf('a')], revision: main }) }),
    told('drifted', { drift: driftOf('a', { actor, firstSeenAt: at }), firstSeenAt: at, occurrences: 2 }),
    told('driftResolved', { ref, kind: 'modified', how: 'healed', lastedMs: 125_000 }),
    told('oscillated', { ref, path: '/on', value: false, actor, count: 5, firstSeenAt: at }),
    told('failed', {
      error: { code: 'TARGET_UNREACHABLE', message: 'No answer.', retryable: true },
      during: 'observe',
    }),
    told('parked', { blocker: { kind: 'health', name: 'flag a', message: 'Rolling out.' }, deadlineAt: at }),
    told('finished', { runId: 'r1', outcome: 'applied', durationMs: 1_500, timings: [] }),
  ]).toEqual([
    'shop is at main (3f2a91c0), before at a1',
    'shop has a plan for main (3f2a91c0): 1 to update',
    'shop drifted for the 2nd time: flag a was modified by ada via console since 2026-06-01T10:00:00.000Z: /on is false, declared true; healed by this plan',
    'shop no longer drifts in flag a, healed after 2 min 5 s',
    'shop healed /on of flag a 5 times from false, and ada via console keeps setting it back; it is left alone now',
    'shop failed to observe: No answer. (TARGET_UNREACHABLE)',
    'shop waits for flag a until 2026-06-01T10:00:00.000Z: Rolling out.',
    'shop finished after 1 s: applied',
  ])
})

test('nothing in an event moves the cursor or shows a secret', () => {
  const drift = driftOf('a', {
    fields: [{ path: '/token', op: 'replace', before: { redacted: 'abcdef0123456789' }, after: '\u001b[2J' }],
  })
  const text = told('drifted', { drift, firstSeenAt: at, occurrences: 1 })
  expect(text).toContain('(secret abcdef01)')
  expect(text).not.toContain('\u001b')
})
