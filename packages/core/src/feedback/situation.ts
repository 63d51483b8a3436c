import type { Blocker } from './events.ts'
import type { HealthStatus } from './health.ts'
import type { Alignment, ApplicationState, RunPhase } from './state.ts'

/** What matters most about an application just now. Every state is in exactly one situation. */
export type Situation =
  | 'removed'
  | 'attention'
  | 'planning'
  | 'applying'
  | `waiting for ${Blocker['kind'] | 'something'}`
  | 'failed for now'
  | 'failed for good'
  | 'approval needed'
  | 'denied'
  | 'suspended'
  | 'held'
  | 'window closed'
  | 'oscillating'
  | 'observed'
  | Exclude<Alignment, 'aligned'>
  | `aligned and ${HealthStatus}`

/** The situation of a state: the first that applies, from what needs a person most to what needs nobody. */
export function situationOf(state: ApplicationState): Situation {
  if (state.removed) return 'removed'
  if (state.suspects.length > 0) return 'attention'
  return running[state.phase](state) ?? idle(state)
}

const running: Readonly<Record<RunPhase, (state: ApplicationState) => Situation | undefined>> = {
  idle: () => undefined,
  planning: (state) => (state.error === undefined ? 'planning' : failure(state)),
  applying: () => 'applying',
  waiting: ({ blocker }) => `waiting for ${blocker?.kind ?? 'something'}`,
}

function idle(state: ApplicationState): Situation {
  if (state.error !== undefined) return failure(state)
  if (state.pending !== undefined) return 'approval needed'
  return withheld(state) ?? (state.alignment === 'aligned' ? `aligned and ${state.health}` : state.alignment)
}

function failure({ error }: ApplicationState): Situation {
  return error?.retryable === true ? 'failed for now' : 'failed for good'
}

/** Why nothing is applied although something could be. */
function withheld(state: ApplicationState): Situation | undefined {
  const verdicts = new Set(state.reasons.map(({ verdict }) => verdict))
  if (verdicts.has('deny')) return 'denied'
  if (verdicts.has('ask')) return 'approval needed'
  if (state.suspension !== undefined) return 'suspended'
  if (verdicts.has('wait')) return 'window closed'
  if (verdicts.has('observe') && state.alignment !== 'aligned') return 'observed'
  if (state.hold !== undefined) return 'held'
  return state.oscillating.length > 0 && state.alignment !== 'aligned' ? 'oscillating' : undefined
}
