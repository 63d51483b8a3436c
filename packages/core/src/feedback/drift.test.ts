import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Drift, Plan } from '../plan/plan.ts'
import { driftOf, planWith } from '../testing/plans.ts'
import { type DriftMemory, noDrift, oscillatingRefs, settleDrift, trackDrift, withFirstSeen } from './drift.ts'
import type { EventBody } from './events.ts'

const limit = 3
const ref = { kind: 'flag', name: 'a' }
const drifting = planWith({ drift: [driftOf('a')] })
const quiet = planWith()
const differently = planWith({
  drift: [driftOf('a', { fields: [{ path: '/on', op: 'replace', before: 'half', after: true }] })],
})

const track = (memory: DriftMemory, plan: Plan, now: number) => trackDrift(memory, plan, now, limit)
const types = (events: readonly EventBody[]): string[] => events.map(({ type }) => type)

/** Tracks each plan in turn, a second apart, and returns what was told about each. */
function told(...plans: readonly Plan[]): (readonly EventBody[])[] {
  let memory = noDrift
  return plans.map((plan, index) => {
    const tracking = track(memory, plan, index * 1_000)
    memory = tracking.memory
    return tracking.events
  })
}

describe('a drift is told once', () => {
  test.each<[string, readonly Plan[], readonly (readonly string[])[]]>([
    ['however often it is seen', [drifting, drifting, drifting], [['drifted'], [], []]],
    ['and once more when it is gone', [drifting, quiet, quiet], [['drifted'], ['driftResolved'], []]],
    ['and again when it comes back', [drifting, quiet, drifting], [['drifted'], ['driftResolved'], ['drifted']]],
    ['and again when it drifts elsewhere', [drifting, differently], [['drifted'], ['drifted']]],
    [
      'but a plan that is not complete resolves nothing',
      [drifting, planWith({ complete: false }), drifting],
      [['drifted'], [], []],
    ],
  ])('%s', (_reason, plans, expected) => {
    expect(told(...plans).map(types)).toEqual(expected)
  })
})

test('it carries when it was first seen and how often it came back', () => {
  const [first, second, third] = told(drifting, differently, drifting)
  expect(first).toMatchObject([{ firstSeenAt: 0, occurrences: 1, drift: { firstSeenAt: 0 } }])
  expect(second).toMatchObject([{ firstSeenAt: 0, occurrences: 1 }])
  expect(third).toMatchObject([{ firstSeenAt: 0, occurrences: 1 }])
  const { memory } = track(noDrift, drifting, 5)
  const settled = settleDrift(memory, 'shop', [ref], 6)
  expect(track(settled.memory, drifting, 7).events).toMatchObject([{ firstSeenAt: 7, occurrences: 2 }])
})

describe('how it ended', () => {
  const { memory } = track(noDrift, drifting, 1_000)
  test.each<[string, readonly EventBody[], string]>([
    ['we healed it', settleDrift(memory, 'shop', [ref], 4_000).events, 'healed'],
    [
      'a commit declares what is there',
      track(memory, planWith({ basis: { digest: 'd2', version: 'v' } }), 4_000).events,
      'declared',
    ],
    ['somebody set it back', track(memory, quiet, 4_000).events, 'disappeared'],
  ])('%s', (_reason, events, how) => {
    expect(events).toEqual([
      { type: 'driftResolved', application: 'shop', ref, kind: 'modified', how, lastedMs: 3_000 },
    ])
  })

  test('healing other resources ends nothing', () => {
    expect(settleDrift(memory, 'shop', [{ kind: 'flag', name: 'b' }], 4_000)).toEqual({ events: [], memory })
  })
})

test('nothing to tell and nothing to forget leaves the memory as it is, so that nothing is written', () => {
  const { memory } = track(noDrift, drifting, 1_000)
  expect(track(memory, drifting, 9_000).memory).toBe(memory)
  expect(track(noDrift, quiet, 9_000).memory).toBe(noDrift)
})

test('adopted drift is told as adopted, not as drift', () => {
  const adopted = planWith({ drift: [driftOf('a', { adopted: true, healed: false })] })
  expect(told(adopted, adopted).map(types)).toEqual([['driftAdopted'], []])
  expect(told(drifting, adopted).map(types)).toEqual([['drifted'], ['driftAdopted']])
})

test('an ignored difference is told once, and again after it was gone', () => {
  const ignoring = planWith({ ignored: [{ ref, path: '/size', rule: 'by the autoscaler' }] })
  expect(told(ignoring, ignoring, quiet, ignoring).map(types)).toEqual([['driftIgnored'], [], [], ['driftIgnored']])
  expect(told(ignoring, planWith({ complete: false }), ignoring).map(types)).toEqual([['driftIgnored'], [], []])
})

