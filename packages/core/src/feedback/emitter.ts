import { EventEmitter } from 'eventemitter3'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/log.ts'
import type { ApplicationEvent, EventOf, EventType } from './events.ts'

/** Receives the events of one type. May be asynchronous; nobody waits for it. */
export type Listener<E> = (event: E) => void | Promise<void>

/** Tells listeners what happened. What a listener does, throws or rejects never changes what the engine does. */
export interface Emitter {
  /** Calls `listener` for each event of `type`. Returns a function that takes it away again; harmless when called twice. */
  on<T extends EventType>(type: T, listener: Listener<EventOf<T>>): () => void
  /** Calls `listener` for every event. */
  onAny(listener: Listener<ApplicationEvent>): () => void
  /** Tells the listeners of `event`. An event emitted by a listener is told after the present one. */
  emit(event: ApplicationEvent): void
  /** Takes all listeners away. */
  clear(): void
}

/** What an emitter needs. */
export interface EmitterOptions {
  readonly clock: Clock
  readonly log: Logger
}

/** Events told in one go; the rest waits for the next turn of the event loop, so that listeners that answer each other starve nobody. */
const BURST = 1_000

const every = '*'

/** An emitter without listeners. */
export function createEmitter({ clock, log }: EmitterOptions): Emitter {
  const channels = new EventEmitter<string, never>()
  const waiting: ApplicationEvent[] = []
  let telling = false

  const tellAll = (): void => {
    telling = true
    for (let told = 0; told < BURST; told++) {
      const event = waiting.shift()
      if (event === undefined) return void (telling = false)
      channels.emit(event.type, event)
      channels.emit(every, event)
    }
    clock.setTimer(0, tellAll)
  }

  const listen = (channel: string, name: string, listener: Listener<ApplicationEvent>): (() => void) => {
    const { call, stop } = guarded(listener, name, log)
    channels.on(channel, call)
    return () => {
      stop()
      channels.off(channel, call)
    }
  }

  return {
    on: (type, listener) => listen(type, type, (event) => (isOf(event, type) ? listener(event) : undefined)),
    onAny: (listener) => listen(every, 'every event', listener),
    emit: (event) => {
      waiting.push(event)
      if (!telling) tellAll()
    },
    clear: () => void channels.removeAllListeners(),
  }
}

function isOf<T extends EventType>(event: ApplicationEvent, type: T): event is Extract<ApplicationEvent, EventOf<T>> {
  return event.type === type
}

/** `listener` made harmless: its first failure is logged, and it is not called any more after `stop`, not even for the event being told. */
function guarded(
  listener: Listener<ApplicationEvent>,
  name: string,
  log: Logger,
): { call: (event: ApplicationEvent) => void; stop: () => void } {
  let active = true
  let reported = false
  const report = (reason: unknown): void => {
    if (reported) return
    reported = true
    log.error(`A listener of ${name} failed. It is called again, but further failures of it are not logged.`, reason)
  }
  const call = (event: ApplicationEvent): void => {
    if (!active) return
    try {
      const result = listener(event)
      if (result !== undefined) Promise.resolve(result).catch(report)
    } catch (error) {
      report(error)
    }
  }
  return { call, stop: () => void (active = false) }
}
