import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ActualResource } from '../actual/actual.ts'
import { actualState } from '../actual/build.ts'
import type { Owned } from '../actual/inventory.ts'
import { applyEach } from '../apply/each.ts'
import { desiredState, resource } from '../desired/build.ts'
import type { DesiredState } from '../desired/desired.ts'
import { refKey } from '../desired/ref.ts'
import type { Json } from '../runtime/json.ts'
import { testCall } from '../testing/call.ts'
import { planByDiff } from './by-diff.ts'
import { sameJson } from './diff.ts'
import type { IgnoreRule, Plan, PlanRequest } from './plan.ts'
import { createSeal } from './seal.ts'

const seal = createSeal(new Uint8Array(32).fill(3))
const names = ['a', 'b', 'c', 'd', 'e', 'f']
const ref = (name: string) => ({ kind: 'queue', name })

const value = fc.oneof(
  fc.integer({ min: 0, max: 2 }),
  fc.constantFrom('x', 'y', null, true),
  fc.array(fc.record({ name: fc.constantFrom('p', 'q', 'r'), v: fc.integer({ min: 0, max: 2 }) }), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('k', 'l'), fc.integer({ min: 0, max: 2 })),
) as fc.Arbitrary<Json>
const body = fc.dictionary(fc.constantFrom('size', 'tags', 'limits', 'a/b'), value, { maxKeys: 4 })
const order = fc.record({ wave: fc.integer({ min: -1, max: 2 }), pruneLast: fc.boolean() }, { requiredKeys: [] })
const declaration = fc.dictionary(fc.constantFrom(...names), fc.record({ body, order }))
const live = fc.dictionary(
  fc.constantFrom(...names),
  fc.record({ body, uid: fc.constantFrom('u1', 'u2'), owner: fc.constantFrom(undefined, 'shop', 'other') }),
)
const owned = fc.dictionary(
  fc.constantFrom(...names),
  fc.record({ state: fc.constantFrom('applied', 'intended', 'deleting'), uid: fc.constantFrom(undefined, 'u1', 'u2') }),
)
const scene = fc.record({ declared: declaration, before: declaration, live, owned, hasPrevious: fc.boolean() })

/** An application and a managed system, as plain maps. */
class World {
  readonly live = new Map<string, ActualResource>()
  owned = new Map<string, Owned>()
  readonly desired: DesiredState
  readonly previous: DesiredState | undefined
  readonly writes: string[] = []

  constructor({
    declared,
    before,
    live: there,
    owned: ours,
    hasPrevious,
  }: typeof scene extends fc.Arbitrary<infer T> ? T : never) {
    const state = (all: typeof declared): DesiredState =>
      desiredState(
        { id: 'r1' },
        Object.entries(all).map(([name, each]) => resource({ ref: ref(name), ...each })),
      )
    this.desired = state(declared)
    this.previous = hasPrevious ? state(before) : undefined
    for (const [name, { owner, ...each }] of Object.entries(there)) {
      this.live.set(refKey(ref(name)), { ref: ref(name), ...each, ...(owner && { owner }) })
    }
    for (const [name, { state: how, uid }] of Object.entries(ours)) {
      this.owned.set(refKey(ref(name)), { ref: ref(name), state: how, revision: 'r0', ...(uid && { uid }) })
    }
  }

  plan(more: Partial<PlanRequest> = {}): Plan {
    const actual = actualState({ resources: this.live.values(), observedAt: 0 })
    const request = { application: 'shop', mode: 'converge', owned: this.owned, prune: true, ignore: [], seal } as const
    return planByDiff(this.desired, actual, { ...request, ...(this.previous && { previous: this.previous }), ...more })
  }

  async apply(plan: Plan): Promise<void> {
    const write = applyEach(plan, this.desired, testCall({ application: 'shop' }), async (change, declared) => {
      const key = refKey(change.ref)
      this.writes.push(`${change.action} ${change.ref.name}`)
      if (declared === undefined) this.live.delete(key)
      else this.live.set(key, { ref: change.ref, body: declared.body, uid: change.uid ?? 'new', owner: 'shop' })
    })
    for await (const { ref: at, action } of write) {
      const key = refKey(at)
      const uid = this.live.get(key)?.uid
      if (action === 'delete' || action === 'forget') this.owned.delete(key)
      else this.owned.set(key, { ref: at, state: 'applied', revision: 'r1', ...(uid !== undefined && { uid }) })
    }
  }
}

const check = (property: (world: World) => Promise<void> | void): Promise<void> =>
  fc.assert(
    fc.asyncProperty(scene, async (given) => property(new World(given))),
    { numRuns: 500 },
  )

test('any desired state is reached from any actual state, and then nothing is planned', () =>
  check(async (world) => {
    await world.apply(world.plan())
    for (const { ref: at, body: wanted } of world.desired.resources) {
      const there = world.live.get(refKey(at))
      if (there?.owner !== 'other') expect(there?.body).toEqual(wanted)
    }
    expect(world.plan().changes).toEqual([])
  }))

