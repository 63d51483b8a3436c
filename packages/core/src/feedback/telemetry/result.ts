import type { ErrorCode } from '../../runtime/errors.ts'
import type { FinishedOutcome } from '../events.ts'

/** How the conventions of OpenTelemetry for pipelines (`cicd.*`) call the end of a run or of one of its tasks. */
export type PipelineResult = 'success' | 'failure' | 'timeout' | 'cancellation' | 'skip'

/** A run that waits for something goes on later, so it is a skipped one. */
export function resultOf(outcome: FinishedOutcome, code?: ErrorCode): PipelineResult {
  if (outcome === 'applied' || outcome === 'unchanged') return 'success'
  if (outcome === 'blocked' || outcome === 'parked') return 'skip'
  if (outcome === 'superseded' || outcome === 'cancelled') return 'cancellation'
  return resultOfCode(code)
}

/** How one task ended. */
export function resultOfCode(code: ErrorCode | undefined, otherwise: PipelineResult = 'failure'): PipelineResult {
  if (code === undefined) return otherwise
  if (code === 'CANCELLED') return 'cancellation'
  return code === 'DEADLINE_EXCEEDED' || code === 'HEALTH_DEADLINE' ? 'timeout' : 'failure'
}
