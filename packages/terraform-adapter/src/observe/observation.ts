import type { ActualState } from '@gitops-sdk/core'
import type { CheckResult } from '../backend/state.ts'
import type { PlanJson } from './plan-json.ts'

/** What the binary found: where the resources are, and what it would do about it. */
export interface Observation {
  readonly plan: PlanJson
  /** The state it looked from. */
  readonly base: { readonly lineage: string; readonly serial: number }
  /** The blob that holds the plan as it can be applied. Absent when there is nothing to apply. */
  readonly artifact?: string
  readonly checks: readonly CheckResult[]
  /** Remarks of the binary. */
  readonly warnings: readonly string[]
}

/** An actual state with what `plan` and `assess` of the same target need. */
export interface ObservedState extends ActualState {
  readonly observation: Observation
}

/** The observation behind an actual state; absent when another target made it. */
export function observationOf(actual: ActualState): Observation | undefined {
  return 'observation' in actual ? (actual as ObservedState).observation : undefined
}
