import type { Listener } from '../emitter.ts'
import type { ApplicationEvent } from '../events.ts'
import type { ApplicationState } from '../state.ts'

/** What is looked at: a reconciler. */
export interface Observed {
  onAny(listener: Listener<ApplicationEvent>): () => void
  list(): readonly ApplicationState[]
}