describe('oscillation', () => {
  /** Heals `drift` as often as the policy lets it; returns how often that was. */
  function fight(drift: readonly Drift[], rounds: number, everyMs = 60_000) {
    let memory = noDrift
    let heals = 0
    const events: EventBody[] = []
    for (let round = 0; round < rounds; round++) {
      const now = round * everyMs
      const seen = trackDrift(memory, planWith({ drift }), now, limit)
      const left = oscillatingRefs(seen.memory, drift, now, limit).size > 0
      const settled = left ? seen : settleDrift(seen.memory, 'shop', [ref], now + 1)
      if (!left) heals++
      memory = settled.memory
      events.push(...seen.events)
    }
    return { memory, heals, oscillations: events.filter(({ type }) => type === 'oscillated') }
  }

  test('a field that is set back to the same value is healed as often as the limit, then told and left', () => {
    const actor = { name: 'autoscaler', confidence: 'certain' } as const
    const { heals, oscillations } = fight([driftOf('a', { actor })], 20)
    expect(heals).toBe(limit)
    expect(oscillations).toEqual([
      { type: 'oscillated', application: 'shop', ref, path: '/on', value: false, actor, count: limit, firstSeenAt: 1 },
    ])
  })

  test('a resource that is deleted again and again oscillates too', () => {
    const missing = driftOf('a', { kind: 'missing', fields: [] })
    expect(fight([missing], 20)).toMatchObject({ heals: limit, oscillations: [{ path: '' }] })
  })

  test('the same change once a day is no fight', () => {
    expect(fight([driftOf('a')], 20, 86_400_000)).toMatchObject({ heals: 20, oscillations: [] })
  })

  test('another declaration of the field starts over', () => {
    const { memory } = fight([driftOf('a')], 20)
    const redeclared = driftOf('a', { fields: [{ path: '/on', op: 'replace', before: false, after: 'half' }] })
    expect(oscillatingRefs(memory, [redeclared], 600_000, limit).size).toBe(0)
    expect(oscillatingRefs(memory, [driftOf('a')], 600_000, limit).size).toBe(1)
  })

  test('when it stops by itself, past heals are forgotten', () => {
    const { memory } = fight([driftOf('a')], 20)
    const stopped = trackDrift(memory, quiet, 1_300_000, limit)
    expect(oscillatingRefs(stopped.memory, [driftOf('a')], 1_300_001, limit).size).toBe(0)
  })

  test('two values in turn are both counted', () => {
    let memory = noDrift
    for (let round = 0; round < 2 * limit; round++) {
      const plan = round % 2 === 0 ? drifting : differently
      memory = settleDrift(track(memory, plan, round).memory, 'shop', [ref], round).memory
    }
    expect(oscillatingRefs(memory, drifting.drift, 100, limit).size).toBe(1)
    expect(oscillatingRefs(memory, differently.drift, 100, limit).size).toBe(1)
  })
})

test('drift that is present shows when it was first seen', () => {
  const { memory } = track(noDrift, drifting, 1_000)
  expect(withFirstSeen(drifting.drift, memory)).toEqual([{ ...driftOf('a'), firstSeenAt: 1_000 }])
  expect(withFirstSeen([driftOf('b')], memory)).toEqual([driftOf('b')])
})

test('the memory stays bounded, and drift that is there now is remembered first', () => {
  const many = Array.from({ length: 3_000 }, (_, index) => driftOf(`r${index}`))
  const healed = settleDrift(
    track(noDrift, planWith({ drift: many }), 0).memory,
    'shop',
    many.map((drift) => drift.ref),
    1,
  )
  const { memory } = track(healed.memory, drifting, 2)
  expect(Object.keys(memory.seen).length).toBeLessThanOrEqual(1_000)
  expect(track(memory, drifting, 3).events).toEqual([])
})

test('the memory survives JSON, whatever the names and values', () => {
  const drift = fc
    .record({ name: fc.string(), path: fc.string(), before: fc.jsonValue(), after: fc.jsonValue() })
    .map(({ name, path, before, after }) =>
      driftOf(name, { fields: [{ path, op: 'replace', before, after }] as Drift['fields'] }),
    )
  fc.assert(
    fc.property(fc.uniqueArray(drift, { maxLength: 5, selector: (each) => each.ref.name }), (all) => {
      const plan = planWith({ drift: all })
      const { memory, events } = track(noDrift, plan, 0)
      const reread = JSON.parse(JSON.stringify(memory)) as DriftMemory
      expect(events).toHaveLength(all.length)
      expect(track(reread, plan, 1).events).toEqual([])
    }),
  )
})
