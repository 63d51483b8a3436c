import type { ApplicationEvent } from '../feedback/events.ts'
import type { Notifier } from '../feedback/notifier.ts'
import type { Engine } from './engine.ts'

/** Events that wait for one slow notifier; of more, the oldest are dropped. */
const MAX_WAITING = 1_000

/** Hands every event to every notifier, each at its own pace. */
export function notifyAll(engine: Engine, notifiers: readonly Notifier[]): { stop(): void } {
  const stops = notifiers.map((notifier) => engine.feedback.onAny(inOrder(engine, notifier)))
  return { stop: () => stops.forEach((stop) => stop()) }
}

function inOrder({ call }: Engine, notifier: Notifier): (event: ApplicationEvent) => void {
  const waiting: ApplicationEvent[] = []
  let busy = false
  const deliver = async (): Promise<void> => {
    busy = true
    for (let event = waiting.shift(); event !== undefined; event = waiting.shift()) {
      await notifier.notify(event, call).catch((error: unknown) => {
        call.log.warn('A notifier failed. The event is not sent again.', error)
      })
    }
    busy = false
  }
  return (event) => {
    waiting.push(event)
    if (waiting.length > MAX_WAITING) waiting.shift()
    if (!busy) void deliver()
  }
}
