import { describe, expect, test } from 'vitest'
import type { Approval } from '../../ledger/ledger.ts'
import { testCall } from '../../testing/call.ts'
import { changeOf, planWith } from '../../testing/plans.ts'
import { type JudgeContext, judge } from './judge.ts'
import { type Guard, type PolicyOptions, resolvePolicy } from './policy.ts'

const now = Date.parse('2026-06-01T10:30:00Z')
const plan = planWith({ changes: [changeOf('a')] })
const deletions = (count: number) =>
  Array.from({ length: count }, (_, index) => changeOf(`d${index}`, { action: 'delete' }))
const approval: Approval = { fingerprint: 'f1', by: 'ada', at: now - 1_000 }

const situation = (parts: Partial<JudgeContext> = {}): JudgeContext => ({
  application: 'shop',
  labels: {},
  trigger: 'interval',
  now,
  manual: false,
  granularity: 'resource',
  owned: 10,
  approvals: [],
  ...parts,
})

async function decided(options: PolicyOptions, parts: Partial<JudgeContext> = {}, planned = plan) {
  const { verdict, reasons, until } = await judge(planned, resolvePolicy(options), situation(parts), testCall())
  return { verdict, rules: reasons.map(({ rule }) => rule), until }
}

describe('the verdict', () => {
  const closed = { kind: 'deny', cron: '0 10 * * *', durationMs: 3_600_000 } as const
  const closes = Date.parse('2026-06-01T11:00:00Z')
  test.each<[string, PolicyOptions, Partial<JudgeContext>, typeof plan, string, readonly string[]]>([
    ['nothing to do needs no permission', { mode: 'observe' }, {}, planWith(), 'nothing', []],
    ['automatic applies', {}, {}, plan, 'apply', []],
    ['outputs alone are applied too', {}, {}, planWith({ effect: 'outputs-only' }), 'apply', []],
    [
      'observe only reports, whatever else holds',
      { mode: 'observe', windows: [closed] },
      {},
      plan,
      'observe',
      ['mode'],
    ],
    ['approve asks', { mode: 'approve' }, {}, plan, 'ask', ['mode']],
    ['approve applies what was approved', { mode: 'approve' }, { approvals: [approval] }, plan, 'apply', ['mode']],
    [
      'an approval of another plan does not help',
      { mode: 'approve' },
      { approvals: [{ ...approval, fingerprint: 'f0' }] },
      plan,
      'ask',
      ['mode', 'approval-mismatch'],
    ],
    [
      'an approval that ended does not help',
      { mode: 'approve' },
      { approvals: [{ ...approval, expiresAt: now }] },
      plan,
      'ask',
      ['mode', 'approval-expired'],
    ],
    [
      'an approval without an end lives as long as the policy says',
      { mode: 'approve', approvalLifetimeMs: 1_000 },
      { approvals: [approval] },
      plan,
      'ask',
      ['mode', 'approval-expired'],
    ],
    ['as many changes as the budget are fine', { maxChanges: 1 }, {}, plan, 'apply', []],
    ['more changes than the budget ask', { maxChanges: 0 }, {}, plan, 'ask', ['max-changes']],
    [
      'more deletions than the budget ask',
      { maxDeletions: 1 },
      {},
      planWith({ changes: deletions(2) }),
      'ask',
      ['max-deletions'],
    ],
    [
      'a replacement counts as a deletion',
      { maxDeletions: 0 },
      {},
      planWith({ changes: [changeOf('a', { action: 'replace' })] }),
      'ask',
      ['max-deletions'],
    ],
    [
      'hooks do not count',
      { maxChanges: 1, maxDeletions: 0 },
      {},
      planWith({ changes: [changeOf('a'), changeOf('h', { action: 'replace', hook: {} })] }),
      'apply',
      [],
    ],
    [
      'an approval lifts every budget',
      { maxChanges: 0, maxDeletions: 0 },
      { approvals: [approval] },
      planWith({ changes: deletions(2) }),
      'apply',
      ['max-changes', 'max-deletions'],
    ],
    [
      'an empty declaration removes nothing',
      {},
      { owned: 2, declared: 0 },
      planWith({ changes: deletions(2) }),
      'deny',
      ['allow-empty'],
    ],
    [
      'also when something protected would stay',
      {},
      { owned: 3, declared: 0 },
      planWith({ changes: deletions(2) }),
      'deny',
      ['allow-empty'],
    ],
    [
      'also when the target does not list what is declared',
      {},
      { owned: 2, granularity: 'whole' },
      planWith({ changes: deletions(2) }),
      'deny',
      ['allow-empty'],
    ],
    [
      'unless that is meant',
      { allowEmpty: true },
      { owned: 2, declared: 0 },
      planWith({ changes: deletions(2) }),
      'apply',
      [],
    ],
    [
      'an approval does not make up for it',
      {},
      { owned: 2, declared: 0, approvals: [approval] },
      planWith({ changes: deletions(2) }),
      'deny',
      ['allow-empty'],
    ],
    [
      'destroying is meant to leave nothing',
      {},
      { owned: 2, declared: 0 },
      planWith({ mode: 'destroy', changes: deletions(2) }),
      'apply',
      [],
    ],
    [
      'deleting some of many is not emptying',
      {},
      { owned: 9, declared: 7 },
      planWith({ changes: deletions(2) }),
      'apply',
      [],
    ],
    ['suspended waits', {}, { suspension: { by: 'ada', at: 0, reason: 'migration' } }, plan, 'wait', ['suspended']],
    [
      'a suspension ends by itself',
      {},
      { suspension: { by: 'ada', at: 0, reason: 'migration', until: now } },
      plan,
      'apply',
      [],
    ],
    [
      'a rejected revision is not applied again',
      {},
      { hold: { revision: { id: 'a1' }, by: 'ada', at: 0, reason: 'broken', rejected: ['b2'] } },
      plan,
      'deny',
      ['held'],
    ],
    [
      'a revision that was not rejected passes a hold',
      {},
      { hold: { revision: { id: 'a1' }, by: 'ada', at: 0, reason: 'broken', rejected: ['c3'] } },
      plan,
      'apply',
      [],
    ],
    ['a closed window waits', { windows: [closed] }, {}, plan, 'wait', ['window']],
    [
      'a closed window waits also with an approval',
      { mode: 'approve', windows: [closed] },
      { approvals: [approval] },
      plan,
      'wait',
      ['mode', 'window'],
    ],
    [
      'asking comes before waiting, so that the approval is there when the window opens',
      { mode: 'approve', windows: [closed] },
      {},
      plan,
      'ask',
      ['mode', 'window'],
    ],
    [
      'denying comes before asking',
      { mode: 'approve' },
      { declared: 0 },
      planWith({ changes: deletions(2) }),
      'deny',
      ['allow-empty', 'mode'],
    ],
  ])('%s', async (_reason, options, parts, planned, verdict, rules) => {
    expect(await decided(options, parts, planned)).toMatchObject({ verdict, rules })
  })

  test('a wait says when to judge again', async () => {
    expect(await decided({ windows: [closed] })).toMatchObject({ until: closes })
    const suspension = { by: 'ada', at: 0, reason: 'migration', until: now + 5 }
    expect(await decided({ windows: [closed] }, { suspension })).toMatchObject({ until: now + 5 })
  })

  test('every reason is a sentence that names its option or its person', async () => {
    const options: PolicyOptions = { mode: 'approve', maxChanges: 0, maxDeletions: 0, windows: [closed] }
    const context = situation({ declared: 0, suspension: { by: 'ada', at: 0, reason: 'migration' } })
    const { reasons } = await judge(planWith({ changes: deletions(1) }), resolvePolicy(options), context, testCall())
    expect(reasons.map(({ message }) => message)).toEqual([
      'ada suspended it until it is resumed: migration',
      'Nothing is declared any more, so all 10 resources would be deleted. Set `allowEmpty` if that is meant.',
      'The mode is `approve`: every plan needs an approval of its fingerprint.',
      '1 changes are more than `maxChanges` (0).',
      '1 deletions and replacements are more than `maxDeletions` (0).',
      'Windows forbid changes now (deny 0 10 * * *). The next opening is at 2026-06-01T11:00:00.000Z.',
    ])
  })

  test('a plan that cannot be taken apart is asked about when the policy would leave something out', async () => {
    const whole = { granularity: 'whole' } as const
    const mixed = planWith({
      changes: [changeOf('a'), changeOf('b', { action: 'delete' }), changeOf('c', { cause: 'drift' })],
    })
    const options: PolicyOptions = { protect: { kinds: ['flag'] }, selfHeal: false }
    expect(await decided(options, whole, mixed)).toMatchObject({
      verdict: 'ask',
      rules: ['protected', 'self-heal-off'],
    })
    expect(await decided(options, { ...whole, approvals: [approval] }, mixed)).toMatchObject({ verdict: 'apply' })
  })
})

