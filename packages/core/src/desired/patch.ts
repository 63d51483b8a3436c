import jsonPatch from 'fast-json-patch'
import { GitOpsError } from '../runtime/errors.ts'
import type { Json, JsonObject } from '../runtime/json.ts'
import { desiredState, originText, resource } from './build.ts'
import type { DesiredState, Origin, Resource, ResourceRef } from './desired.ts'
import { digestOf } from './digest.ts'
import { isList, isObject, parsePointer, valueAt } from './pointer.ts'
import { forbiddenKeys } from './strict.ts'

/** One operation of a JSON Patch (RFC 6902). */
export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string }

/** A patch of declared resources. */
export interface ResourcePatch {
  /** Which resources: all given parts must be equal. At least one must match. */
  readonly match: Partial<ResourceRef>
  readonly operations: readonly PatchOperation[]
  /** Where the patch stands, for errors. */
  readonly origin?: Origin
}

/** Operations in one patch. */
const MAX_OPERATIONS = 1_000
/** Characters of one pointer. */
const MAX_POINTER_LENGTH = 4_096

/**
 * `document` after a JSON Patch (RFC 6902); the given one is never changed.
 *
 * All or nothing: throws `PATCH_INVALID`, naming the operation, when one is malformed, points at
 * something that is not there, at `__proto__`, `constructor` or `prototype`, or when a `test` fails.
 */
export function applyJsonPatch(document: JsonObject, operations: readonly PatchOperation[]): JsonObject {
  if (!Array.isArray(operations)) throw invalid('A patch must be a list of operations')
  if (operations.length > MAX_OPERATIONS)
    throw invalid(`A patch may have ${MAX_OPERATIONS} operations, not ${operations.length}`)
  let patched: Json = structuredClone(document)
  for (const [index, operation] of operations.entries()) patched = applyOne(patched, operation, index)
  if (!isObject(patched)) throw invalid('A patch must leave an object')
  return patched
}

function applyOne(document: Json, operation: PatchOperation, index: number): Json {
  checkShape(operation, index)
  checkPlaces(document, operation, index)
  try {
    return jsonPatch.applyOperation(document, structuredClone(operation) as never, true, true, true, index).newDocument
  } catch (cause) {
    throw refuse(
      operation,
      index,
      operation.op === 'test' ? 'the value there is another one' : 'it cannot be applied',
      cause,
    )
  }
}

const shapes: Readonly<Record<string, readonly string[]>> = {
  add: ['path', 'value'],
  replace: ['path', 'value'],
  test: ['path', 'value'],
  remove: ['path'],
  move: ['from', 'path'],
  copy: ['from', 'path'],
}

function checkShape(operation: PatchOperation, index: number): void {
  const given: unknown = operation
  if (typeof given !== 'object' || given === null) throw invalid(`Operation ${index + 1} of the patch is not an object`)
  const members = Object.hasOwn(shapes, operation.op) ? shapes[operation.op] : undefined
  if (members === undefined) throw refuse(operation, index, 'there is no such operation')
  for (const member of members) {
    if (!Object.hasOwn(operation, member)) throw refuse(operation, index, `it needs \`${member}\``)
    if (member !== 'value') checkPointer(Reflect.get(operation, member), operation, index)
  }
  if ('value' in operation && !isPlainJson(operation.value))
    throw refuse(operation, index, 'its value is not JSON, or has a key that is not allowed')
}

function checkPointer(pointer: unknown, operation: PatchOperation, index: number): void {
  if (typeof pointer !== 'string') throw refuse(operation, index, 'a pointer must be text')
  if (pointer.length > MAX_POINTER_LENGTH)
    throw refuse(operation, index, `a pointer may have ${MAX_POINTER_LENGTH} characters`)
  if (parsePointer(pointer).some((segment) => forbiddenKeys.has(segment))) {
    throw refuse(operation, index, '__proto__, constructor and prototype are not allowed in a pointer')
  }
}

