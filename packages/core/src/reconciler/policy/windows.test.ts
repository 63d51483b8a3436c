import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Window } from './policy.ts'
import { checkSchedule, isOpen, judgeWindows, nextOpening } from './windows.ts'

const HOUR = 3_600_000
const at = (iso: string): number => Date.parse(iso)
const iso = (epochMs: number | undefined): string | undefined =>
  epochMs === undefined ? undefined : new Date(epochMs).toISOString()

const officeHours: Window = { kind: 'allow', cron: '0 9 * * mon-fri', durationMs: 8 * HOUR, timeZone: 'Europe/Berlin' }
const lunch: Window = { name: 'lunch', kind: 'deny', cron: '0 12 * * *', durationMs: HOUR, timeZone: 'Europe/Berlin' }
const night: Window = { kind: 'allow', cron: '30 2 * * *', durationMs: HOUR, timeZone: 'Europe/Berlin' }

describe('a window is open from its time for its duration', () => {
  test.each([
    ['a second before it opens', '2026-06-01T06:59:59Z', false],
    ['the moment it opens', '2026-06-01T07:00:00Z', true],
    ['a millisecond before it closes', '2026-06-01T14:59:59.999Z', true],
    ['the moment it closes', '2026-06-01T15:00:00Z', false],
    ['on a Sunday', '2026-06-07T08:00:00Z', false],
    ['in winter, an hour later in UTC', '2026-01-05T07:30:00Z', false],
    ['in winter, within', '2026-01-05T08:00:00Z', true],
  ])('%s', (_reason, time, open) => {
    expect(isOpen(officeHours, at(time))).toBe(open)
  })
})

describe('summer time', () => {
  test.each([
    ['spring skips 02:30: it opens right after the gap', '2026-03-29T01:00:00Z', true],
    ['and not before', '2026-03-29T00:59:59Z', false],
    ['and stays open for its elapsed hour', '2026-03-29T01:59:59Z', true],
    ['and no longer', '2026-03-29T02:00:00Z', false],
    ['autumn repeats 02:30: it opens the first time', '2026-10-25T00:30:00Z', true],
    ['and not the second time', '2026-10-25T01:30:00Z', false],
    ['the day after is an hour later in UTC', '2026-10-26T01:30:00Z', true],
  ])('%s', (_reason, time, open) => {
    expect(isOpen(night, at(time))).toBe(open)
  })

  test('a window over the change of autumn stays open for its elapsed time', () => {
    const overnight: Window = { kind: 'allow', cron: '0 22 * * sat', durationMs: 8 * HOUR, timeZone: 'Europe/Berlin' }
    expect(isOpen(overnight, at('2026-10-25T03:59:59Z'))).toBe(true)
    expect(isOpen(overnight, at('2026-10-25T04:00:00Z'))).toBe(false)
  })

  test('in the southern hemisphere the change is the other way round', () => {
    const sydney: Window = { ...night, timeZone: 'Australia/Sydney' }
    expect(iso(nextOpening(sydney, at('2026-10-03T00:00:00Z')))).toBe('2026-10-03T16:00:00.000Z')
    expect(iso(nextOpening(sydney, at('2026-10-04T00:00:00Z')))).toBe('2026-10-04T15:30:00.000Z')
  })

  test('an opening that spring skips or autumn repeats happens exactly once a day, in every zone', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kathmandu',
      'America/St_Johns',
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 59 }),
        (timeZone, hour, minute) => {
          const daily: Window = { kind: 'allow', cron: `${minute} ${hour} * * *`, durationMs: HOUR, timeZone }
          let opening = at('2026-01-01T00:00:00Z')
          let count = 0
          while ((opening = nextOpening(daily, opening) ?? Infinity) < at('2027-01-01T00:00:00Z')) count++
          expect(Math.abs(count - 365)).toBeLessThanOrEqual(1)
        },
      ),
      { numRuns: 20 },
    )
  })
})

