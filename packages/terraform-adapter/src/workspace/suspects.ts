import type { ResourceRef, Suspect } from '@gitops-sdk/core'
import type { SavedResource } from '../backend/state.ts'
import { type Message, messageOf } from '../cli/messages.ts'
import { refAt } from './address.ts'

/** A suspect, with what the managed system calls it where the run learned that. */
export interface FoundSuspect extends Suspect {
  readonly ref: ResourceRef
  readonly id?: string
}

/** What is known about a run apart from its lines. */
export interface RunFacts {
  /** What the state holds, by address. */
  readonly saved: ReadonlyMap<string, SavedResource>
  /** It was asked to stop, or ended by force. */
  readonly stopped: boolean
  /** Addresses where an older resource stood before. */
  readonly replaced: readonly string[]
}

/** Complaints after which nobody knows what a provider did. The binary has no codes; these are constants of its source. */
const providerLost = new Set(['Plugin did not respond', 'Request cancelled'])

/** One creation of a run. */
interface Creation {
  readonly reason: string
  readonly id?: { readonly key: string; readonly value: string }
}

/**
 * What a run made, or may have made, without the state knowing: creations that were begun and not finished, that
 * failed after the run was asked to stop or its provider was lost, and finished ones that were not saved any more (the
 * binary saves to a server only now and then).
 *
 * A false suspect costs a question; a missed one costs a duplicate.
 */
export function suspectsIn(lines: readonly string[], facts: RunFacts): readonly FoundSuspect[] {
  const creations = creationsIn(lines, facts.stopped)
  return [...creations]
    .filter(([address, creation]) => !isSaved(address, creation, facts))
    .map(([address, { reason, id }]) => ({ ref: refAt(address), reason, ...(id && { id: id.value }) }))
}

/** Whether a run created anything that could be suspect: without a creation there is no need to read the state. */
export function hasCreations(lines: readonly string[], stopped: boolean): boolean {
  return creationsIn(lines, stopped).size > 0
}

/** Creations by address, without those of which the provider said that they failed. */
function creationsIn(lines: readonly string[], stopped: boolean): Map<string, Creation> {
  const messages = lines.flatMap((line) => messageOf(line) ?? [])
  const failed = whyFailed(messages, stopped)
  const found = new Map<string, Creation>()
  for (const message of messages) {
    if (!('operation' in message) || message.operation !== 'create') continue
    const { address } = message
    if (message.type === 'started') found.set(address, { reason: 'its creation was under way when the run was ended' })
    if (message.type === 'settled') found.set(address, made(message))
    if (message.type !== 'failed') continue
    const reason = failed(address)
    if (reason === undefined) found.delete(address)
    else found.set(address, { reason })
  }
  return found
}

function made({ id }: Extract<Message, { type: 'settled' }>): Creation {
  const name = id === undefined ? '' : ` as ${id.value}`
  return { reason: `it was made${name}, and the state that knew it was lost with the run`, ...(id && { id }) }
}

/** Why a failed creation may have happened all the same; absent when the provider said that it did not. */
function whyFailed(messages: readonly Message[], stopped: boolean): (address: string) => string | undefined {
  const errors = messages.flatMap((each) => (each.type === 'diagnostic' ? [each.diagnostic] : []))
  const lost = errors.some(({ summary }) => providerLost.has(summary))
  const explained = new Set(
    errors.flatMap(({ address, summary }) => (providerLost.has(summary) ? [] : (address ?? []))),
  )
  return (address) => {
    if (stopped) return 'its creation was given up when the run was asked to stop'
    return lost && !explained.has(address) ? 'its provider was lost while it was created' : undefined
  }
}

/** Whether the state holds what was made, and not something older of the same address. */
function isSaved(address: string, { id }: Creation, { saved, replaced }: RunFacts): boolean {
  const found = saved.get(address)
  if (found === undefined) return false
  if (id !== undefined) return found.attributes?.[id.key] === undefined || found.attributes[id.key] === id.value
  return !replaced.includes(address) || found.status === 'tainted'
}
