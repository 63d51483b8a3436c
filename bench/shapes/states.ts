import {
  type ActualState,
  type DesiredState,
  type Owned,
  type Plan,
  type Resource,
  actualState,
  createSeal,
  desiredState,
  planByDiff,
  refKey,
  resource,
} from '@gitops-sdk/core'
import type { Generated } from './generate.ts'

const seal = createSeal(new Uint8Array(32))

/** An application as it is after its last run: everything applied, nothing drifted. */
export interface AlignedApplication {
  readonly desired: DesiredState
  readonly actual: ActualState
  readonly owned: ReadonlyMap<string, Owned>
}

/** Everything that `objects` declare is there and owned. What is there is a copy, as a server would answer. */
export function aligned(objects: Iterable<Generated>): AlignedApplication {
  const resources = Array.from(objects, ({ body, ...ref }) => resource({ ref, body }))
  const copies = resources.map(({ ref, body }) => resource({ ref, body: structuredClone(body) }))
  const observed = copies.map(({ ref, body, digest }) => ({ ref, body, digest }))
  const owned = resources.map(({ ref, digest }): [string, Owned] => [
    refKey(ref),
    { ref, state: 'applied', revision: 'r1', digest },
  ])
  return {
    desired: desiredState({ id: 'r1' }, resources),
    actual: actualState({ resources: observed, observedAt: 0, version: 'v1' }),
    owned: new Map(owned),
  }
}

/** The same application after a commit that changed one value of the resource in the middle. */
export function withOneChange({ desired, actual, owned }: AlignedApplication): AlignedApplication {
  const middle = Math.floor(desired.resources.length / 2)
  const changed = (one: Resource): Resource => resource({ ref: one.ref, body: { ...one.body, changed: true } })
  const resources = desired.resources.map((one, at) => (at === middle ? changed(one) : one))
  return { desired: desiredState({ id: 'r2' }, resources), actual, owned }
}

/** Plans `next`, knowing what was applied before. */
export function planOf(next: AlignedApplication, before: AlignedApplication): Plan {
  const { owned } = next
  const request = { application: 'shop', mode: 'converge', prune: true, ignore: [], seal } as const
  return planByDiff(next.desired, next.actual, { ...request, owned, previous: before.desired })
}
