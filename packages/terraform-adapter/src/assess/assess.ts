import { type ActualState, type Health, type HealthStatus, type ResourceHealth, rollUpHealth } from '@gitops-sdk/core'
import type { CheckResult } from '../backend/state.ts'
import { observationOf } from '../observe/observation.ts'
import { refAt } from '../workspace/address.ts'

/**
 * Whether what was applied works: every resource is there, and every check of the module passes. A change that waits
 * says nothing about health.
 */
export function assessModule(actual: ActualState): Health {
  const observation = observationOf(actual)
  if (observation === undefined) return rollUpHealth([])
  const missing = (observation.plan.resource_changes ?? [])
    .filter(({ mode, change }) => mode === 'managed' && change.actions.join() === 'create')
    .map(({ address }) => resource(address, 'missing', 'NotThere', 'it is not there'))
  const failed = observation.checks
    .filter(({ status }) => status === 'fail' || status === 'error')
    .map((check) => resource(check.config_addr, 'degraded', 'CheckFailed', messageOf(check)))
  const all = [...missing, ...failed]
  if (all.length > 0) return rollUpHealth(all)
  return {
    status: 'healthy',
    message: 'Everything the module declares is there, and its checks pass.',
    resources: new Map(),
  }
}

function resource(address: string, status: HealthStatus, reason: string, message: string): ResourceHealth {
  return { ref: refAt(address), status, reason, message }
}

function messageOf({ objects }: CheckResult): string {
  const messages = (objects ?? []).flatMap(({ failure_messages: each = [] }) => each)
  return messages[0] ?? 'the check failed'
}
