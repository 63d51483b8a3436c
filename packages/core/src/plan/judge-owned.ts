import type { ActualResource } from '../actual/actual.ts'
import type { Owned } from '../actual/inventory.ts'
import type { ResourceOptions, ResourceRef } from '../desired/desired.ts'
import { digestOf } from '../desired/digest.ts'
import { label, refKey } from '../desired/ref.ts'
import type { Comparison, Verdict } from './comparison.ts'
import { isAnother, isClaimedByAnother, unreadable } from './judge-declared.ts'
import type { Blocked, PlanRequest } from './plan.ts'
import type { Draft } from './steps.ts'

/** What is to be done about a resource that is owned and no longer wanted. */
export function judgeOwned(owned: Owned, comparison: Comparison): Verdict {
  const { actual, request } = comparison
  const key = refKey(owned.ref)
  const unread = actual.unknown.get(key)
  if (unread !== undefined) return { blocked: unreadable(owned.ref, unread) }
  const found = actual.resources.get(key)
  if (found === undefined) return actual.complete ? forget(owned, comparison, 'it is already gone') : partial(owned)
  if (isClaimedByAnother(found, comparison)) return forget(owned, comparison, `it belongs to ${found.owner} now`)
  if (isAnother(found, owned)) return anotherIdentity(owned)
  const options = optionsOf(owned, found, comparison)
  if (options.reconcile === false)
    return { ignored: [{ ref: owned.ref, path: '', rule: 'reconcile=false when it was declared' }] }
  if (request.mode === 'destroy' && options.prune === false)
    return forget(owned, comparison, 'its declaration keeps it')
  const blocked = whatForbids(owned, found, options, comparison)
  return blocked === undefined ? { change: deletion(owned, found, comparison) } : { blocked }
}

/** A resource that says it is ours and that the ledger does not know. Reported, never touched. */
export function judgeExtraneous(found: ActualResource, request: PlanRequest): Verdict {
  if (found.owner !== request.application) return {}
  return { drift: { ref: found.ref, kind: 'extraneous', fields: [], healed: false } }
}

function whatForbids(
  owned: Owned,
  found: ActualResource,
  options: ResourceOptions,
  { actual, request }: Comparison,
): Blocked | undefined {
  const { ref } = owned
  const pruning = request.mode !== 'destroy'
  if (!actual.complete) return partial(owned).blocked
  if (pruning && options.prune === false)
    return keep(ref, 'prune-disabled', 'its declaration said prune=false. Delete it by hand if it is not needed')
  if (pruning && !request.prune)
    return keep(ref, 'prune-disabled', 'pruning is off for the application. Turn `prune` on, or delete it by hand')
  if (options.prune === 'confirm' && !isConfirmed(ref, request))
    return keep(ref, 'prune-unconfirmed', 'its declaration asks for confirmation before it is deleted. Confirm it')
  if (!isSurelyOurs(owned, found, request))
    return keep(
      ref,
      'never-confirmed',
      'it is not known whether an earlier run made it. Delete it by hand if it is yours',
    )
  return undefined
}

/** An intention that was never confirmed is ours only if the target says so, or the body is the one we meant. */
function isSurelyOurs(owned: Owned, found: ActualResource, request: PlanRequest): boolean {
  return (
    owned.state !== 'intended' ||
    found.owner === request.application ||
    (owned.uid !== undefined && owned.uid === found.uid) ||
    owned.digest === (found.digest ?? digestOf(found.body))
  )
}

function isConfirmed(ref: ResourceRef, { confirmed }: PlanRequest): boolean {
  return confirmed?.some((each) => refKey(each) === refKey(ref)) ?? false
}

function optionsOf(owned: Owned, found: ActualResource, comparison: Comparison): ResourceOptions {
  const key = refKey(owned.ref)
  const declared = comparison.declared.get(key) ?? comparison.previous.get(key)
  const remembered = declared === undefined && owned.prune !== undefined ? { prune: owned.prune } : {}
  return { ...remembered, ...declared?.options, ...comparison.options.optionsOf?.(found) }
}

function deletion(owned: Owned, found: ActualResource, { request }: Comparison): Draft {
  return {
    ref: owned.ref,
    action: 'delete',
    cause: request.mode === 'destroy' ? 'requested' : 'revision',
    fields: [],
    ...(owned.origin && { origin: owned.origin }),
    ...(found.uid !== undefined && { uid: found.uid }),
    ...(found.version !== undefined && { version: found.version }),
  }
}

function forget({ ref, origin }: Owned, { request }: Comparison, reason: string): Verdict {
  const cause = request.mode === 'destroy' ? 'requested' : 'revision'
  return { change: { ref, action: 'forget', cause, fields: [], reason, ...(origin && { origin }) } }
}

function partial({ ref }: Owned): { readonly blocked: Blocked } {
  return { blocked: keep(ref, 'observe-partial', 'part of the actual state could not be read. It is tried again') }
}

function anotherIdentity({ ref }: Owned): Verdict {
  const why =
    'it has another identity than the one that was applied: somebody made it anew. Delete it by hand if it is not needed'
  return { blocked: keep(ref, 'identity-changed', why), drift: { ref, kind: 'recreated', fields: [], healed: false } }
}

function keep(ref: ResourceRef, rule: string, why: string): Blocked {
  return { ref, action: 'delete', rule, message: `${label(ref)} is not deleted: ${why}.` }
}