test('applying is idempotent: the same plan twice leaves what it left once', () =>
  check(async (world) => {
    const plan = world.plan()
    await world.apply(plan)
    const bodies = (): Map<string, unknown> => new Map([...world.live].map(([key, { body: is }]) => [key, is]))
    const once = bodies()
    await world.apply(plan)
    expect(bodies()).toEqual(once)
  }))

test('what is applied is what the plan shows, and planning itself writes nothing', () =>
  check(async (world) => {
    const plan = world.plan()
    expect(world.writes).toEqual([])
    await world.apply(plan)
    const planned = plan.changes
      .filter(({ action }) => action !== 'forget')
      .map(({ action, ref: at }) => `${action} ${at.name}`)
    expect(world.writes.sort()).toEqual(planned.sort())
  }))

test('nothing is deleted that is not owned, is claimed by another, or has another identity', () =>
  check((world) => {
    const all = [...world.plan().changes, ...world.plan({ mode: 'destroy' }).changes]
    for (const { ref: at, action } of all.filter(
      (change) => change.action === 'delete' || change.action === 'replace',
    )) {
      const [ours, there] = [world.owned.get(refKey(at)), world.live.get(refKey(at))]
      expect(action).toBe('delete')
      expect(ours).toBeDefined()
      expect(there?.owner).not.toBe('other')
      expect(ours?.uid === undefined || ours.uid === there?.uid).toBe(true)
    }
  }))

test('nothing that another application owns is written', () =>
  check((world) => {
    for (const { ref: at, action } of world.plan().changes) {
      if (world.live.get(refKey(at))?.owner === 'other') expect(action).toBe('forget')
    }
  }))

test('every difference is planned, ignored or blocked: none is lost', () =>
  fc.assert(
    fc.property(
      scene,
      fc.subarray<IgnoreRule>([{ paths: ['/size'] }, { resource: 'a' }, { paths: ['/tags/*/v'] }, { kind: 'topic' }]),
      (given, ignore) => {
        const world = new World(given)
        const plan = world.plan({ ignore })
        const told = new Set([...plan.changes, ...plan.ignored, ...plan.blocked].map(({ ref: at }) => at && refKey(at)))
        for (const { ref: at, body: wanted } of world.desired.resources) {
          const there = world.live.get(refKey(at))
          if (there === undefined || !sameJson(there.body, wanted)) expect(told.has(refKey(at))).toBe(true)
        }
        const ignoredSizes = ignore.some(({ paths }) => paths?.includes('/size'))
        const fields = plan.changes.filter(({ action }) => action === 'update').flatMap((change) => change.fields)
        if (ignoredSizes) expect(fields.filter(({ path }) => path.startsWith('/size'))).toEqual([])
      },
    ),
    { numRuns: 500 },
  ))

test('steps come in order: waves rise, and what is pruned last comes last', () =>
  check((world) => {
    const steps = world.plan().changes.map(({ step }) => step.wave * 100 + (step.level ?? 0))
    expect(steps).toEqual(steps.toSorted((left, right) => left - right))
  }))

test('the plan does not depend on the order of anything it is given', () =>
  check((world) => {
    const plan = world.plan()
    const turned = new Map([...world.owned].toReversed())
    const live = [...world.live].toReversed()
    world.live.clear()
    for (const [key, each] of live)
      world.live.set(key, { ...each, body: Object.fromEntries(Object.entries(each.body).toReversed()) })
    world.owned = turned
    expect(world.plan().fingerprint).toBe(plan.fingerprint)
    expect(world.plan().changes).toEqual(plan.changes)
  }))

test('no secret is in a plan, wherever it stands and whoever marks it', () =>
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('data', 'env', '0', '1', 'k~x/y'), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 0, max: 4 }),
      (path, inList, isThere, above) => {
        const secret = (text: string): Json =>
          path.reduceRight<Json>(
            (inner, key, at) => (inList && at === 1 ? [{ name: key }, { name: 'x', [key]: inner }] : { [key]: inner }),
            text,
          )
        const segments = path.flatMap((key, at) => (inList && at === 1 ? ['1', key] : [key]))
        const pointer = segments
          .slice(0, Math.max(1, segments.length - above))
          .map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
          .join('')
        const desired = desiredState({ id: 'r' }, [
          resource({ ref: ref('a'), body: { a: secret('hunter2'), z: 1 }, sensitive: [`/a${pointer}`] }),
        ])
        const found = { ref: ref('a'), body: { a: secret('hunter1') } }
        const actual = actualState({ resources: isThere ? [found] : [], observedAt: 0 })
        const request: PlanRequest = {
          application: 'shop',
          mode: 'converge',
          owned: new Map(),
          prune: true,
          ignore: [],
          seal,
        }
        expect(JSON.stringify(planByDiff(desired, actual, request))).not.toContain('hunter')
      },
    ),
  ))
