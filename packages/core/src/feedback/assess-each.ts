import type { ActualResource, ActualState } from '../actual/actual.ts'
import type { DesiredState, Resource } from '../desired/desired.ts'
import { refKey } from '../desired/ref.ts'
import { rollUpHealth } from './health-roll-up.ts'
import type { Health, HealthStatus, ResourceHealth } from './health.ts'

/** Judges one resource that is there. */
export type Judge = (found: ActualResource, declared: Resource) => HealthStatus | Omit<ResourceHealth, 'ref'>

/**
 * Assesses a target resource by resource. What is not there is `missing`, what could not be read is
 * `unknown`, what says `health: false` and a hook that is not there are left out; `judge` says the rest.
 */
export function assessEach(desired: DesiredState, actual: ActualState, judge: Judge): Health {
  const judged = desired.resources.filter((each) => each.options?.health !== false)
  return rollUpHealth(judged.flatMap((each) => assessOne(each, actual, judge)))
}

function assessOne(declared: Resource, actual: ActualState, judge: Judge): ResourceHealth[] {
  const { ref } = declared
  const key = refKey(ref)
  const unread = actual.unknown.get(key)
  if (unread !== undefined) return [{ ref, status: 'unknown', message: unread.message }]
  const found = actual.resources.get(key)
  if (found === undefined && declared.order?.hook !== undefined) return []
  if (found === undefined) return [{ ref, status: 'missing', message: 'It is not there.' }]
  const verdict = judge(found, declared)
  return [typeof verdict === 'string' ? { ref, status: verdict, message: `It is ${verdict}.` } : { ref, ...verdict }]
}