describe('guards', () => {
  test.each<[string, Guard, string]>([
    ['one that allows changes nothing', () => 'allow', 'apply'],
    ['one that denies is final', () => ({ deny: 'freeze' }), 'deny'],
    ['one that asks needs an approval', async () => ({ ask: 'too large' }), 'ask'],
    [
      'one that throws denies',
      () => {
        throw new Error('broken')
      },
      'deny',
    ],
    ['one that rejects denies', () => Promise.reject(new Error('broken')), 'deny'],
    ['one that answers nonsense denies', (() => undefined) as unknown as Guard, 'deny'],
    ['one that answers another nonsense denies', (() => ({})) as unknown as Guard, 'deny'],
  ])('%s', async (_reason, guard, verdict) => {
    expect(await decided({ guards: [guard] })).toMatchObject({ verdict })
  })

  test('an approval satisfies one that asks, not one that denies', async () => {
    const asks: Guard = () => ({ ask: 'too large' })
    const denies: Guard = () => ({ deny: 'freeze' })
    expect(await decided({ guards: [asks] }, { approvals: [approval] })).toMatchObject({ verdict: 'apply' })
    expect(await decided({ guards: [denies] }, { approvals: [approval] })).toMatchObject({ verdict: 'deny' })
  })

  test('one that never answers denies when its time is up', async () => {
    const call = testCall()
    const stuck: Guard = () => new Promise(() => {})
    const decision = judge(plan, resolvePolicy({ guards: [stuck] }), situation(), call)
    await call.clock.advance(10_000)
    expect(await decision).toMatchObject({ verdict: 'deny', reasons: [{ rule: 'guard' }] })
  })

  test('each is named and all are heard', async () => {
    const deletionsWaitForAPerson: Guard = () => ({ ask: 'it deletes' })
    const freeze: Guard = () => ({ deny: 'it is December' })
    const policy = resolvePolicy({ guards: [deletionsWaitForAPerson, freeze] })
    const { reasons } = await judge(plan, policy, situation(), testCall())
    expect(reasons.map(({ message }) => message)).toEqual([
      'The guard deletionsWaitForAPerson asks for an approval: it deletes',
      'The guard freeze denies: it is December',
    ])
  })

  test('what a broken guard says stays in the log: it may hold a secret', async () => {
    const leaky: Guard = () => {
      throw new Error('password=hunter2')
    }
    const { reasons } = await judge(plan, resolvePolicy({ guards: [leaky] }), situation(), testCall())
    expect(JSON.stringify(reasons)).not.toContain('hunter2')
  })
})
