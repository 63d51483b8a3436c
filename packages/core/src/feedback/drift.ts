import { digestOf } from '../desired/digest.ts'
import type { ResourceRef } from '../desired/desired.ts'
import { refKey } from '../desired/ref.ts'
import type { Drift, FieldChange, Ignored, Plan } from '../plan/plan.ts'
import type { Json } from '../runtime/json.ts'
import type { DriftEnd, EventBody } from './events.ts'
import { type HealCount, type HealCounts, countHeal, fieldKey, fieldsOf, isWorn } from './oscillation.ts'

/** What is remembered of the drift of one application, so that each is told once. Plain JSON, bounded. */
export interface DriftMemory {
  /** By kind and resource. */
  readonly seen: Readonly<Record<string, SeenDrift>>
  /** Ignored differences that were told, as digests. */
  readonly ignored: readonly string[]
}

/** What is remembered of the drift of one kind on one resource. */
interface SeenDrift {
  readonly ref: ResourceRef
  readonly kind: Drift['kind']
  /** It is there now. */
  readonly present: boolean
  readonly adopted: boolean
  /** Identifies its fields and values. */
  readonly content: string
  /** Its fields as `fieldKey`s, the first few of them. */
  readonly fields: readonly string[]
  /** The digest of the declaration it was last seen against. */
  readonly declared: string
  readonly firstSeenAt: number
  /** How often it came back, the first time included. */
  readonly occurrences: number
  /** How often its fields were healed. */
  readonly healed: HealCounts
}

/** What came of looking at drift: events to record, and what to remember. */
export interface DriftTracking {
  readonly events: readonly EventBody[]
  /** The memory that was given, when nothing changed. */
  readonly memory: DriftMemory
}

/** A memory of nothing. */
export const noDrift: DriftMemory = { seen: {}, ignored: [] }

/** Entries that are kept. Drift beyond them is told again each time it is seen. */
const MAX_ENTRIES = 1_000

/** Fields of one drift whose heals are counted. */
const MAX_FIELDS = 16

/**
 * Compares the drift of `plan` with what is remembered: tells what is new, what is gone, what is
 * ignored and what was adopted, each once. Pure. A plan that is not complete resolves nothing: what
 * is not in it may only not have been read.
 */
export function trackDrift(memory: DriftMemory, plan: Plan, now: number, oscillationLimit: number): DriftTracking {
  const present = new Map(plan.drift.map((drift) => [keyOf(drift), drift]))
  const tracker = startTracking(memory, plan.application)
  for (const [key, drift] of present) see(tracker, key, drift, plan.basis.digest, now, oscillationLimit)
  if (plan.complete)
    for (const [key, seen] of Object.entries(memory.seen)) if (!present.has(key)) miss(tracker, key, seen, plan, now)
  seeIgnored(tracker, plan)
  return finish(tracker, memory)
}

/**
 * Tells that the drift of `healed` resources was undone, and counts it. Called after an apply with the
 * resources whose change succeeded. Pure.
 */
export function settleDrift(
  memory: DriftMemory,
  application: string,
  healed: readonly ResourceRef[],
  now: number,
): DriftTracking {
  const keys = new Set(healed.map(refKey))
  const tracker = startTracking(memory, application)
  for (const [key, seen] of Object.entries(memory.seen)) {
    if (!seen.present || seen.adopted || !keys.has(refKey(seen.ref))) continue
    tracker.events.push(resolved(application, seen, 'healed', now))
    tracker.seen.set(key, { ...seen, present: false, healed: countHeal(seen.healed, seen.fields, now) })
  }
  return finish(tracker, memory)
}

/** The `refKey`s of resources in `drift` that were healed `limit` times from the very values they have again. */
export function oscillatingRefs(
  memory: DriftMemory,
  drift: readonly Drift[],
  now: number,
  limit: number,
): ReadonlySet<string> {
  const oscillating = drift.filter((each) => {
    const healed = memory.seen[keyOf(each)]?.healed ?? {}
    return fieldsOf(each).some((field) => isWorn(healed[fieldKey(field)], now, limit))
  })
  return new Set(oscillating.map(({ ref }) => refKey(ref)))
}

/** `drift` with the time it was first seen. */
export function withFirstSeen(drift: readonly Drift[], memory: DriftMemory): readonly Drift[] {
  return drift.map((each) => {
    const seen = memory.seen[keyOf(each)]
    return seen?.present === true ? { ...each, firstSeenAt: seen.firstSeenAt } : each
  })
}

/** A memory as it was stored; an empty one when `stored` is not one. */
export function driftMemoryFrom(stored: Json | undefined): DriftMemory {
  const known = typeof stored === 'object' && stored !== null && 'seen' in stored && 'ignored' in stored
  // Written by this file only, and guarded by the checksum of the ledger.
  return known ? (stored as unknown as DriftMemory) : noDrift
}

interface Tracker {
  readonly application: string
  readonly events: EventBody[]
  readonly seen: Map<string, SeenDrift>
  ignored: readonly string[]
}

function startTracking(memory: DriftMemory, application: string): Tracker {
  return { application, events: [], seen: new Map(Object.entries(memory.seen)), ignored: memory.ignored }
}

