import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Resource, ResourceRef } from '../../desired/desired.ts'
import { desiredState, resource } from '../../desired/build.ts'
import { memoryLedger } from '../../ledger/memory.ts'
import { type MemoryFiles, memorySource } from '../../source/memory.ts'
import { manualClock } from '../../testing/clock.ts'
import { memoryTarget } from '../../testing/memory-target.ts'
import type { Application } from '../application.ts'
import { createReconciler } from '../reconciler.ts'
import { matchesPattern } from './pattern.ts'
import { restrict } from './restrict.ts'
import { type BrokenRule, type Restrictions, brokenRule } from './rules.ts'

const rules: Restrictions = { sources: ['memory'], targets: ['memory'], namespaces: ['team-a', 'team-a-*'] }
const ref = (kind: string, namespace: string | undefined, name = 'x', group?: string): ResourceRef => ({
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
  ...(group === undefined ? {} : { group }),
})

const refs: readonly (readonly [string, ResourceRef, Partial<Restrictions>, BrokenRule | undefined])[] = [
  ['its namespace', ref('Deployment', 'team-a'), {}, undefined],
  ['a namespace of its pattern', ref('Deployment', 'team-a-dev'), {}, undefined],
  ['a namespace that only begins alike', ref('Deployment', 'team-ab'), {}, 'namespaces'],
  ['another namespace', ref('Secret', 'kube-system'), {}, 'namespaces'],
  ['K01: ClusterRoleBinding', ref('ClusterRoleBinding', undefined), {}, 'clusterScoped'],
  ['K01: CustomResourceDefinition', ref('CustomResourceDefinition', undefined), {}, 'clusterScoped'],
  ['K01: Namespace', ref('Namespace', undefined, 'team-a'), {}, 'clusterScoped'],
  ['K01: MutatingWebhookConfiguration', ref('MutatingWebhookConfiguration', undefined), {}, 'clusterScoped'],
  ['an allowed kind without namespace', ref('Namespace', undefined), { clusterScoped: ['Namespace'] }, undefined],
  ['another kind without namespace', ref('ClusterRole', undefined), { clusterScoped: ['Namespace'] }, 'clusterScoped'],
  ['anything without namespace', ref('flag', undefined), { clusterScoped: true }, undefined],
  ['a kind on the list', ref('Deployment', 'team-a', 'x', 'apps'), { kinds: ['apps/*'] }, undefined],
  ['a kind that is not', ref('Secret', 'team-a'), { kinds: ['apps/*', 'ConfigMap'] }, 'kinds'],
  [
    'the kind of another group',
    ref('Deployment', 'team-a', 'x', 'evil.example'),
    { kinds: ['apps/Deployment'] },
    'kinds',
  ],
  ['K03: an empty namespace', ref('Secret', ''), { namespaces: ['*'], clusterScoped: true }, 'identity'],
  ['K03: a blank namespace', ref('Secret', ' \t'), { namespaces: ['*'], clusterScoped: true }, 'identity'],
  ['K03: an empty name', ref('Secret', 'team-a', ''), {}, 'identity'],
  ['K03: an empty kind', ref('', 'team-a'), {}, 'identity'],
]
test.each(refs)('%s', (_, given, more, expected) => expect(brokenRule(given, { ...rules, ...more })).toBe(expected))

describe('a pattern', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['a', 'a', true],
    ['a', 'b', false],
    ['*', '', true],
    ['a*', 'ab', true],
    ['a*', 'ba', false],
    ['*a', 'ba', true],
    ['a*a', 'a', false],
    ['a*b*c', 'aXbYc', true],
    ['a*b*c', 'acb', false],
    ['a*bc*c', 'abc', false],
    ['**', 'x', true],
    ['a.c', 'abc', false],
  ]
  test.each(cases)('%s and %j: %s', (pattern, text, expected) => expect(matchesPattern(pattern, text)).toBe(expected))

  test('means the same as the regular expression it abbreviates', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 12 })
    fc.assert(
      fc.property(text, text, (pattern, given) => {
        const expression = new RegExp(`^${pattern.split('*').join('[^]*')}$`)
        return matchesPattern(pattern, given) === expression.test(given)
      }),
    )
  })

  test('P10: takes no longer for a hostile one', () => {
    // With backtracking this would not end before the test is given up.
    expect(matchesPattern(`${'*a'.repeat(500)}b`, 'a'.repeat(100_000))).toBe(false)
  })
})

describe('rules that cannot be meant are refused', () => {
  const application = { name: 'shop', source: memorySource(), target: memoryTarget() }
  test.each(['', ' ', ' team-a', 'x'.repeat(2000)])('K03: %j', (blank) => {
    expect(() => restrict(application, { ...rules, namespaces: [blank] })).toThrow(/namespaces holds/)
  })
})

