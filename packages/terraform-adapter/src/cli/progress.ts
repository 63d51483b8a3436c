import type { Call, Timer } from '@gitops-sdk/core'
import { type Message, messageOf } from './messages.ts'

/** Counts are told this often at most: a large plan has thousands of them. */
const COUNT_MS = 200
/** What goes on without a word of the binary is told again this often: whoever listens hears what lasts. */
const AGAIN_MS = 1_000

/** Tells the progress of a command. */
export interface Telling {
  /** Hears a line of the binary as it is printed. */
  readonly onLine: (line: string) => void
  /** The command has ended. */
  readonly end: () => void
}

/** Tells each resource that is begun, waits for a lock, and how much of `total` is done. */
export function progressOf(activity: string, call: Call, total?: number): Telling {
  let done = 0
  let toldMs = Number.NEGATIVE_INFINITY
  let timer: Timer | undefined
  const tell = (what: string): void =>
    call.progress?.({ activity: what, done, unit: 'resources', ...(total !== undefined && { total }) })
  const stand = (what: string): void => {
    timer?.cancel()
    tell(what)
    timer = call.clock.setTimer(AGAIN_MS, () => stand(what))
  }
  const count = (): void => {
    timer?.cancel()
    done++
    if (done !== total && call.clock.monotonic() - toldMs < COUNT_MS) return
    toldMs = call.clock.monotonic()
    tell(activity)
  }
  const onLine = (line: string): void => {
    const message = messageOf(line)
    const special = message && activityOf(message)
    if (special !== undefined) stand(special)
    else if (message?.type === 'refreshed' || message?.type === 'settled') count()
  }
  return { onLine, end: () => timer?.cancel() }
}

function activityOf(message: Message): string | undefined {
  if (message.type === 'waiting') return 'waiting for the lock of the state'
  if (message.type === 'started') return `${message.operation} ${message.address}`
  if (message.type === 'progress') return `${message.operation} ${message.address}, for ${message.elapsedS} s`
  return undefined
}
