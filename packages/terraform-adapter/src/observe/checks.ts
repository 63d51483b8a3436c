import type { CheckResult } from '../backend/state.ts'
import type { PlanJson } from './plan-json.ts'

/** The checks of a plan, as a state keeps them. */
export function checksOf({ checks = [] }: PlanJson): readonly CheckResult[] {
  return checks.map(({ address, status, instances = [] }) => ({
    config_addr: address.to_display ?? 'a condition',
    status,
    objects: instances.map(({ problems = [] }) => ({
      failure_messages: problems.flatMap(({ message }) => message ?? []),
    })),
  }))
}
