import { describe, expect, test } from 'vitest'
import { actualState } from '../actual/build.ts'
import type { ActualResource } from '../actual/actual.ts'
import type { Owned } from '../actual/inventory.ts'
import { desiredState, resource } from '../desired/build.ts'
import type { DesiredState, Resource } from '../desired/desired.ts'
import { refKey } from '../desired/ref.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { JsonObject } from '../runtime/json.ts'
import { planByDiff } from './by-diff.ts'
import type { PlanByDiffOptions } from './comparison.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Plan, PlanRequest } from './plan.ts'
import { createSeal } from './seal.ts'
import { stepsOf, stepText } from './steps.ts'

const seal = createSeal(new Uint8Array(32).fill(7))
const ref = (name: string) => ({ kind: 'queue', name })

function declare(name: string, body: Resource['body'], more: Partial<Resource> = {}): Resource {
  return resource({ ref: ref(name), body, origin: { path: `${name}.yaml`, line: 1 }, ...more })
}
function found(name: string, body: Resource['body'], more: Partial<ActualResource> = {}): ActualResource {
  return { ref: ref(name), body, ...more }
}
function own(name: string, more: Partial<Owned> = {}): Owned {
  return { ref: ref(name), state: 'applied', revision: 'r0', ...more }
}

interface Scene {
  readonly desired?: readonly Resource[]
  readonly previous?: readonly Resource[]
  readonly actual?: readonly ActualResource[]
  readonly owned?: readonly Owned[]
  readonly unknown?: readonly string[]
  readonly complete?: boolean
  readonly request?: Partial<PlanRequest>
  readonly options?: PlanByDiffOptions
}

function plan(scene: Scene): Plan {
  const state = (resources: readonly Resource[]): DesiredState => desiredState({ id: 'r1' }, resources)
  const unknown = (scene.unknown ?? []).map((name) => ({
    ref: ref(name),
    error: new GitOpsError('OBSERVE_PARTIAL', 'no answer'),
  }))
  const actual = actualState({
    resources: scene.actual ?? [],
    unknown,
    observedAt: 0,
    ...(scene.complete !== undefined && { complete: scene.complete }),
  })
  const request: PlanRequest = {
    application: 'shop',
    mode: 'converge',
    owned: new Map((scene.owned ?? []).map((each) => [refKey(each.ref), each])),
    prune: true,
    ignore: [],
    seal,
    ...(scene.previous && { previous: state(scene.previous) }),
    ...scene.request,
  }
  return planByDiff(state(scene.desired ?? []), actual, request, scene.options)
}

const actions = ({ changes }: Plan): string[] =>
  changes.map(({ action, ref, cause }) => `${action} ${ref.name} (${cause})`)
const rules = ({ blocked }: Plan): string[] => blocked.map(({ rule, ref }) => `${rule} ${ref?.name}`)
const drifts = ({ drift }: Plan): string[] =>
  drift.map(({ kind, ref, healed }) => `${kind} ${ref.name}${healed ? ', healed' : ''}`)

