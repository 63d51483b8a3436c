import { type Change, GitOpsError, label, type Outcome, type Redactor, refKey, type Suspect } from '@gitops-sdk/core'
import type { CommandEnd } from '../cli/cli.ts'
import { errorsOf, failureOf, sentenceOf } from '../cli/diagnostics.ts'
import { messageOf } from '../cli/messages.ts'
import { addressOf } from '../workspace/address.ts'

/** Turns the lines of an apply into outcomes, one for each change, as each settles. */
export interface Settling {
  /** The change that this line says is made. Failures wait for the end, which knows why. */
  settled(line: string): Change | undefined
  /** The outcomes of everything that is left. */
  rest(end: CommandEnd, suspects: readonly Suspect[], lineage: string): readonly Outcome[]
}

/** Settles `changes`. A replacement is two operations, and done with the second. */
export function settling(changes: readonly Change[], redactor: Redactor): Settling {
  const open = new Map(
    changes.map((change) => [addressOf(change.ref), { change, left: change.action === 'replace' ? 2 : 1 }]),
  )
  const begun = new Set<string>()
  return {
    settled: (line) => {
      const message = messageOf(line)
      if (message?.type === 'started') begun.add(message.address)
      const entry = message?.type === 'settled' ? open.get(message.address) : undefined
      if (message?.type !== 'settled' || entry === undefined || --entry.left > 0) return undefined
      open.delete(message.address)
      return entry.change
    },
    rest: (end, suspects, lineage) => {
      const unknown = new Map(suspects.map(({ ref, reason }) => [refKey(ref), reason]))
      return [...open.values()].map(({ change }) => outcomeOf(change, end, { unknown, begun, lineage, redactor }))
    },
  }
}

/** A change that was made, in the state of this lineage. */
export function succeeded({ ref, action }: Change, lineage: string): Outcome {
  return { ref, action, status: 'succeeded', ...(lineage !== '' && { note: { lineage } }) }
}

interface Ending {
  readonly unknown: ReadonlyMap<string, string>
  readonly begun: ReadonlySet<string>
  readonly lineage: string
  readonly redactor: Redactor
}

function outcomeOf(change: Change, end: CommandEnd, { unknown, begun, lineage, redactor }: Ending): Outcome {
  const { ref, action } = change
  // What has no operation of its own (a move, an import) is done when all of it is.
  if (end.exitCode === 0) return succeeded(change, lineage)
  const reason = unknown.get(refKey(ref))
  if (reason !== undefined) {
    const message = `It is not known what became of ${label(ref)}: ${reason}.`
    return { ref, action, status: 'unknown', error: new GitOpsError('APPLY_UNKNOWN', message) }
  }
  if (begun.has(addressOf(ref))) return { ref, action, status: 'failed', error: redactor.error(failureAt(change, end)) }
  const message = `${label(ref)} was not begun, because something before it failed.`
  return { ref, action, status: 'skipped', error: new GitOpsError('APPLY_FAILED', message) }
}

function failureAt({ ref }: Change, end: CommandEnd): GitOpsError {
  const address = addressOf(ref)
  const own = errorsOf(end.stdout).find((each) => each.address === address)
  if (own === undefined) return failureOf(label(ref), end, 'APPLY_FAILED')
  return new GitOpsError('APPLY_FAILED', `${label(ref)}: ${sentenceOf(own)}`)
}
