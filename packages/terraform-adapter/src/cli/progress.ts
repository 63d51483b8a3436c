import type { Call } from '@gitops-sdk/core'
import { type Message, messageOf } from './messages.ts'

/** Tells the progress of a command from its lines, as the binary prints them. */
export function progressOf(activity: string, call: Call, total?: number): (line: string) => void {
  let done = 0
  return (line) => {
    const message = messageOf(line)
    if (message === undefined || call.progress === undefined) return
    if (message.type === 'refreshed' || message.type === 'settled') done++
    const now = activityOf(message) ?? activity
    if (now === activity && message.type !== 'refreshed' && message.type !== 'settled') return
    call.progress({ activity: now, done, unit: 'resources', ...(total !== undefined && { total }) })
  }
}

function activityOf(message: Message): string | undefined {
  if (message.type === 'waiting') return 'waiting for the lock of the state'
  if (message.type === 'started') return `${message.operation} ${message.address}`
  if (message.type === 'progress') return `${message.operation} ${message.address}, for ${message.elapsedS} s`
  return undefined
}
