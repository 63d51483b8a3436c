import { label, refKey } from '../desired/ref.ts'
import type { Health, HealthStatus, ResourceHealth } from './health.ts'

/** From best to worst, as Argo CD ranks them: what cannot be read is worse than what is known to be broken. */
const ranking: readonly HealthStatus[] = ['healthy', 'suspended', 'progressing', 'missing', 'degraded', 'unknown']

/** The health of an application from that of its resources: the worst, with a sentence that names it. */
export function rollUpHealth(resources: Iterable<ResourceHealth>): Health {
  const all = new Map<string, ResourceHealth>()
  for (const each of resources) all.set(refKey(each.ref), each)
  const worst = worstOf([...all.values()])
  if (worst === undefined) return { status: 'healthy', message: 'Nothing to wait for.', resources: all }
  return { status: worst.status, message: sentence(worst, [...all.values()]), resources: all }
}

/** The worse of two statuses. */
export function worseHealth(left: HealthStatus, right: HealthStatus): HealthStatus {
  return ranking.indexOf(left) >= ranking.indexOf(right) ? left : right
}

function worstOf(all: readonly ResourceHealth[]): ResourceHealth | undefined {
  let worst: ResourceHealth | undefined
  for (const each of all) {
    if (worst === undefined || ranking.indexOf(each.status) > ranking.indexOf(worst.status)) worst = each
  }
  return worst
}

function sentence(worst: ResourceHealth, all: readonly ResourceHealth[]): string {
  if (worst.status === 'healthy')
    return all.length === 1 ? `${label(worst.ref)} is healthy.` : `All ${all.length} resources are healthy.`
  const others = all.filter(({ status }) => status === worst.status).length - 1
  const more = others === 0 ? '' : ` (and ${others} more ${worst.status})`
  return `${label(worst.ref)} is ${worst.status}: ${worst.message}${more}`
}
