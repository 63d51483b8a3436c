import type { Resource } from './desired.ts'
import { refKey } from './ref.ts'

/** What is asked again and again of one declaration. */
interface Index {
  readonly byKey: ReadonlyMap<string, Resource>
  /** Those that declare an order, hooks among them: few, mostly none. */
  readonly ordered: readonly Resource[]
}

const known = new WeakMap<readonly Resource[], Index>()

/**
 * A declaration is compared, applied and recorded many times and never changes, so what is asked of it is worked out
 * once and lives as long as its list.
 */
function indexOf(resources: readonly Resource[]): Index {
  const found = known.get(resources)
  if (found !== undefined) return found
  const byKey = new Map(resources.map((each) => [refKey(each.ref), each]))
  const made = { byKey, ordered: resources.filter(({ order }) => order !== undefined) }
  known.set(resources, made)
  return made
}

/** The resources of one declaration by `refKey`. */
export function resourcesByKey(resources: readonly Resource[]): ReadonlyMap<string, Resource> {
  return indexOf(resources).byKey
}

/** The resources that declare an order, in the order of the declaration. */
export function resourcesWithOrder(resources: readonly Resource[]): readonly Resource[] {
  return indexOf(resources).ordered
}

/** The hooks among the resources. */
export function hooksOf(resources: readonly Resource[]): readonly Resource[] {
  return resourcesWithOrder(resources).filter(({ order }) => order?.hook !== undefined)
}
