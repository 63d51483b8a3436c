import { digestOf } from '../desired/digest.ts'
import type { Drift, FieldChange } from '../plan/plan.ts'
import type { Json } from '../runtime/json.ts'

/** By `fieldKey`: how often a field was healed from one value to another. */
export type HealCounts = Readonly<Record<string, HealCount>>

/** How often, and since when. */
export interface HealCount {
  readonly count: number
  readonly since: number
  /** The oscillation was told. */
  readonly told?: boolean
}

/** Heals that lie further back than this do not count. */
const WINDOW_MS = 86_400_000

/** Fields and values that are counted per resource: the latest ones. */
const MAX_COUNTS = 32

/** The counts after `fields` were healed once more. Pure. */
export function countHeal(counts: HealCounts, fields: readonly string[], now: number): HealCounts {
  const next = new Map(Object.entries(counts))
  for (const field of fields) {
    const before = next.get(field)
    next.delete(field)
    const goesOn = before !== undefined && now - before.since <= WINDOW_MS
    next.set(field, goesOn ? { ...before, count: before.count + 1 } : { count: 1, since: now })
  }
  return Object.fromEntries([...next].slice(-MAX_COUNTS))
}

/** Whether a field was healed `limit` times, not too long ago. */
export function isWorn(healed: HealCount | undefined, now: number, limit: number): boolean {
  return healed !== undefined && healed.count >= limit && now - healed.since <= WINDOW_MS
}

/** The fields of a drift. One without fields (a resource that is missing) counts as one field, the whole resource. */
export function fieldsOf(drift: Drift): readonly FieldChange[] {
  return drift.fields.length > 0 ? drift.fields : [{ path: '', op: 'replace' }]
}

/** Names a field with the value found and the value declared: another declaration of it starts over. */
export function fieldKey({ path, before, after }: FieldChange): string {
  return `${path} ${digestOf(JSON.parse(JSON.stringify({ before, after })) as Json).slice(0, 16)}`
}
