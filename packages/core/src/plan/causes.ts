import type { Owned } from '../actual/inventory.ts'
import type { Resource } from '../desired/desired.ts'
import { parsePointer } from '../desired/pointer.ts'
import type { JsonObject } from '../runtime/json.ts'
import { diffJson, type DiffOptions, type JsonDifference } from './diff.ts'
import type { Cause } from './plan.ts'

/** What was declared, what is there and what is declared now, of one resource, secrets replaced. */
export interface ThreeWay {
  readonly previous: JsonObject | undefined
  readonly before: JsonObject
  readonly after: JsonObject
}

/**
 * Says for each difference whether the declaration changed, the target moved, or both. Without the
 * previous declaration, `unchanged` tells whether the declaration is known to be the same as then.
 */
export function causesOf(
  differences: readonly JsonDifference[],
  { previous, before, after }: ThreeWay,
  unchanged: boolean,
  options: DiffOptions,
): Cause[] {
  if (unchanged) return differences.map(() => 'drift')
  if (previous === undefined) return differences.map(() => 'revision')
  const declared = diffJson(previous, after, options).map(segmentsOf)
  if (declared.length === 0) return differences.map(() => 'drift')
  const moved = diffJson(previous, before, options).map(segmentsOf)
  return differences.map((each) => causeOf(segmentsOf(each), declared, moved))
}

function causeOf(path: Segments, declared: readonly Segments[], moved: readonly Segments[]): Cause {
  const byRevision = declared.some((other) => overlap(path, other))
  const byDrift = moved.some((other) => overlap(path, other))
  return byRevision === byDrift ? 'both' : byRevision ? 'revision' : 'drift'
}

type Segments = readonly string[]

function segmentsOf({ path }: JsonDifference): Segments {
  return parsePointer(path)
}

/** Whether one path is the other or lies above it. */
function overlap(left: Segments, right: Segments): boolean {
  const shared = Math.min(left.length, right.length)
  for (let index = 0; index < shared; index++) if (left[index] !== right[index]) return false
  return true
}

/** The cause of a change from those of its fields. */
export function combineCauses(causes: readonly (Cause | undefined)[]): Cause {
  const [first = 'revision', ...others] = causes
  return others.every((cause) => cause === first) ? first : 'both'
}

/** Whether the declaration is known to be the one that was applied last. The inventory knows best. */
export function isUnchanged(now: Resource, previous: Resource | undefined, applied: Owned | undefined): boolean {
  return (applied?.digest ?? previous?.digest) === now.digest
}

/**
 * The previous declaration, if it is the one that was applied last. After a run that stopped half-way
 * some resources have a newer one, and what differs from it is then no drift.
 */
export function lastApplied(previous: Resource | undefined, applied: Owned | undefined): Resource | undefined {
  return applied?.digest === undefined || applied.digest === previous?.digest ? previous : undefined
}