describe('what is planned', () => {
  test.each<[string, Scene, string[]]>([
    ['nothing is declared and nothing is there', {}, []],
    ['what is not there is created', { desired: [declare('a', { size: 1 })] }, ['create a (revision)']],
    [
      'what is as declared is left alone',
      { desired: [declare('a', { size: 1 })], actual: [found('a', { size: 1 })], owned: [own('a')] },
      [],
    ],
    [
      'what belongs to nobody is adopted, also when it is equal',
      { desired: [declare('a', { size: 1 })], actual: [found('a', { size: 1 })] },
      ['adopt a (revision)'],
    ],
    [
      'an intention that a crash left unconfirmed is adopted',
      {
        desired: [declare('a', { size: 1 })],
        actual: [found('a', { size: 1 })],
        owned: [own('a', { state: 'intended' })],
      },
      ['adopt a (revision)'],
    ],
    [
      'a new declaration updates',
      {
        desired: [declare('a', { size: 2 })],
        previous: [declare('a', { size: 1 })],
        actual: [found('a', { size: 1 })],
        owned: [own('a')],
      },
      ['update a (revision)'],
    ],
    [
      'an edit in the target is undone',
      {
        desired: [declare('a', { size: 1 })],
        previous: [declare('a', { size: 1 })],
        actual: [found('a', { size: 9 })],
        owned: [own('a')],
      },
      ['update a (drift)'],
    ],
    [
      'an edit is known by the applied digest alone',
      {
        desired: [declare('a', { size: 1 })],
        actual: [found('a', { size: 9 })],
        owned: [own('a', { digest: declare('a', { size: 1 }).digest })],
      },
      ['update a (drift)'],
    ],
    [
      'a new declaration meets an edit of the same field',
      {
        desired: [declare('a', { size: 2 })],
        previous: [declare('a', { size: 1 })],
        actual: [found('a', { size: 9 })],
        owned: [own('a')],
      },
      ['update a (both)'],
    ],
    [
      'what somebody deleted is made again',
      { desired: [declare('a', { size: 1 })], previous: [declare('a', { size: 1 })], owned: [own('a')] },
      ['create a (drift)'],
    ],
    [
      'what is no longer declared is deleted',
      { actual: [found('a', { size: 1 })], owned: [own('a')] },
      ['delete a (revision)'],
    ],
    ['what is no longer declared and already gone is forgotten', { owned: [own('a')] }, ['forget a (revision)']],
    [
      'what another application took over is forgotten, not deleted',
      { actual: [found('a', {}, { owner: 'other' })], owned: [own('a')] },
      ['forget a (revision)'],
    ],
    ['what is not ours is never deleted', { actual: [found('a', { size: 1 }), found('b', {}, { owner: 'shop' })] }, []],
    [
      'what was deleted and made anew is adopted',
      {
        desired: [declare('a', { size: 1 })],
        actual: [found('a', { size: 1 }, { uid: 'u2' })],
        owned: [own('a', { uid: 'u1' })],
      },
      ['adopt a (drift)'],
    ],
    [
      'a selection plans nothing else',
      { desired: [declare('a', {}), declare('b', {})], owned: [own('c')], request: { only: [ref('b')] } },
      ['create b (revision)'],
    ],
    [
      'destroy deletes what is owned, declared or not',
      {
        desired: [declare('a', {})],
        actual: [found('a', {}), found('b', {}), found('c', {})],
        owned: [own('a'), own('b')],
        request: { mode: 'destroy' },
      },
      ['delete a (requested)', 'delete b (requested)'],
    ],
    [
      'destroy lets go of what its declaration keeps',
      {
        desired: [declare('a', {}, { options: { prune: false } })],
        actual: [found('a', {})],
        owned: [own('a')],
        request: { mode: 'destroy' },
      },
      ['forget a (requested)'],
    ],
    [
      'accepting drift changes nothing',
      {
        desired: [declare('a', { size: 1 })],
        previous: [declare('a', { size: 1 })],
        actual: [found('a', { size: 9 })],
        owned: [own('a')],
        request: { mode: 'accept-drift' },
      },
      [],
    ],
  ])('%s', (_, scene, expected) => {
    expect(actions(plan(scene))).toEqual(expected)
  })

  test('going back from a run that stopped half-way is a change of the declaration, not drift', () => {
    const first = declare('a', { size: 1 }, { options: { selfHeal: false } })
    const second = declare('a', { size: 2 })
    const scene = { desired: [first], previous: [first], actual: [found('a', { size: 2 })] }
    expect(actions(plan({ ...scene, owned: [own('a', { digest: second.digest })] }))).toEqual(['update a (revision)'])
    expect(rules(plan({ ...scene, owned: [own('a', { digest: first.digest })] }))).toEqual(['self-heal-disabled a'])
  })

  test('bodies with equal digests are not compared: one changed of ten thousand costs one', () => {
    let compared = 0
    const options: PlanByDiffOptions = { view: ({ body }) => (compared++, body) }
    const all = Array.from({ length: 10_000 }, (_, index) => declare(`q${index}`, { size: index }))
    const actual = all.map(({ ref: { name }, body, digest }) => found(name, { ...body }, { digest }))
    const desired = all.with(77, declare('q77', { size: -1 }))
    const planned = plan({
      desired,
      previous: all,
      actual,
      owned: all.map(({ ref: { name }, digest }) => own(name, { digest })),
      options,
    })
    expect(actions(planned)).toEqual(['update q77 (revision)'])
    expect(compared).toBe(1)
  })

  test('each field says what made it differ', () => {
    const planned = plan({
      desired: [declare('a', { size: 2, color: 'red', name: 'new' })],
      previous: [declare('a', { size: 1, color: 'red', name: 'old' })],
      actual: [found('a', { size: 1, color: 'blue', name: 'odd' })],
      owned: [own('a')],
    })
    expect(planned.changes[0]!.fields.map(({ path, cause }) => [path, cause])).toEqual([
      ['/color', 'drift'],
      ['/name', 'both'],
      ['/size', 'revision'],
    ])
    expect(planned.drift[0]!.fields.map(({ path }) => path)).toEqual(['/color', '/name'])
  })
})

