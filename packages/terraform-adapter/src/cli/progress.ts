import type { Call } from '@gitops-sdk/core'
import { type Message, messageOf } from './messages.ts'

/** Counts are told this often at most: a large plan has thousands of them. */
const COUNT_MS = 200

/** Tells the progress of a command from its lines, as the binary prints them. */
export function progressOf(activity: string, call: Call, total?: number): (line: string) => void {
  let done = 0
  let toldMs = Number.NEGATIVE_INFINITY
  return (line) => {
    const message = messageOf(line)
    if (message === undefined || call.progress === undefined) return
    if (message.type === 'refreshed' || message.type === 'settled') done++
    const special = activityOf(message)
    const isCount = special === undefined
    if (isCount && message.type !== 'refreshed' && message.type !== 'settled') return
    if (isCount && call.clock.monotonic() - toldMs < COUNT_MS) return
    if (isCount) toldMs = call.clock.monotonic()
    call.progress({ activity: special ?? activity, done, unit: 'resources', ...(total !== undefined && { total }) })
  }
}

function activityOf(message: Message): string | undefined {
  if (message.type === 'waiting') return 'waiting for the lock of the state'
  if (message.type === 'started') return `${message.operation} ${message.address}`
  if (message.type === 'progress') return `${message.operation} ${message.address}, for ${message.elapsedS} s`
  return undefined
}
