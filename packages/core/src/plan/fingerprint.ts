import { digestOf } from '../desired/digest.ts'
import { parsePointer } from '../desired/pointer.ts'
import type { Json } from '../runtime/json.ts'
import type { Change, FieldChange, Plan, Seal } from './plan.ts'

/**
 * Identifies what a plan would do: application, mode, every change with its fields, values, identity
 * and step. Equal fingerprints mean that the same would be done, also at another revision; versions,
 * causes and actors do not count, because they do not change what is done.
 */
export function fingerprintOf(plan: Omit<Plan, 'fingerprint'>, seal: Seal): string {
  return seal.fingerprint({
    application: plan.application,
    mode: plan.mode,
    handle: plan.handle?.digest ?? null,
    changes: plan.changes.map(essenceOfChange),
  })
}

function essenceOfChange({ ref, action, fields, step, hook, uid, from }: Change): Json {
  const what = digests.get(fields) ?? digestOfMade(fields) ?? fields.map(essenceOfField)
  return asJson({ ref, action, fields: what, step, hook, uid, from })
}

function essenceOfField({ path, op, before, after, unknown }: FieldChange): object {
  return { path, op, before, after, unknown }
}

const digests = new WeakMap<readonly FieldChange[], string>()

/**
 * Remembers the digest of the body that `fields` make. Nothing but time depends on it: the same fields read back from JSON
 * have the same fingerprint.
 */
export function noteDigest(fields: readonly FieldChange[], digest: string): void {
  if (fields.every(isWholeMember) && fields.length > 0) digests.set(fields, digest)
}

/** The digest of the object that `fields` make from nothing, where that is all they do: it stands for them. */
function digestOfMade(fields: readonly FieldChange[]): string | undefined {
  if (fields.length === 0 || !fields.every(isWholeMember)) return undefined
  return digestOf(Object.fromEntries(fields.map(({ path, after }) => [parsePointer(path)[0]!, after])))
}

function isWholeMember(field: FieldChange): field is FieldChange & { readonly after: Json } {
  const { path, op, before, after, unknown } = field
  const isPlain = before === undefined && unknown === undefined
  return op === 'add' && isPlain && after !== undefined && path.lastIndexOf('/') === 0
}

/** Plain data already. TypeScript does not see it in interfaces, and the canonical form leaves absent members out. */
function asJson(value: object): Json {
  return value as Json
}
