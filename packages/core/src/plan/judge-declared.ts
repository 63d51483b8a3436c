import type { ActualResource } from '../actual/actual.ts'
import type { Owned } from '../actual/inventory.ts'
import type { Resource, ResourceRef } from '../desired/desired.ts'
import { label, refKey } from '../desired/ref.ts'
import type { GitOpsError } from '../runtime/errors.ts'
import type { Comparison, Verdict } from './comparison.ts'
import { combineCauses, isUnchanged } from './causes.ts'
import { commonActor, compareFields, fieldsOfNew, type Fields } from './fields.ts'
import type { Blocked, Cause, Drift, DriftKind, FieldChange } from './plan.ts'
import type { Draft } from './steps.ts'

/** For a resource that needs nothing. */
export const asItShouldBe: Verdict = {}

/** A resource that is declared, with what is known of it. */
export interface DeclaredResource {
  /** Its `refKey`. */
  readonly key: string
  readonly declared: Resource
  readonly found: ActualResource | undefined
  readonly owned: Owned | undefined
}

/** What is to be done about a resource that is declared. */
export function judgeDeclared({ key, declared, found, owned }: DeclaredResource, comparison: Comparison): Verdict {
  const unread = comparison.actual.unknown.get(key)
  if (unread !== undefined) return { blocked: unreadable(declared.ref, unread) }
  if (declared.options?.reconcile === false) return leftAlone(declared, found, comparison)
  if (found === undefined) return judgeMissing(declared, owned, comparison)
  if (isClaimedByAnother(found, comparison)) return claimedByAnother(found, owned)
  if (owned?.state !== 'applied') return takingOver(declared, found, owned, comparison)
  if (isAnother(found, owned)) return recreated(declared, found, comparison)
  return judgePresent(declared, found, comparison)
}

/** Whether an application other than the one being planned claims the resource. */
export function isClaimedByAnother(found: ActualResource, { request }: Comparison): boolean {
  return found.owner !== undefined && found.owner !== request.application
}

/** Whether the resource carries another identity than the one that was recorded. */
export function isAnother(found: ActualResource, owned: Owned): boolean {
  return owned.uid !== undefined && found.uid !== undefined && owned.uid !== found.uid
}

/** For what could not be read: neither missing nor in sync. */
export function unreadable(ref: ResourceRef, error: GitOpsError): Blocked {
  const message = `${label(ref)} could not be read, so it is left alone: ${error.message}`
  return { ref, rule: 'unreadable', message, error: error.toJSON() }
}

function leftAlone(declared: Resource, found: ActualResource | undefined, comparison: Comparison): Verdict {
  const differs = found === undefined || compareFields(declared, found, comparison).fields.length > 0
  return differs ? { ignored: [{ ref: declared.ref, path: '', rule: 'reconcile=false in its declaration' }] } : {}
}

function judgeMissing(declared: Resource, owned: Owned | undefined, comparison: Comparison): Verdict {
  const { ref, options } = declared
  const wasThere = owned?.state === 'applied'
  const cause = wasThere ? causeOfMissing(declared, owned, comparison) : 'revision'
  const heals = !(cause === 'drift' && options?.selfHeal === false)
  const drift = wasThere ? driftOf(ref, 'missing', [], heals) : undefined
  if (!heals) return { ...(drift && { drift }), blocked: selfHealDisabled(ref, 'create') }
  const fields = fieldsOfNew(declared, comparison)
  return { ...(drift && { drift }), change: draftOf(declared, 'create', cause, fields) }
}

function causeOfMissing(declared: Resource, owned: Owned, { previous }: Comparison): Cause {
  return isUnchanged(declared, previous.get(refKey(declared.ref)), owned) ? 'drift' : 'both'
}

function claimedByAnother(found: ActualResource, owned: Owned | undefined): Verdict {
  const blocked: Blocked = {
    ref: found.ref,
    rule: 'owned-by-another',
    message: `${label(found.ref)} belongs to the application ${found.owner}. Remove one of the two declarations, or release it there first.`,
  }
  return owned?.state === 'applied' ? { blocked, drift: driftOf(found.ref, 'ownership-lost', [], false) } : { blocked }
}