function see(tracker: Tracker, key: string, drift: Drift, declared: string, now: number, limit: number): void {
  const before = tracker.seen.get(key)
  const fields = fieldsOf(drift).map(fieldKey)
  const content = digestOf(fields)
  const adopted = drift.adopted === true
  if (before?.present === true && before.content === content && before.adopted === adopted) {
    if (before.declared !== declared) tracker.seen.set(key, { ...before, declared })
    return
  }
  const stays = before?.present === true
  const after: SeenDrift = {
    ref: drift.ref,
    kind: drift.kind,
    present: true,
    adopted,
    content,
    fields: fields.slice(0, MAX_FIELDS),
    declared,
    firstSeenAt: stays ? before.firstSeenAt : now,
    occurrences: (before?.occurrences ?? 0) + (stays ? 0 : 1),
    healed: before?.healed ?? {},
  }
  tracker.seen.delete(key)
  tracker.seen.set(key, tell(tracker, after, drift, now, limit))
}

function tell(tracker: Tracker, seen: SeenDrift, drift: Drift, now: number, limit: number): SeenDrift {
  const { application, events } = tracker
  const { firstSeenAt, occurrences } = seen
  if (seen.adopted) {
    events.push({ type: 'driftAdopted', application, ref: drift.ref, fields: drift.fields })
    return seen
  }
  events.push({ type: 'drifted', application, drift: { ...drift, firstSeenAt }, firstSeenAt, occurrences })
  return tellOscillation(tracker, seen, drift, now, limit)
}

function tellOscillation(tracker: Tracker, seen: SeenDrift, drift: Drift, now: number, limit: number): SeenDrift {
  const worn = fieldsOf(drift).filter((field) => isWorn(seen.healed[fieldKey(field)], now, limit))
  const healed = { ...seen.healed }
  for (const field of worn) {
    const count = healed[fieldKey(field)]
    if (count === undefined || count.told === true) continue
    healed[fieldKey(field)] = { ...count, told: true }
    tracker.events.push(oscillation(tracker.application, drift, field, count))
  }
  return { ...seen, healed }
}

function oscillation(application: string, drift: Drift, field: FieldChange, { count, since }: HealCount): EventBody {
  const actor = field.actor ?? drift.actor
  return {
    type: 'oscillated',
    application,
    ref: drift.ref,
    path: field.path,
    count,
    firstSeenAt: since,
    ...(field.before !== undefined && { value: field.before }),
    ...(actor && { actor }),
  }
}

/** Not in a complete plan any more, and not undone by us: nobody fights here, so past heals are forgotten. */
function miss(tracker: Tracker, key: string, seen: SeenDrift, plan: Plan, now: number): void {
  if (!seen.present) return
  const how = seen.adopted ? 'adopted' : seen.declared === plan.basis.digest ? 'disappeared' : 'declared'
  tracker.events.push(resolved(tracker.application, seen, how, now))
  tracker.seen.delete(key)
}

function resolved(application: string, seen: SeenDrift, how: DriftEnd, now: number): EventBody {
  return {
    type: 'driftResolved',
    application,
    ref: seen.ref,
    kind: seen.kind,
    how,
    lastedMs: Math.max(0, now - seen.firstSeenAt),
  }
}

function seeIgnored(tracker: Tracker, plan: Plan): void {
  const present = new Map(plan.ignored.map((ignored) => [ignoredKey(ignored), ignored]))
  const told = new Set(tracker.ignored)
  const fresh = [...present].filter(([key]) => !told.has(key))
  for (const [, ignored] of fresh)
    tracker.events.push({ type: 'driftIgnored', application: tracker.application, ignored })
  const kept = plan.complete ? tracker.ignored.filter((key) => present.has(key)) : tracker.ignored
  if (fresh.length === 0 && kept.length === tracker.ignored.length) return
  tracker.ignored = [...kept, ...fresh.map(([key]) => key)].slice(-MAX_ENTRIES)
}

function finish(tracker: Tracker, memory: DriftMemory): DriftTracking {
  const before = Object.values(memory.seen)
  const after = [...tracker.seen.values()]
  const same = before.length === after.length && before.every((seen, index) => seen === after[index])
  if (same && tracker.ignored === memory.ignored) return { events: tracker.events, memory }
  return {
    events: tracker.events,
    memory: { seen: Object.fromEntries(bounded(tracker.seen)), ignored: tracker.ignored },
  }
}

/** Drops the oldest entries, first of those that are not there now. */
function bounded(seen: ReadonlyMap<string, SeenDrift>): readonly (readonly [string, SeenDrift])[] {
  const entries = [...seen]
  if (entries.length <= MAX_ENTRIES) return entries
  const past = entries.filter(([, { present }]) => !present)
  const current = entries.filter(([, { present }]) => present)
  return [...past, ...current].slice(-MAX_ENTRIES)
}

function keyOf({ kind, ref }: Pick<Drift, 'kind' | 'ref'>): string {
  return `${kind} ${refKey(ref)}`
}

function ignoredKey({ ref, path, rule }: Ignored): string {
  return digestOf([refKey(ref), path, rule]).slice(0, 16)
}
