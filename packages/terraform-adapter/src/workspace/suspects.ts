import type { Suspect } from '@gitops-sdk/core'
import { messageOf } from '../cli/messages.ts'
import { refAt } from './address.ts'

/**
 * What a run may have made without the state knowing: creations that were begun and not finished, and creations that
 * failed after the run was asked to stop. Neither is suspect when the state holds it.
 *
 * A false suspect costs a question; a missed one costs a duplicate.
 */
export function suspectsIn(lines: readonly string[], saved: ReadonlySet<string>, stopped: boolean): readonly Suspect[] {
  const open = new Map<string, string>()
  for (const line of lines) {
    const message = messageOf(line)
    if (message?.type === 'started' && message.operation === 'create')
      open.set(message.address, 'its creation was under way when the run was ended')
    if (message?.type === 'settled') open.delete(message.address)
    if (message?.type !== 'failed' || !open.has(message.address)) continue
    if (stopped) open.set(message.address, 'its creation was given up when the run was asked to stop')
    else open.delete(message.address)
  }
  return [...open]
    .filter(([address]) => !saved.has(address))
    .map(([address, reason]) => ({ ref: refAt(address), reason }))
}