describe('an application in its place', () => {
  const file = (name: string, more: object = {}): MemoryFiles => ({ [`cm/${name}.json`]: { a: 1, ...more } })
  function setUp(files: MemoryFiles, more: Partial<Restrictions> = {}, application: Partial<Application> = {}) {
    const source = memorySource({ files })
    const target = memoryTarget()
    const free: Application = { name: 'shop', source, target, policy: { prune: true }, ...application }
    const ledger = memoryLedger()
    const create = (one: Application): ReturnType<typeof createReconciler> =>
      createReconciler({ applications: [one], ledger, clock: manualClock() })
    return { source, target, free, create, restricted: () => restrict(free, { ...rules, ...more }) }
  }

  test('is reconciled like any other', async () => {
    const { create, restricted, target } = setUp(file('team-a/web'))
    await using reconciler = create(restricted())
    expect(await reconciler.reconcile('shop')).toMatchObject({ outcome: 'applied' })
    expect(target.live.size).toBe(1)
  })

  const escapes: readonly (readonly [string, MemoryFiles, string])[] = [
    ['another namespace', file('kube-system/web'), 'namespaces'],
    ['no namespace', file('web'), 'clusterScoped'],
    ['one good and one bad', { ...file('team-a/web'), ...file('team-b/web') }, 'namespaces'],
    ['a hook elsewhere', file('team-b/job', { $order: { phase: 'PreSync', hook: {} } }), 'namespaces'],
    [
      'waiting for a resource elsewhere',
      file('team-a/web', { $order: { dependsOn: [{ kind: 'cm', namespace: 'team-b', name: 'x' }] } }),
      'namespaces',
    ],
  ]
  test.each(escapes)('is refused with the rule, and nothing is written or read: %s', async (_, files, rule) => {
    const { create, restricted, target } = setUp(files)
    await using reconciler = create(restricted())
    await expect(reconciler.plan('shop')).rejects.toMatchObject({ code: 'TENANT_DENIED', details: { rule } })
    expect(await reconciler.reconcile('shop')).toMatchObject({ outcome: 'failed', error: { code: 'TENANT_DENIED' } })
    expect(target.counts).toMatchObject({ write: 0, read: 0 })
  })

  test('K11: does not prune outside its place, even where the inventory says that it owns it', async () => {
    const { create, free, restricted, source, target } = setUp({ ...file('team-a/web'), ...file('team-b/web') })
    await using before = create(free)
    await before.reconcile('shop')
    source.commit({ 'cm/team-b/web.json': null })
    await using after = create(restricted())
    expect(await after.reconcile('shop')).toMatchObject({ outcome: 'failed', error: { code: 'TENANT_DENIED' } })
    expect(target.live.size).toBe(2)
  })

  test('does not apply a plan that was made elsewhere', async () => {
    const { create, free, restricted, target } = setUp(file('team-b/web'))
    await using reconciler = create(free)
    const plan = await reconciler.plan('shop')
    const declared: Resource = resource({ ref: ref('cm', 'team-b', 'web'), body: { a: 1 } })
    const desired = desiredState(plan.revision, [declared])
    // Nothing before the judgement looks at the call.
    const applying = restricted()
      .target.apply(plan, desired, {} as never)
      [Symbol.asyncIterator]()
      .next()
    await expect(applying).rejects.toMatchObject({ code: 'TENANT_DENIED' })
    expect(target.counts.write).toBe(0)
  })

  test('may use only its sources, targets and dependencies', () => {
    const { restricted: dependent } = setUp({}, {}, { dependsOn: ['database-of-another'] })
    expect(dependent).toThrow(/database-of-another \(rule dependencies\)/)
    expect(setUp({}, { sources: ['https://git.example/team-a/*'] }).restricted).toThrow(
      /source memory \(rule sources\)/,
    )
    expect(setUp({}, { targets: [] }).restricted).toThrow(/target memory \(rule targets\)/)
    expect(setUp({}, { dependencies: ['database-*'] }, { dependsOn: ['database-mine'] }).restricted).not.toThrow()
  })

  test('is not given outputs that it may not read', async () => {
    const { restricted, source } = setUp(file('team-a/web'))
    const call = { inputs: { other: { password: { value: 'x' } } } }
    const declaring = restricted().target.declare({ revision: source.history[0]! } as never, call as never)
    await expect(declaring).rejects.toMatchObject({ code: 'TENANT_DENIED', details: { rule: 'dependencies' } })
  })
})
