import { covers, isList, isObject, parsePointer } from '../desired/pointer.ts'
import type { Json, JsonObject } from '../runtime/json.ts'
import type { Seal } from './plan.ts'

/** Places of secrets as segments; `*` stands for any item of an array. */
export type SecretPaths = readonly (readonly string[])[]

/**
 * The places that are secret in any of the bodies the pointers belong to. An index becomes `*`: items
 * move, and a secret must not show because it stands elsewhere in the other body.
 */
export function secretPaths(...lists: readonly (readonly string[] | undefined)[]): SecretPaths {
  const pointers = new Set(lists.flatMap((list) => list ?? []))
  const paths = [...pointers].map((pointer) => parsePointer(pointer).map((part) => (/^\d+$/.test(part) ? '*' : part)))
  return paths.filter(
    (path, at) => !paths.some((other, index) => index !== at && makesNeedless(other, index, path, at)),
  )
}

function makesNeedless(other: readonly string[], index: number, path: readonly string[], at: number): boolean {
  return covers(other, path) && (other.length < path.length || index < at)
}

/** Replaces secrets in bodies that are to be compared. */
export interface Redaction {
  /**
   * `body` with every secret replaced by its stand-in. Values are replaced before they are compared,
   * so no later step can reveal one. Shares everything it does not change.
   */
  readonly redact: (body: JsonObject) => JsonObject
  /** Whether this redaction made the object. */
  readonly isStandIn: (value: JsonObject) => boolean
}

/** A redaction of the same places in every body. */
export function createRedaction(secrets: SecretPaths, seal: Seal): Redaction {
  const standIns = new WeakSet<JsonObject>()
  const standInFor = (value: Json): JsonObject => {
    const standIn = { ...seal.redact(value) }
    standIns.add(standIn)
    return standIn
  }
  const redact = (body: JsonObject): JsonObject => {
    let redacted: Json = body
    for (const path of secrets) redacted = replaceAt(redacted, path, standInFor)
    return isObject(redacted) ? redacted : body
  }
  return { redact, isStandIn: (value) => standIns.has(value) }
}

function replaceAt(value: Json, [segment, ...rest]: readonly string[], standInFor: (value: Json) => JsonObject): Json {
  if (segment === undefined) return standInFor(value)
  const next = (key: string, member: Json): Json =>
    matches(segment, key) ? replaceAt(member, rest, standInFor) : member
  if (isList(value)) return value.map((item, index) => next(String(index), item))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, next(key, member)]))
}

function matches(segment: string, key: string): boolean {
  return segment === '*' || segment === key
}

/** Whether a difference at `path` shows, hides or contains a secret. */
export function touchesSecret(path: string, secrets: SecretPaths): boolean {
  if (secrets.length === 0) return false
  const segments = parsePointer(path)
  return secrets.some((secret) => covers(secret.slice(0, segments.length), segments))
}
