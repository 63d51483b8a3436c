import type { Clock } from '../runtime/clock.ts'
import { extend } from '../runtime/extend.ts'
import type { Logger } from '../runtime/log.ts'
import { type Emitter, createEmitter } from './emitter.ts'
import type { ApplicationEvent, EventBody } from './events.ts'
import { type ApplicationState, initialState, reduce } from './state.ts'

/** Records what happens: stamps events, keeps the state they add up to, and tells listeners. */
export interface Feedback extends Pick<Emitter, 'on' | 'onAny' | 'clear'> {
  /** Stamps `body`, brings the state up to date, then tells the listeners: they see the state after the event. */
  record(body: EventBody): ApplicationEvent
  /** The state of an application: there is one from `added` until `removed`. */
  state(application: string): ApplicationState | undefined
  /** The states of all applications, in the order they were added. */
  states(): Iterable<ApplicationState>
}

/** Feedback without any event yet. */
export function createFeedback(options: { readonly clock: Clock; readonly log: Logger }): Feedback {
  const emitter = createEmitter(options)
  const states = new Map<string, ApplicationState>()
  let sequence = 0
  return {
    ...emitter,
    record: (body) => {
      const event: ApplicationEvent = extend(body, { sequence: ++sequence, at: options.clock.now() })
      advance(states, event)
      emitter.emit(event)
      return event
    },
    state: (application) => states.get(application),
    states: () => states.values(),
  }
}

function advance(states: Map<string, ApplicationState>, event: ApplicationEvent): void {
  const { application } = event
  const before = event.type === 'added' ? initialState(application) : states.get(application)
  if (event.type === 'removed') states.delete(application)
  else if (before !== undefined) states.set(application, reduce(before, event))
}
