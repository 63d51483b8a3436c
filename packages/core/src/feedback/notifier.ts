import type { Call } from '../runtime/call.ts'
import type { ApplicationEvent } from './events.ts'

/** Sends events somewhere: a chat, a commit status, a queue. What it throws is logged and changes nothing. */
export interface Notifier {
  /** Called for each event, one at a time and in order; events that pile up while it is slow are dropped, oldest first. */
  notify(event: ApplicationEvent, call: Call): Promise<void>
}
