import { type Order, type Phase, type Resource, refKey } from '@gitops-sdk/core'
import { definedBy } from './kinds.ts'

const phases: readonly Phase[] = ['PreDelete', 'PreSync', 'Sync', 'PostSync', 'SyncFail', 'PostDelete']

/**
 * Moves a Namespace and a CustomResourceDefinition to the earliest step in which something needs it: a
 * hook that runs before everything else has to find the namespace it lives in.
 */
export function precedeDependents(resources: readonly Resource[]): Resource[] {
  const earliest = new Map<string, Order>()
  for (const each of resources) {
    for (const need of needsOf(each)) {
      const known = earliest.get(need)
      if (known === undefined || isEarlier(each.order, known)) earliest.set(need, each.order ?? {})
    }
  }
  return resources.map((each) => {
    const key = providedBy(each)
    const wanted = key === undefined ? undefined : earliest.get(key)
    if (wanted === undefined || !isEarlier(wanted, each.order)) return each
    return { ...each, order: { ...each.order, phase: wanted.phase ?? 'Sync', wave: wanted.wave ?? 0 } }
  })
}

/** What a resource cannot be applied without, as keys of `providedBy`. */
export function needsOf({ ref }: Pick<Resource, 'ref'>): string[] {
  const kind = `kind ${ref.group ?? ''}/${ref.kind}`
  return ref.namespace === undefined ? [kind] : [kind, `namespace ${ref.namespace}`]
}

/** What the resource makes possible, as a key. */
export function providedBy({ ref, body }: Pick<Resource, 'ref' | 'body'>): string | undefined {
  if (refKey(ref) === refKey({ kind: 'Namespace', name: ref.name })) return `namespace ${ref.name}`
  const definition = definedBy(body)
  return definition === undefined ? undefined : `kind ${definition.group}/${definition.kind}`
}

function isEarlier(left: Order | undefined, right: Order | undefined): boolean {
  const byPhase = phaseOf(left) - phaseOf(right)
  return byPhase < 0 || (byPhase === 0 && (left?.wave ?? 0) < (right?.wave ?? 0))
}

function phaseOf(order: Order | undefined): number {
  return phases.indexOf(order?.phase ?? 'Sync')
}
