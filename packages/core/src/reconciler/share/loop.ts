import type { Timer } from '../../runtime/clock.ts'
import type { Sharing } from './sharing.ts'

/** Looks for work again and again: after every kick and hint, and by itself at least every second. */
export interface Loop {
  start(): void
  stop(): void
  /** Looks now, or once more after the look that is under way. */
  kick(): void
}

/** Hints may be lost, so the queue is asked at least this often. Spread, so that processes do not ask in step. */
const ASK_MS = 1_000
/** How long a broken hint channel rests before it is opened again. */
const REST_MS = 5_000

/** `look` resolves to whether there may be more to do at once. It is never called twice at a time. */
export function createLoop({ engine, queue }: Sharing, look: () => Promise<boolean>): Loop {
  const { call } = engine
  let running = false
  let isLooking = false
  let isKicked = false
  let timer: Timer | undefined
  let hints: AbortController | undefined

  const lookNow = async (): Promise<void> => {
    timer?.cancel()
    isLooking = true
    try {
      do {
        isKicked = false
        if (await look()) isKicked = true
      } while (isKicked && running)
    } catch (error) {
      call.log.warn('The shared queue could not be asked for work; it is asked again.', error)
    }
    isLooking = false
    if (running) timer = call.clock.setTimer(ASK_MS * (0.5 + call.random.next() / 2), () => void lookNow())
  }
  const kick = (): void => {
    if (!running) return
    if (isLooking) isKicked = true
    else void lookNow()
  }
  const listen = async (controller: AbortController): Promise<void> => {
    const listening = { ...call, signal: controller.signal }
    while (!controller.signal.aborted && queue.hints !== undefined) {
      try {
        for await (const _ of queue.hints(listening)) kick()
      } catch (error) {
        call.log.debug('Hints of other processes do not arrive; work is found by asking.', error)
      }
      await new Promise<void>((resolve) => {
        if (controller.signal.aborted) return resolve()
        const rest = call.clock.setTimer(REST_MS, resolve)
        controller.signal.addEventListener('abort', () => (rest.cancel(), resolve()), { once: true })
      })
    }
  }
  return {
    kick,
    start: () => {
      if (running) return
      running = true
      hints = new AbortController()
      void listen(hints)
      kick()
    },
    stop: () => {
      running = false
      timer?.cancel()
      hints?.abort()
    },
  }
}