describe('what is blocked, and drift that is not healed', () => {
  const edited = { previous: [declare('a', { size: 1 })], actual: [found('a', { size: 9 })], owned: [own('a')] }
  test.each<[string, Scene, string[], string[]]>([
    [
      'another application owns it',
      { desired: [declare('a', {})], actual: [found('a', {}, { owner: 'other' })] },
      ['owned-by-another a'],
      [],
    ],
    [
      'another application took it',
      { desired: [declare('a', {})], actual: [found('a', {}, { owner: 'other' })], owned: [own('a')] },
      ['owned-by-another a'],
      ['ownership-lost a'],
    ],
    ['a declared resource could not be read', { desired: [declare('a', {})], unknown: ['a'] }, ['unreadable a'], []],
    ['an owned resource could not be read', { owned: [own('a')], unknown: ['a'] }, ['unreadable a'], []],
    [
      'a read was partial',
      { actual: [found('a', {})], owned: [own('a'), own('b')], complete: false },
      ['observe-partial a', 'observe-partial b'],
      [],
    ],
    [
      'it has another identity',
      { actual: [found('a', {}, { uid: 'u2' })], owned: [own('a', { uid: 'u1' })] },
      ['identity-changed a'],
      ['recreated a'],
    ],
    [
      'pruning is off',
      { actual: [found('a', {})], owned: [own('a')], request: { prune: false } },
      ['prune-disabled a'],
      [],
    ],
    [
      'its declaration said prune=false',
      { previous: [declare('a', {}, { options: { prune: false } })], actual: [found('a', {})], owned: [own('a')] },
      ['prune-disabled a'],
      [],
    ],
    [
      'its declaration wants confirmation',
      { previous: [declare('a', {}, { options: { prune: 'confirm' } })], actual: [found('a', {})], owned: [own('a')] },
      ['prune-unconfirmed a'],
      [],
    ],
    [
      'nobody knows who made it',
      { actual: [found('a', { size: 1 })], owned: [own('a', { state: 'intended', digest: 'other' })] },
      ['never-confirmed a'],
      [],
    ],
    [
      'its declaration says selfHeal=false',
      { ...edited, desired: [declare('a', { size: 1 }, { options: { selfHeal: false } })] },
      ['self-heal-disabled a'],
      ['modified a'],
    ],
    [
      'a field cannot be changed in place',
      { ...edited, desired: [declare('a', { size: 1 })], options: { immutable: (_, path) => path === '/size' } },
      ['immutable a'],
      ['modified a'],
    ],
    [
      'it claims to be ours and the ledger does not know it',
      { actual: [found('a', {}, { owner: 'shop' })] },
      [],
      ['extraneous a'],
    ],
  ])('%s', (_, scene, expectedRules, expectedDrift) => {
    const planned = plan(scene)
    expect(planned.changes).toEqual([])
    expect(rules(planned)).toEqual(expectedRules)
    expect(drifts(planned)).toEqual(expectedDrift)
  })

  test('a confirmed deletion is made', () => {
    const previous = [declare('a', {}, { options: { prune: 'confirm' } })]
    const scene = { previous, actual: [found('a', {})], owned: [own('a')], request: { confirmed: [ref('a')] } }
    expect(actions(plan(scene))).toEqual(['delete a (revision)'])
  })

  test('an immutable field replaces the resource where that is permitted', () => {
    const desired = [declare('a', { size: 1 }, { options: { replace: true } })]
    const planned = plan({ ...edited, desired, options: { immutable: (_, path) => path === '/size' } })
    expect(actions(planned)).toEqual(['replace a (drift)'])
    expect(planned.changes[0]!.reason).toBe('/size cannot be changed in place')
  })

  test('what could not be read makes the plan incomplete', () => {
    expect(plan({ desired: [declare('a', {})], unknown: ['a'] }).complete).toBe(false)
    expect(plan({ complete: false }).complete).toBe(false)
    expect(plan({ request: { only: [] } }).complete).toBe(false)
    expect(plan({}).complete).toBe(true)
  })
})