describe('windows together', () => {
  const judged = (windows: readonly Window[], time: string, manual = false) => {
    const { open, opensAt, deciding } = judgeWindows(windows, at(time), manual)
    return { open, opensAt: iso(opensAt), deciding: deciding.map(({ name, kind }) => name ?? kind) }
  }

  test.each<[string, readonly Window[], string, boolean, string | undefined]>([
    ['without windows changes may always be made', [], '2026-06-01T03:00:00Z', true, undefined],
    ['with only a deny window they may outside it', [lunch], '2026-06-01T09:00:00Z', true, undefined],
    ['inside an allow window they may', [officeHours], '2026-06-01T08:00:00Z', true, undefined],
    [
      'outside of it they wait for the next one',
      [officeHours],
      '2026-06-05T16:00:00Z',
      false,
      '2026-06-08T07:00:00.000Z',
    ],
    [
      'deny wins over allow, until it closes',
      [officeHours, lunch],
      '2026-06-01T10:30:00Z',
      false,
      '2026-06-01T11:00:00.000Z',
    ],
    ['one of two allow windows is enough', [officeHours, night], '2026-06-01T00:45:00Z', true, undefined],
    [
      'the next opening is not one that is denied',
      [{ ...officeHours, cron: '30 12 * * *' }, lunch],
      '2026-06-01T09:00:00Z',
      false,
      '2026-06-01T11:00:00.000Z',
    ],
  ])('%s', (_reason, windows, time, open, opensAt) => {
    expect(judged(windows, time)).toMatchObject({ open, opensAt })
  })

  test('the window that decides is named', () => {
    expect(judged([officeHours, lunch], '2026-06-01T10:30:00Z').deciding).toEqual(['lunch'])
    expect(judged([officeHours], '2026-06-06T10:30:00Z').deciding).toEqual(['allow'])
  })

  test('a run that a person asked for passes only windows that allow it', () => {
    const soft: Window = { ...lunch, allowManual: true }
    expect(judged([soft], '2026-06-01T10:30:00Z', true).open).toBe(true)
    expect(judged([soft], '2026-06-01T10:30:00Z', false).open).toBe(false)
    expect(judged([lunch], '2026-06-01T10:30:00Z', true).open).toBe(false)
  })

  test('windows that leave no gap have no next opening, and that is found out quickly', () => {
    const always: Window = { kind: 'deny', cron: '*/5 * * * *', durationMs: HOUR }
    expect(judged([always], '2026-06-01T10:30:00Z')).toMatchObject({ open: false, opensAt: undefined })
    const never: Window = { kind: 'allow', cron: '0 0 30 2 *', durationMs: HOUR }
    expect(judged([never], '2026-06-01T10:30:00Z')).toMatchObject({ open: false, opensAt: undefined })
  })

  test('the next opening is open, and the millisecond before it is not', () => {
    const cron = fc
      .tuple(fc.integer({ min: 0, max: 59 }), fc.integer({ min: 0, max: 23 }))
      .map(([minute, hour]) => `${minute} ${hour} * * *`)
    const window = fc.record({
      kind: fc.constantFrom('allow' as const, 'deny' as const),
      cron,
      durationMs: fc.integer({ min: 60_000, max: 30 * HOUR }),
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
    })
    const year = { min: at('2026-01-01T00:00:00Z'), max: at('2026-12-31T00:00:00Z') }
    fc.assert(
      fc.property(fc.array(window, { maxLength: 4 }), fc.integer(year), (windows, now) => {
        const { open, opensAt } = judgeWindows(windows, now, false)
        if (open || opensAt === undefined) return
        expect(judgeWindows(windows, opensAt, false).open).toBe(true)
        expect(judgeWindows(windows, opensAt - 1, false).open).toBe(false)
      }),
      { numRuns: 60 },
    )
  })
})

test.each([
  ['61 * * * *', 'UTC'],
  ['* * * *', 'UTC'],
  ['* * * * * *', 'UTC'],
  ['@daily', 'UTC'],
  ['', 'UTC'],
  ['a b c d e', 'UTC'],
  ['*/0 * * * *', 'UTC'],
  ['* * * * *', 'Mars/Olympus'],
])('the schedule %j in %s is refused', (cron, timeZone) => {
  expect(() => checkSchedule({ cron, timeZone })).toThrow()
})

test.each(['0 9 * * mon-fri', '*/15 0-6 1,15 * *', '0 0 * * 7', '0 0 L * *'])('the schedule %j is accepted', (cron) => {
  expect(() => checkSchedule({ cron })).not.toThrow()
})
