import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { errorCodes } from '../runtime/errors.ts'
import { driftOf } from '../testing/plans.ts'
import { explain } from './explain.ts'
import { durationText } from './duration.ts'
import { type ApplicationState, initialState } from './state.ts'

const now = Date.parse('2026-06-01T10:00:00Z')
const state = (parts: Partial<ApplicationState> = {}): ApplicationState => ({ ...initialState('shop'), ...parts })
const error = { code: 'TARGET_UNREACHABLE', message: 'The server does not answer.', retryable: true } as const
const revision = { id: 'b2', name: 'main' }
const ready = { alignment: 'aligned', health: 'healthy', lastRunAt: now, applied: revision } as const

describe('one sentence and a next action', () => {
  test.each<[Partial<ApplicationState>, string, string]>([
    [{}, 'shop was not looked at yet.', 'Nothing; the first look is on its way.'],
    [ready, 'shop is as declared by main (b2) and works.', 'Nothing.'],
    [
      { ...ready, health: 'degraded', healthMessage: 'flag a is broken.' },
      'shop is as declared and does not work: flag a is broken.',
      'Look at what it names, or roll back.',
    ],
    [{ phase: 'planning', revision }, 'shop is being compared with main (b2).', 'Nothing.'],
    [
      {
        phase: 'waiting',
        blocker: { kind: 'health', name: 'flag a', message: 'It is rolled out.' },
        deadlineAt: now + 125_000,
      },
      'shop waits for flag a, for 2 min 5 s at most: It is rolled out.',
      'Look at what it names if it does not get better; a new revision takes its place at once.',
    ],
    [
      { error, failedDuring: 'observe', failures: 3, nextRunAt: now + 20_000 },
      'shop failed 3 times in a row to observe: The server does not answer.',
      'Check the network and the address of the managed system. It is tried again in 20 s.',
    ],
    [
      { error: { ...error, code: 'DECLARATION_INVALID', retryable: false }, failedDuring: 'declare', failures: 1 },
      'shop failed to declare: The server does not answer.',
      'Correct the file at the line and column in the message. It is not tried again before something changes.',
    ],
    [
      { ...ready, alignment: 'drifted', drift: [driftOf('a')] },
      'shop was changed outside of its source (1 drift).',
      'Reconcile it, which heals it unless `selfHeal` is off, or declare it as it is now.',
    ],
    [
      { ...ready, suspension: { by: 'ada', at: 1, reason: 'migration' } },
      'shop is suspended by ada (migration); drift is still reported.',
      'Resume it when it may be changed again.',
    ],
    [
      { ...ready, hold: { revision, by: 'ada', at: 1, reason: 'b3 is broken', rejected: ['b3'] } },
      'shop is held at main (b2) by ada (b3 is broken).',
      'Commit a correction, or release the hold.',
    ],
    [
      {
        alignment: 'behind',
        pending: { fingerprint: 'f1', revision: 'b2', changes: 2, deletions: 0, blocked: 0, complete: true },
        reasons: [{ rule: 'mode', verdict: 'ask', message: 'The mode is `approve`.' }],
      },
      'shop has a plan that waits for an approval (2 changes): The mode is `approve`.',
      'Review the plan and approve f1.',
    ],
    [
      { suspects: ['flag a: the answer was lost'] },
      'shop was interrupted, and it is not known what became of one change: flag a: the answer was lost.',
      'Look at each in the target, then resolve it; nothing is applied until then.',
    ],
    [{ ...ready, removed: true }, 'shop is no longer managed here.', 'Nothing.'],
  ])('%#: %j', (parts, sentence, next) => {
    expect(explain(state(parts), now)).toMatchObject({ sentence, next })
  })

  test('a failure stays visible while it is tried again', () => {
    expect(explain(state({ phase: 'planning', error, failures: 1 }), now).situation).toBe('failed for now')
  })

  test('what needs a person comes before what needs nobody', () => {
    const reasons = [{ rule: 'guard', verdict: 'deny', message: 'No.' }] as const
    expect(explain(state({ ...ready, reasons, oscillating: ['flag a /on'] }), now).situation).toBe('denied')
  })
})

test('no state lacks a sentence that names the application and ends, and a next action', () => {
  const states = fc.record({
    alignment: fc.constantFrom<ApplicationState['alignment']>('unknown', 'aligned', 'behind', 'drifted'),
    health: fc.constantFrom<ApplicationState['health']>(
      'healthy',
      'progressing',
      'degraded',
      'suspended',
      'missing',
      'unknown',
    ),
    phase: fc.constantFrom<ApplicationState['phase']>('idle', 'planning', 'applying', 'waiting'),
    removed: fc.constantFrom(false, false, false, true),
    suspects: fc.constantFrom<readonly string[]>([], [], ['flag a: lost']),
    oscillating: fc.constantFrom<readonly string[]>([], ['flag a /on']),
    reasons: fc.array(
      fc.record({
        rule: fc.constant('rule'),
        verdict: fc.constantFrom(
          'observe' as const,
          'deny' as const,
          'ask' as const,
          'wait' as const,
          'allow' as const,
        ),
        message: fc.constant('Because.'),
      }),
      { maxLength: 2 },
    ),
  })
  const details = fc.record(
    {
      blocker: fc.record({
        kind: fc.constantFrom(
          'health' as const,
          'dependency' as const,
          'approval' as const,
          'window' as const,
          'suspension' as const,
          'retry' as const,
          'circuit' as const,
          'lock' as const,
        ),
        name: fc.constant('queue'),
        message: fc.constant('It is not ready.'),
      }),
      error: fc
        .constantFrom(...(Object.keys(errorCodes) as (keyof typeof errorCodes)[]))
        .map((code) => ({ ...error, code, retryable: errorCodes[code].retryable })),
      suspension: fc.constant({ by: 'ada', at: 1, reason: 'migration', until: now }),
      hold: fc.constant({ revision, by: 'ada', at: 1, reason: 'broken', rejected: [] }),
      pending: fc.constant({ fingerprint: 'f1', revision: 'b2', changes: 2, deletions: 0, blocked: 0, complete: true }),
      lastRunAt: fc.constant(now),
      nextRunAt: fc.constant(now + 1),
      deadlineAt: fc.constant(now - 1),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(states, details, (base, more) => {
      const { sentence, next } = explain(state({ ...base, ...more }), now)
      expect(sentence).toMatch(/^shop .+[.)]$/)
      expect(next).toMatch(/^\S.*\.$/)
      expect(`${sentence}${next}`).not.toMatch(/undefined|NaN|\s\s/)
    }),
    { numRuns: 2_000 },
  )
})

test.each([
  [0, '0 s'],
  [-5, '0 s'],
  [40, '40 ms'],
  [999, '999 ms'],
  [1_000, '1 s'],
  [61_000, '1 min 1 s'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [90_000_000, '1 d 1 h'],
])('%i ms is %s', (durationMs, text) => {
  expect(durationText(durationMs)).toBe(text)
})