describe('what is left out', () => {
  const edited = {
    desired: [declare('a', { size: 1, items: [{ n: 1 }, { n: 1 }], on: true })],
    previous: [declare('a', { size: 1, items: [{ n: 1 }, { n: 1 }], on: true })],
    actual: [
      found(
        'a',
        { size: 9, items: [{ n: 1 }, { n: 7 }], on: false },
        {
          actorOf: (path) => (path === '/on' ? { name: 'autopilot', confidence: 'certain' } : undefined),
        },
      ),
    ],
    owned: [own('a')],
  } satisfies Scene

  test('by path, by path with a wildcard, and by actor, each reported with its rule', () => {
    const ignore = [
      { kind: 'queue', paths: ['/size'] },
      { name: 'counters', paths: ['/items/*/n'] },
      { actors: ['autopilot'] },
    ]
    const planned = plan({ ...edited, request: { ignore } })
    expect(planned.changes).toEqual([])
    expect(planned.drift).toEqual([])
    expect(planned.ignored.map(({ path, rule }) => [path, rule])).toEqual([
      ['/items/1/n', 'counters'],
      ['/on', 'ignore everything by autopilot'],
      ['/size', 'ignore queue at /size'],
    ])
  })

  test('a rule for another resource has no effect', () => {
    const planned = plan({
      ...edited,
      request: { ignore: [{ kind: 'topic', paths: [''] }, { resource: 'b' }, { namespace: 'x' }] },
    })
    expect(planned.changes[0]!.fields).toHaveLength(3)
  })

  test('what its declaration leaves alone', () => {
    const desired = [declare('a', { size: 1 }, { options: { reconcile: false } })]
    const planned = plan({ ...edited, desired })
    expect(planned.changes).toEqual([])
    expect(planned.ignored).toHaveLength(1)
  })
})

describe('secrets', () => {
  const password = { password: 'hunter2', user: 'shop' }
  test('never appear, and equality is still visible', () => {
    const planned = plan({
      desired: [
        declare('a', password, { sensitive: ['/password'] }),
        declare('b', password, { sensitive: ['/password'] }),
      ],
      actual: [found('a', { password: 'hunter1', user: 'shop' })],
      owned: [own('a')],
    })
    expect(JSON.stringify(planned)).not.toContain('hunter')
    const [update, create] = planned.changes
    expect(update!.fields).toMatchObject([{ path: '/password', sensitive: true }])
    expect(update!.fields[0]!.after).toEqual(create!.fields[0]!.after)
    expect(update!.fields[0]!.after).not.toEqual(update!.fields[0]!.before)
  })

  test('do not appear in the value of a field above them, nor when their item moved', () => {
    const items = [
      { name: 'x', value: 'public' },
      { name: 'y', value: 'hunter2' },
    ]
    const planned = plan({
      desired: [
        declare('a', { env: items }, { sensitive: ['/env/1/value'] }),
        declare('b', { env: items }, { sensitive: ['/env/1/value'] }),
      ],
      actual: [found('a', { env: [{ name: 'y', value: 'hunter1' }] })],
      owned: [own('a')],
    })
    expect(JSON.stringify(planned)).not.toContain('hunter')
  })
})

