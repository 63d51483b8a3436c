import { escapeSegment, isList, isObject } from '../desired/pointer.ts'
import type { Json, JsonObject } from '../runtime/json.ts'
import { longestRising } from './rising.ts'

/** One difference between two JSON values. Applied in order, the differences turn one into the other. */
export interface JsonDifference {
  /** JSON Pointer: into the value before for `replace` and `remove`, into the value after for `add`. */
  readonly path: string
  readonly op: 'add' | 'remove' | 'replace'
  readonly before?: Json
  readonly after?: Json
}

/** How two values are compared. */
export interface DiffOptions {
  /**
   * Identifies an object inside an array, so that it is compared with itself also when it moved:
   * `(item) => item.name`. An array in which some item has no key, or two have the same, is
   * compared by position. `path` is the JSON Pointer of the array.
   */
  readonly keyOf?: (item: JsonObject, path: string) => string | undefined
  /** Objects that are compared as one value: what is below them is never a difference of its own. */
  readonly atomic?: (value: JsonObject) => boolean
  /** An array with more differences than this is replaced as a whole. @defaultValue 256 */
  readonly maxArrayDifferences?: number
}

interface Walk {
  readonly options: DiffOptions
  readonly maxArrayDifferences: number
  readonly found: JsonDifference[]
}

/** A place in the value: its last segment and where that is. Turned into text only when something differs. */
interface Place {
  readonly above: Place | undefined
  readonly segment: string | number
}

/**
 * The differences between two JSON values, few and precise, in an order that does not depend on the
 * order of keys. Empty when they are equal.
 *
 * Arrays are compared after their equal head and tail are set aside, so that one insertion is one
 * difference. Takes time in proportion to the size of both values.
 */
export function diffJson(before: Json, after: Json, options: DiffOptions = {}): JsonDifference[] {
  const walk: Walk = { options, maxArrayDifferences: options.maxArrayDifferences ?? 256, found: [] }
  if (before !== after) compareValues(before, after, undefined, walk)
  return walk.found
}

function compareValues(before: Json, after: Json, place: Place | undefined, walk: Walk): void {
  if (isObject(before) && isObject(after) && !isAtomic(before, walk) && !isAtomic(after, walk)) {
    compareObjects(before, after, place, walk)
  } else if (isList(before) && isList(after)) {
    compareLists(before, after, place, walk)
  } else if (!sameJson(before, after)) {
    walk.found.push({ path: pointerTo(place), op: 'replace', before, after })
  }
}

function isAtomic(value: JsonObject, { options: { atomic } }: Walk): boolean {
  return atomic !== undefined && atomic(value)
}

function compareObjects(before: JsonObject, after: JsonObject, place: Place | undefined, walk: Walk): void {
  const start = walk.found.length
  let kept = 0
  let last = ''
  let inOrder = true
  for (const key of Object.keys(before)) {
    const left = before[key]
    const right = after[key]
    if (left === undefined) continue
    if (left === right) {
      kept++
      continue
    }
    const count = walk.found.length
    if (right === undefined || !Object.hasOwn(after, key)) {
      walk.found.push({ path: pointerTo({ above: place, segment: key }), op: 'remove', before: left })
    } else {
      kept++
      compareValues(left, right, { above: place, segment: key }, walk)
    }
    if (walk.found.length === count) continue
    inOrder &&= last <= key
    last = key
  }
  const complete = Object.keys(after).length === kept
  if (!complete) addMissing(before, after, place, walk)
  if (walk.found.length > start + 1 && !(inOrder && complete)) sortMembers(walk.found, start, place)
}

function addMissing(before: JsonObject, after: JsonObject, place: Place | undefined, walk: Walk): void {
  for (const key of Object.keys(after)) {
    const value = after[key]
    if (value === undefined || (Object.hasOwn(before, key) && before[key] !== undefined)) continue
    walk.found.push({ path: pointerTo({ above: place, segment: key }), op: 'add', after: value })
  }
}

/** Puts the differences found below an object in the order of its members, keeping the order inside each. */
function sortMembers(found: JsonDifference[], start: number, place: Place | undefined): void {
  const prefix = pointerTo(place).length + 1
  const memberOf = ({ path }: JsonDifference): string => {
    const end = path.indexOf('/', prefix)
    return path
      .slice(prefix, end === -1 ? undefined : end)
      .replaceAll('~1', '/')
      .replaceAll('~0', '~')
  }
  const tail = found.splice(start).map((difference) => ({ difference, member: memberOf(difference) }))
  tail.sort((left, right) => (left.member < right.member ? -1 : left.member > right.member ? 1 : 0))
  for (const { difference } of tail) found.push(difference)
}

