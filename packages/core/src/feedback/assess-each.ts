import type { ActualResource, ActualState } from '../actual/actual.ts'
import { resourcesByKey } from '../desired/by-key.ts'
import type { DesiredState, Resource } from '../desired/desired.ts'
import { rollUpHealth } from './health-roll-up.ts'
import type { Health, HealthStatus, ResourceHealth } from './health.ts'

/** Judges one resource that is there. */
export type Judge = (found: ActualResource, declared: Resource) => HealthStatus | Omit<ResourceHealth, 'ref'>

/**
 * Assesses a target resource by resource. What is not there is `missing`, what could not be read is
 * `unknown`, what says `health: false` and a hook that is not there are left out; `judge` says the rest.
 */
export function assessEach(desired: DesiredState, actual: ActualState, judge: Judge): Health {
  const judged: ResourceHealth[] = []
  for (const [key, declared] of resourcesByKey(desired.resources)) {
    const health = declared.options?.health === false ? undefined : assessOne(key, declared, actual, judge)
    if (health !== undefined) judged.push(health)
  }
  return rollUpHealth(judged)
}

function assessOne(key: string, declared: Resource, actual: ActualState, judge: Judge): ResourceHealth | undefined {
  const { ref } = declared
  const unread = actual.unknown.get(key)
  if (unread !== undefined) return { ref, status: 'unknown', message: unread.message }
  const found = actual.resources.get(key)
  if (found === undefined && declared.order?.hook !== undefined) return undefined
  if (found === undefined) return { ref, status: 'missing', message: 'It is not there.' }
  const verdict = judge(found, declared)
  return typeof verdict === 'string' ? { ref, status: verdict, message: `It is ${verdict}.` } : { ref, ...verdict }
}