describe('order', () => {
  const steps = (planned: Plan): string[] =>
    stepsOf(planned).map(
      (step) => `${stepText(step[0]!.step)}: ${step.map(({ action, ref }) => `${action} ${ref.name}`).join(', ')}`,
    )
  const wave = (name: string, number: number): Resource => declare(name, { v: 1 }, { order: { wave: number } })

  test('phases, then waves, then names; hooks run with the changes they belong to', () => {
    const hook = (name: string, phase: 'PreSync' | 'PostSync'): Resource =>
      declare(name, {}, { order: { phase, hook: {} } })
    const planned = plan({
      desired: [wave('b', 1), wave('a', 1), wave('c', -1), hook('migrate', 'PreSync'), hook('smoke', 'PostSync')],
    })
    expect(steps(planned)).toEqual([
      'PreSync wave 0: create migrate',
      'Sync wave -1: create c',
      'Sync wave 1: create a, create b',
      'PostSync wave 0: create smoke',
    ])
  })

  test('hooks do not run when nothing else changes, nor when only drift is healed', () => {
    const hook = declare('migrate', {}, { order: { phase: 'PreSync', hook: {} } })
    const a = declare('a', { size: 1 })
    const scene = { desired: [a, hook], previous: [a, hook], owned: [own('a')] }
    expect(plan({ ...scene, actual: [found('a', { size: 1 })] }).changes).toEqual([])
    const gone = { ...scene, actual: [found('a', { size: 1 })], owned: [own('a'), own('gone')] }
    expect(actions(plan(gone))).toEqual(['forget gone (revision)'])
    expect(actions(plan({ ...scene, actual: [found('a', { size: 9 })] }))).toEqual(['update a (drift)'])
    expect(actions(plan({ ...scene, actual: [found('a', { size: 9 })], request: { hooks: true } }))).toEqual([
      'create migrate (hook)',
      'update a (drift)',
    ])
  })

  test('prunes run in the reverse order of creation, and last what asks for it', () => {
    const previous = [
      wave('a', 0),
      wave('b', 1),
      wave('c', 5),
      declare('d', {}, { order: { wave: 0, pruneLast: true } }),
    ]
    const actual = previous.map((each) => found(each.ref.name, each.body))
    const planned = plan({ previous, actual, owned: previous.map((each) => own(each.ref.name)), desired: [] })
    expect(steps(planned)).toEqual([
      'Sync wave 0: delete c',
      'Sync wave 1: delete b',
      'Sync wave 5: delete a',
      'Sync wave 6: delete d',
    ])
  })

  test('what depends on another comes after it', () => {
    const after = (name: string, ...others: string[]): Resource =>
      declare(name, {}, { order: { dependsOn: others.map(ref) } })
    const planned = plan({
      desired: [after('a', 'b'), after('b', 'c'), declare('c', {}), wave('d', 2), after('e', 'd')],
    })
    expect(steps(planned)).toEqual([
      'Sync wave 0: create c',
      'Sync wave 0.1: create b',
      'Sync wave 0.2: create a',
      'Sync wave 2: create d',
      'Sync wave 2.1: create e',
    ])
  })

  test('a circle of dependencies is refused, naming the path', () => {
    const after = (name: string, other: string): Resource => declare(name, {}, { order: { dependsOn: [ref(other)] } })
    const circle = (): Plan => plan({ desired: [after('a', 'b'), after('b', 'c'), after('c', 'b')] })
    expect(circle).toThrow(expect.objectContaining({ code: 'DEPENDENCY_CYCLE' }))
    expect(circle).toThrow('queue b → queue c → queue b')
    expect(() => plan({ desired: [after('a', 'nowhere')] })).toThrow(
      expect.objectContaining({ code: 'DEPENDENCY_UNKNOWN' }),
    )
  })

  test('hooks of a deletion run around it', () => {
    const hook = (name: string, phase: 'PreDelete' | 'PostDelete' | 'PreSync'): Resource =>
      declare(name, {}, { order: { phase, hook: {} } })
    const desired = [
      hook('drain', 'PreDelete'),
      hook('report', 'PostDelete'),
      hook('migrate', 'PreSync'),
      declare('a', {}),
    ]
    const scene = { desired, actual: [found('a', {}), found('drain', {})], owned: [own('a'), own('drain')] }
    expect(steps(plan({ ...scene, request: { mode: 'destroy' } }))).toEqual([
      'PreDelete wave 0: replace drain',
      'Sync wave 0: delete a',
      'PostDelete wave 0: create report',
    ])
    expect(plan(scene).changes).toEqual([])
  })

  test('a hook is made anew unless its policy keeps the old one', () => {
    const hook = (deletePolicy?: readonly 'HookSucceeded'[]): Resource =>
      declare('h', {}, { order: { phase: 'PreSync', hook: deletePolicy ? { deletePolicy } : {} } })
    const scene = (each: Resource): Scene => ({
      desired: [each, declare('a', {})],
      actual: [found('h', {})],
      owned: [own('h')],
    })
    expect(actions(plan(scene(hook())))[0]).toBe('replace h (hook)')
    expect(actions(plan(scene(hook(['HookSucceeded']))))[0]).toBe('update h (hook)')
  })
})

