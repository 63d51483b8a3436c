import type { Random } from '../../runtime/random.ts'
import type { TargetSupports } from '../../target/target.ts'
import type { Policy, RetryPolicy } from './policy.ts'

/**
 * How long to wait before the next attempt, in milliseconds, after `failures` failed ones in a row.
 * Absent when the limit is reached. Never shorter than `retryAfterMs`, which the other side asked for.
 */
export function retryDelayMs(
  retry: RetryPolicy,
  failures: number,
  random: Random,
  retryAfterMs = 0,
): number | undefined {
  if (retry.limit !== undefined && failures > retry.limit) return undefined
  const delayMs = Math.min(retry.maxMs, retry.baseMs * retry.factor ** Math.max(0, failures - 1))
  return Math.max(retryAfterMs, Math.round(delayMs * (1 - retry.jitter * random.next())))
}

/** How long until the source is asked again, in milliseconds. Absent when only a push asks. */
export function pollDelayMs(policy: Policy, random: Random): number | undefined {
  return spread(policy.intervalMs, policy, random)
}

/** How long until the actual state is read again, in milliseconds. Absent when only the target's watch asks. */
export function driftDelayMs(
  policy: Policy,
  supports: Pick<TargetSupports, 'observe'>,
  random: Random,
): number | undefined {
  const fallbackMs = supports.observe === 'cheap' ? policy.intervalMs : EXPENSIVE_DRIFT_INTERVAL_MS
  return spread(policy.driftIntervalMs ?? fallbackMs, policy, random)
}

const EXPENSIVE_DRIFT_INTERVAL_MS = 3_600_000

function spread(intervalMs: number, { jitter }: Policy, random: Random): number | undefined {
  return intervalMs === 0 ? undefined : Math.round(intervalMs * (1 + jitter * random.next()))
}
