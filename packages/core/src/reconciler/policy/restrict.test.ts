import { describe, expect, test } from 'vitest'
import type { Change, Seal } from '../../plan/plan.ts'
import { canonicalJson } from '../../desired/digest.ts'
import { refKey } from '../../desired/ref.ts'
import { fingerprintOf } from '../../plan/fingerprint.ts'
import { changeOf, driftOf, planWith } from '../../testing/plans.ts'
import { type PolicyOptions, resolvePolicy } from './policy.ts'
import { type RestrictContext, restrictPlan } from './restrict.ts'

const seal: Seal = { fingerprint: (value) => canonicalJson(value), redact: () => ({ redacted: 'x' }) }
const context: RestrictContext = { granularity: 'resource', seal }
const drifted = changeOf('b', { cause: 'drift', fields: [{ path: '/on', op: 'replace', before: true, after: false }] })
const names = (changes: readonly Change[]): string[] => changes.map(({ ref }) => ref.name)

const restricted = (changes: readonly Change[], options: PolicyOptions, parts: Partial<RestrictContext> = {}) =>
  restrictPlan(planWith({ changes, drift: [driftOf('b')] }), resolvePolicy(options), { ...context, ...parts })

describe('what is left out', () => {
  const namespace = changeOf('x', { ref: { kind: 'Namespace', name: 'x' }, action: 'delete' })
  const deployment = changeOf('y', {
    ref: { group: 'apps', kind: 'Deployment', namespace: 'n', name: 'y' },
    action: 'replace',
  })
  test.each<[string, PolicyOptions, Change, string | undefined]>([
    ['drift is healed', {}, drifted, undefined],
    ['unless healing is off', { selfHeal: false }, drifted, 'self-heal-off'],
    ['a change of both is made: the declaration moved', { selfHeal: false }, { ...drifted, cause: 'both' }, undefined],
    ['a deletion of a protected kind', { protect: { kinds: ['Namespace'] } }, namespace, 'protected'],
    [
      'an update of a protected kind is fine',
      { protect: { kinds: ['Namespace'] } },
      { ...namespace, action: 'update' },
      undefined,
    ],
    ['a replacement by group and kind', { protect: { kinds: ['apps/Deployment'] } }, deployment, 'protected'],
    ['not the same kind of another group', { protect: { kinds: ['batch/Deployment'] } }, deployment, undefined],
    ['a single resource', { protect: { resources: [{ kind: 'Deployment', name: 'y' }] } }, deployment, 'protected'],
    [
      'not its namesake elsewhere',
      { protect: { resources: [{ kind: 'Deployment', namespace: 'm', name: 'y' }] } },
      deployment,
      undefined,
    ],
  ])('%s', (_reason, options, change, rule) => {
    const plan = restricted([changeOf('a'), change], options)
    expect(plan.blocked.map((blocked) => blocked.rule)).toEqual(rule === undefined ? [] : [rule])
    expect(plan.changes).toHaveLength(rule === undefined ? 2 : 1)
  })
})

test('a deletion that a person confirmed is made', () => {
  const gone = changeOf('x', { action: 'delete' })
  const options: PolicyOptions = { protect: { kinds: ['flag'] } }
  expect(names(restricted([gone], options, { confirmed: [gone.ref] }).changes)).toEqual(['x'])
})

test('drift that is not healed is not called healed', () => {
  expect(restricted([drifted], { selfHeal: false }).drift).toEqual([driftOf('b', { healed: false })])
})

test('adopted drift is listed as ignored, field by field, with the rule', () => {
  const plan = restricted([drifted], { selfHeal: 'adopt' })
  expect(plan).toMatchObject({ effect: 'none', changes: [], blocked: [] })
  expect(plan.ignored).toEqual([{ ref: drifted.ref, path: '/on', rule: "selfHeal is 'adopt'" }])
  expect(plan.drift).toEqual([driftOf('b', { healed: false, adopted: true })])
})

test('what somebody keeps setting back is left alone while it only drifts', () => {
  const oscillating = new Set([refKey(drifted.ref)])
  expect(restricted([drifted], {}, { oscillating }).blocked).toMatchObject([{ rule: 'oscillating' }])
  expect(restricted([{ ...drifted, cause: 'both' }], {}, { oscillating }).blocked).toEqual([])
})

test('hooks do not run around nothing', () => {
  const hook = changeOf('h', { action: 'create', cause: 'hook', hook: {} })
  expect(names(restricted([hook, drifted], { selfHeal: false }).changes)).toEqual([])
  expect(names(restricted([hook, drifted, changeOf('a')], { selfHeal: false }).changes)).toEqual(['h', 'a'])
})

test('the fingerprint is that of what is left', () => {
  const whole = restricted([changeOf('a'), drifted], {})
  const part = restricted([changeOf('a'), drifted], { selfHeal: false })
  expect(part.fingerprint).toBe(fingerprintOf(planWith({ changes: [changeOf('a')] }), seal))
  expect(part.fingerprint).not.toBe(fingerprintOf(whole, seal))
})

test('a plan that nothing is taken out of is the plan itself', () => {
  const plan = planWith({ changes: [changeOf('a'), drifted], drift: [driftOf('b')] })
  expect(restrictPlan(plan, resolvePolicy({}), context)).toBe(plan)
})

test('a plan that can only be applied as a whole stays whole, or is taken out whole', () => {
  const whole = { granularity: 'whole' } as const
  expect(names(restricted([changeOf('a'), drifted], { selfHeal: false }, whole).changes)).toEqual(['a', 'b'])
  expect(restricted([drifted], { selfHeal: false }, whole)).toMatchObject({ changes: [], effect: 'none' })
})
