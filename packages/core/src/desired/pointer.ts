import { GitOpsError } from '../runtime/errors.ts'
import type { Json, JsonObject } from '../runtime/json.ts'

/** One step of a JSON Pointer, escaped as RFC 6901 section 3 says. */
export function escapeSegment(segment: string): string {
  return segment.includes('~') || segment.includes('/') ? segment.replace(/~/g, '~0').replace(/\//g, '~1') : segment
}

/** The JSON Pointer for a path of segments; `''` for the whole document. */
export function toPointer(segments: readonly (string | number)[]): string {
  let pointer = ''
  for (const segment of segments) pointer += `/${typeof segment === 'number' ? segment : escapeSegment(segment)}`
  return pointer
}

/** The segments of a JSON Pointer. Throws `PATCH_INVALID` when it is not one. */
export function parsePointer(pointer: string): string[] {
  if (pointer === '') return []
  if (!pointer.startsWith('/')) throw notAPointer(pointer, 'it must start with a slash')
  return pointer.slice(1).split('/').map(unescapeSegment)
}

function unescapeSegment(segment: string): string {
  if (!segment.includes('~')) return segment
  if (/~(?![01])/.test(segment)) throw notAPointer(segment, '~ must be written ~0')
  return segment.replace(/~1/g, '/').replace(/~0/g, '~')
}

function notAPointer(text: string, why: string): GitOpsError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text
  return new GitOpsError('PATCH_INVALID', `"${shown}" is not a JSON Pointer (RFC 6901): ${why}.`)
}

/** Whether `segments` is `pattern` or lies below it. `*` in the pattern matches any one segment. */
export function covers(pattern: readonly string[], segments: readonly string[]): boolean {
  return pattern.length <= segments.length && pattern.every((part, index) => part === '*' || part === segments[index])
}

/** The value at `segments`; `undefined` when there is none. Only own members and array indexes are followed. */
export function valueAt(value: Json | undefined, segments: readonly string[]): Json | undefined {
  let found = value
  for (const segment of segments) {
    if (found === undefined) return undefined
    found = memberOf(found, segment)
  }
  return found
}

function memberOf(value: Json, segment: string): Json | undefined {
  if (isList(value)) return /^(0|[1-9]\d*)$/.test(segment) ? value[Number(segment)] : undefined
  return isObject(value) && Object.hasOwn(value, segment) ? value[segment] : undefined
}

/** Narrows to an array. `Array.isArray` does not narrow a readonly one. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}

/** Narrows to an object that is not an array. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