/** Refuses a place that is not there before the library, which would make it up, sees it. */
function checkPlaces(document: Json, operation: PatchOperation, index: number): void {
  if ('from' in operation) {
    if (!exists(document, operation.from)) throw refuse(operation, index, '`from` points at nothing')
    if (operation.op === 'move' && operation.path.startsWith(`${operation.from}/`)) {
      throw refuse(operation, index, 'it cannot be moved into itself')
    }
  }
  const adds = operation.op === 'add' || operation.op === 'copy' || operation.op === 'move'
  if (adds ? !canHold(document, operation.path) : !exists(document, operation.path)) {
    throw refuse(operation, index, adds ? 'there is no object or list to add it to' : 'there is nothing at its path')
  }
}

function exists(document: Json, pointer: string): boolean {
  return valueAt(document, parsePointer(pointer)) !== undefined
}

function canHold(document: Json, pointer: string): boolean {
  const segments = parsePointer(pointer)
  const last = segments.pop()
  if (last === undefined) return true
  const parent = valueAt(document, segments)
  if (!isList(parent)) return isObject(parent)
  return last === '-' || (/^(0|[1-9]\d*)$/.test(last) && Number(last) <= parent.length)
}

function isPlainJson(value: unknown): boolean {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.every(isPlainJson)
  const isPlain = [Object.prototype, null].includes(Object.getPrototypeOf(value))
  return isPlain && Object.entries(value).every(([key, member]) => !forbiddenKeys.has(key) && isPlainJson(member))
}

/**
 * The desired state with patches applied to the bodies of its resources, in order.
 *
 * Throws `PATCH_INVALID`, naming patch and resource, when a patch cannot be applied or matches nothing.
 */
export function patchResources(desired: DesiredState, patches: readonly ResourcePatch[]): DesiredState {
  const { revision, resources, digest: _digest, ...extras } = desired
  const patched = patches.reduce<readonly Resource[]>(patchMatching, resources)
  return { ...extras, ...desiredState(revision, patched), digest: combinedDigest(desired, patched) }
}

/** Keeps what went into the digest besides the resources, such as inputs. */
function combinedDigest(before: DesiredState, patched: readonly Resource[]): string {
  const bodies = patched.map(({ digest }) => digest)
  const same = patched.every((each, index) => each.digest === before.resources[index]?.digest)
  return same ? before.digest : digestOf([before.digest, bodies])
}

function patchMatching(resources: readonly Resource[], patch: ResourcePatch): readonly Resource[] {
  let count = 0
  const patched = resources.map((each) => {
    if (!matches(each.ref, patch.match)) return each
    count++
    return patchOne(each, patch)
  })
  if (count > 0) return patched
  throw invalid(`${placeOf(patch)} matches no resource: ${JSON.stringify(patch.match)}`)
}

function matches(ref: ResourceRef, { group, kind, namespace, name }: Partial<ResourceRef>): boolean {
  return (
    (group === undefined || group === (ref.group ?? '')) &&
    (kind === undefined || kind === ref.kind) &&
    (namespace === undefined || namespace === (ref.namespace ?? '')) &&
    (name === undefined || name === ref.name)
  )
}

function patchOne(each: Resource, patch: ResourcePatch): Resource {
  const { digest: _digest, body, ...rest } = each
  try {
    return resource({ ...rest, body: applyJsonPatch(body, patch.operations) })
  } catch (cause) {
    if (!(cause instanceof GitOpsError)) throw cause
    throw invalid(
      `${placeOf(patch)} does not fit ${each.ref.kind} ${each.ref.name}: ${cause.message.replace(/\.$/, '')}`,
      cause,
    )
  }
}

function placeOf({ origin }: ResourcePatch): string {
  return origin === undefined ? 'A patch' : `The patch at ${originText(origin)}`
}

function refuse(operation: PatchOperation, index: number, why: string, cause?: unknown): GitOpsError {
  const place = typeof operation.path === 'string' ? ` at "${operation.path.slice(0, 100)}"` : ''
  return invalid(
    `Operation ${index + 1} of the patch (${String(operation.op).slice(0, 20)}${place}) is refused: ${why}`,
    cause,
  )
}

function invalid(message: string, cause?: unknown): GitOpsError {
  return new GitOpsError('PATCH_INVALID', `${message}.`, { cause })
}