describe('the fingerprint', () => {
  const scene: Scene = {
    desired: [declare('a', { size: 2 })],
    actual: [found('a', { size: 1 }, { version: '1' })],
    owned: [own('a')],
  }
  test('is the same for the same plan, also when only the version moved', () => {
    const moved = { ...scene, actual: [found('a', { size: 1 }, { version: '2' })] }
    expect(plan(moved).fingerprint).toBe(plan(scene).fingerprint)
  })
  test.each<[string, Partial<Scene>]>([
    ['a value', { desired: [declare('a', { size: 3 })] }],
    ['what is there', { actual: [found('a', { size: 0 })] }],
    ['an identity', { actual: [found('a', { size: 1 }, { uid: 'u9' })] }],
    ['a step', { desired: [declare('a', { size: 2 }, { order: { wave: 1 } })] }],
    ['the mode', { request: { mode: 'destroy' } }],
  ])('changes with %s', (_, difference) => {
    expect(plan({ ...scene, ...difference }).fingerprint).not.toBe(plan(scene).fingerprint)
  })
  test.each<[string, Scene]>([
    ['a creation', { desired: [declare('a', { size: 2, '~/': [{ b: 1, a: null }] })] }],
    ['a creation with a secret', { desired: [declare('a', { size: 2, word: 'x' }, { sensitive: ['/word'] })] }],
    ['a creation whose digest the target gave', { desired: [{ ...declare('a', { size: 2 }), digest: 'its own' }] }],
    ['a creation of nothing', { desired: [declare('a', {})] }],
    ['an update', scene],
  ])('of %s is that of the same plan read back from JSON', (_, given) => {
    const made = plan(given)
    expect(fingerprintOf(JSON.parse(JSON.stringify(made)), seal)).toBe(made.fingerprint)
  })
  test('of a creation reads no value: the digest of the body is known', () => {
    let reads = 0
    const spec = Object.defineProperty({}, 'size', { enumerable: true, get: () => ++reads > 0 })
    const desired = [declare('a', { spec })]
    const before = reads
    plan({ desired })
    expect([before, reads]).toEqual([1, 1])
  })
  test('of a creation changes with any value, and not with the order of keys', () => {
    const creation = (body: JsonObject): string => plan({ desired: [declare('a', body)] }).fingerprint
    const one = creation({ size: 2, list: [{ b: 1, a: 2 }] })
    expect(creation({ list: [{ a: 2, b: 1 }], size: 2 })).toBe(one)
    expect(creation({ size: 2, list: [{ b: 1, a: 3 }] })).not.toBe(one)
  })
})
