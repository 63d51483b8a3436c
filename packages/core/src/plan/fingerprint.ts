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
  return asJson({ ref, action, fields: fields.map(essenceOfField), step, hook, uid, from })
}

function essenceOfField({ path, op, before, after, unknown }: FieldChange): object {
  return { path, op, before, after, unknown }
}

/** Plain data already. TypeScript does not see it in interfaces, and the canonical form leaves absent members out. */
function asJson(value: object): Json {
  return value as Json
}