/** Exists and is not known to be ours: taking it over is a change of its own, also when nothing differs. */
function takingOver(
  declared: Resource,
  found: ActualResource,
  owned: Owned | undefined,
  comparison: Comparison,
): Verdict {
  const { fields, ignored } = compareFields(declared, found, comparison)
  const reason = owned === undefined ? 'exists and belongs to nobody' : 'an earlier run may have made it'
  const ours = fields.map((field) => ({ ...field, cause: 'revision' as const }))
  return { change: { ...draftOf(declared, 'adopt', 'revision', ours, found), reason }, ignored }
}

function recreated(declared: Resource, found: ActualResource, comparison: Comparison): Verdict {
  const { fields, ignored } = compareFields(declared, found, comparison)
  const heals = declared.options?.selfHeal !== false
  const drift = driftOf(declared.ref, 'recreated', fields, heals)
  if (!heals) return { drift, ignored, blocked: selfHealDisabled(declared.ref, 'adopt') }
  const reason = 'somebody deleted it and made another of the same name'
  return { drift, ignored, change: { ...draftOf(declared, 'adopt', 'drift', fields, found), reason } }
}

function judgePresent(declared: Resource, found: ActualResource, comparison: Comparison): Verdict {
  const compared = compareFields(declared, found, comparison)
  const { fields, ignored } = compared
  if (fields.length === 0) return ignored.length === 0 ? asItShouldBe : { ignored }
  const drifted = fields.filter(({ cause }) => cause !== 'revision')
  const action = actionFor(declared, found, compared, comparison)
  const drift = drifted.length > 0 && driftOf(declared.ref, 'modified', drifted, 'change' in action)
  return { ...action, ignored, ...(drift && { drift }) }
}

function actionFor(
  declared: Resource,
  found: ActualResource,
  { fields }: Fields,
  { options }: Comparison,
): { readonly change: Draft } | { readonly blocked: Blocked } {
  const { ref } = declared
  const cause = combineCauses(fields.map((field) => field.cause))
  if (cause === 'drift' && declared.options?.selfHeal === false) return { blocked: selfHealDisabled(ref, 'update') }
  const immutable = fields.find(({ path }) => options.immutable?.(ref, path))
  if (immutable === undefined) return { change: draftOf(declared, 'update', cause, fields, found) }
  if (declared.options?.replace !== true) return { blocked: cannotChange(ref, immutable.path) }
  const reason = `${immutable.path} cannot be changed in place`
  return { change: { ...draftOf(declared, 'replace', cause, fields, found), reason } }
}

/** A change without its step. `found` gives it the identity and version it is meant for. */
export function draftOf(
  { ref, origin, order }: Resource,
  action: Draft['action'],
  cause: Cause,
  fields: readonly FieldChange[],
  found?: ActualResource,
): Draft {
  return {
    ref,
    action,
    cause,
    fields,
    ...(origin && { origin }),
    ...(order?.hook && { hook: order.hook }),
    ...(found?.uid !== undefined && { uid: found.uid }),
    ...(found?.version !== undefined && { version: found.version }),
  }
}

function driftOf(ref: ResourceRef, kind: DriftKind, fields: readonly FieldChange[], healed: boolean): Drift {
  const actor = commonActor(fields)
  return { ref, kind, fields, healed, ...(actor && { actor }) }
}

function selfHealDisabled(ref: ResourceRef, action: Draft['action']): Blocked {
  const message = `${label(ref)} drifted and its declaration says selfHeal=false. Heal it by hand, or declare it as it is now.`
  return { ref, action, rule: 'self-heal-disabled', message }
}

function cannotChange(ref: ResourceRef, path: string): Blocked {
  const message = `${path} of ${label(ref)} cannot be changed in place. Permit \`replace\` for it, or declare it under another name.`
  return { ref, action: 'replace', rule: 'immutable', message }
}