function compareLists(before: readonly Json[], after: readonly Json[], place: Place | undefined, walk: Walk): void {
  const start = walk.found.length
  const pairs = pairsByKey(before, after, place, walk)
  if (pairs === undefined) compareByPosition(before, after, place, walk)
  else compareByKey(before, after, pairs, place, walk)
  if (walk.found.length - start <= walk.maxArrayDifferences) return
  walk.found.length = start
  walk.found.push({ path: pointerTo(place), op: 'replace', before, after })
}

function compareByPosition(
  before: readonly Json[],
  after: readonly Json[],
  place: Place | undefined,
  walk: Walk,
): void {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && sameJson(before[head]!, after[head]!)) head++
  let tail = 0
  while (tail < shorter - head && sameJson(before[before.length - 1 - tail]!, after[after.length - 1 - tail]!)) tail++
  const endBefore = before.length - tail
  const endAfter = after.length - tail
  const shared = Math.min(endBefore, endAfter)
  for (let index = head; index < shared; index++) {
    compareValues(before[index]!, after[index]!, { above: place, segment: index }, walk)
  }
  for (let index = endBefore - 1; index >= shared; index--) removeItem(before, index, place, walk)
  for (let index = shared; index < endAfter; index++) addItem(after, index, place, walk)
}

/** For each item after: the index of the same item before, or -1. `undefined` when keys do not identify the items. */
function pairsByKey(
  before: readonly Json[],
  after: readonly Json[],
  place: Place | undefined,
  { options: { keyOf } }: Walk,
): readonly number[] | undefined {
  if (keyOf === undefined || before.length === 0 || after.length === 0) return undefined
  const path = pointerTo(place)
  const indexBefore = indexByKey(before, path, keyOf)
  const indexAfter = indexByKey(after, path, keyOf)
  if (indexBefore === undefined || indexAfter === undefined) return undefined
  return [...indexAfter.keys()].map((key) => indexBefore.get(key) ?? -1)
}

function indexByKey(
  list: readonly Json[],
  path: string,
  keyOf: NonNullable<DiffOptions['keyOf']>,
): Map<string, number> | undefined {
  const index = new Map<string, number>()
  for (const [position, item] of list.entries()) {
    const key = isObject(item) ? keyOf(item, path) : undefined
    if (key === undefined || index.has(key)) return undefined
    index.set(key, position)
  }
  return index
}

function compareByKey(
  before: readonly Json[],
  after: readonly Json[],
  pairs: readonly number[],
  place: Place | undefined,
  walk: Walk,
): void {
  const staying = new Set(longestRising(pairs.filter((index) => index >= 0)))
  for (const [index, from] of pairs.entries()) {
    if (staying.has(from)) compareValues(before[from]!, after[index]!, { above: place, segment: from }, walk)
  }
  for (let index = before.length - 1; index >= 0; index--) {
    if (!staying.has(index)) removeItem(before, index, place, walk)
  }
  for (const [index, from] of pairs.entries()) {
    if (!staying.has(from)) addItem(after, index, place, walk)
  }
}

function removeItem(list: readonly Json[], index: number, place: Place | undefined, walk: Walk): void {
  walk.found.push({ path: pointerTo({ above: place, segment: index }), op: 'remove', before: list[index]! })
}

function addItem(list: readonly Json[], index: number, place: Place | undefined, walk: Walk): void {
  walk.found.push({ path: pointerTo({ above: place, segment: index }), op: 'add', after: list[index]! })
}

/** Whether two JSON values are equal, whatever the order of keys. */
export function sameJson(left: Json, right: Json): boolean {
  if (left === right) return true
  if (isList(left)) return isList(right) && sameLists(left, right)
  return isObject(left) && isObject(right) && sameObjects(left, right)
}

function sameLists(left: readonly Json[], right: readonly Json[]): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index++) {
    if (!sameJson(left[index]!, right[index]!)) return false
  }
  return true
}

function sameObjects(left: JsonObject, right: JsonObject): boolean {
  let count = 0
  for (const key in left) {
    const value = left[key]
    if (value === undefined) continue
    count++
    const other = right[key]
    if (value === other) continue
    if (other === undefined || !Object.hasOwn(right, key) || !sameJson(value, other)) return false
  }
  for (const key in right) if (right[key] !== undefined) count--
  return count === 0
}

function pointerTo(place: Place | undefined): string {
  if (place === undefined) return ''
  const segment = typeof place.segment === 'number' ? String(place.segment) : escapeSegment(place.segment)
  return `${pointerTo(place.above)}/${segment}`
}
