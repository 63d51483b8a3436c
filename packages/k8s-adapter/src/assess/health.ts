import type { HealthStatus, JsonObject } from '@gitops-sdk/core'
import { groupKindKey } from '../declare/kinds.ts'
import { extendedVerdict } from './extended.ts'
import { kstatus } from './kstatus.ts'
import type { HealthCheck, KStatus, Verdict } from './rule.ts'

/** How objects are judged. */
export interface HealthOptions {
  /** Health checks by `group/Kind`, `Kind` for the core group: `argoproj.io/Rollout`. */
  readonly checks?: Readonly<Record<string, HealthCheck>>
  /** @defaultValue 'flux' */
  readonly jobs?: 'flux' | 'upstream'
  /**
   * Also judge what kstatus does not: load balancers and Ingress without an address, autoscalers,
   * APIService, failed Pods, suspended workloads, the usual conditions of custom resources.
   * @defaultValue false
   */
  readonly extended?: boolean
}

const statusOf: Readonly<Record<KStatus['status'], HealthStatus>> = {
  Current: 'healthy',
  InProgress: 'progressing',
  Failed: 'degraded',
  Terminating: 'progressing',
  Unknown: 'unknown',
}

/**
 * The health of an object: your own check, else the rules of kstatus. Pure, and never throws: a check
 * that throws and a malformed status are `unknown`, with the reason.
 */
export function healthOf(object: JsonObject, now: number, options: HealthOptions = {}): Verdict {
  const own = ownVerdict(object, options)
  if (own !== undefined) return own
  const verdict = kstatus(object, { now, ...(options.jobs && { jobs: options.jobs }) })
  if (options.extended === true && (verdict.status === 'Current' || verdict.status === 'InProgress')) {
    const better = extendedVerdict(object)
    if (better !== undefined) return better
  }
  const { status, reason, message } = verdict
  return { status: statusOf[status], ...(reason !== '' && { reason }), message: cut(message) }
}

function ownVerdict(object: JsonObject, { checks }: HealthOptions): Verdict | undefined {
  const kind = groupKindKey(object).replace(/^\//, '')
  const check = checks?.[kind]
  if (check === undefined) return undefined
  try {
    const verdict = check(object)
    return typeof verdict === 'string' ? { status: verdict, message: `It is ${verdict}.` } : verdict
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    return {
      status: 'unknown',
      reason: 'HealthCheckThrew',
      message: cut(`The health check of ${kind} threw: ${reason}`),
    }
  }
}

/** Controllers write whole logs into messages; the head of one is enough. */
function cut(message: string): string {
  return message.length <= 500 ? message : `${message.slice(0, 499)}…`
}
