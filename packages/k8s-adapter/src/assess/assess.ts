import {
  type ActualState,
  type DesiredState,
  type Health,
  refKey,
  type Resource,
  type ResourceHealth,
  rollUpHealth,
} from '@gitops-sdk/core'
import { seenOf } from '../observe/observe.ts'

/** The health of everything declared, from what was seen: nothing is asked. */
export function assessObjects(desired: DesiredState, actual: ActualState): Health {
  const judged = desired.resources.filter((each) => each.options?.health !== false && each.options?.reconcile !== false)
  return rollUpHealth(judged.flatMap((each) => judge(each, actual)))
}

function judge({ ref, order }: Resource, actual: ActualState): ResourceHealth[] {
  const key = refKey(ref)
  const unread = actual.unknown.get(key)
  if (unread !== undefined) return [{ ref, status: 'unknown', reason: unread.code, message: unread.message }]
  const seen = seenOf(actual.resources.get(key))
  // A hook that has run and was cleaned up is not missed.
  if (seen === undefined)
    return order?.hook === undefined ? [{ ref, status: 'missing', message: 'It is not there.' }] : []
  if (seen.deleting !== undefined && seen.deleting.length > 0)
    return [
      {
        ref,
        status: 'progressing',
        reason: 'Terminating',
        message: `It is being deleted and waits for ${seen.deleting.join(', ')}.`,
      },
    ]
  return [{ ref, ...seen.health }]
}
