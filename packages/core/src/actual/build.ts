import type { ResourceRef } from '../desired/desired.ts'
import { digestOf } from '../desired/digest.ts'
import { refKey } from '../desired/ref.ts'
import type { GitOpsError } from '../runtime/errors.ts'
import type { ActualResource, ActualState } from './actual.ts'

/** What was read, before it is put in order. */
export interface Observation {
  readonly resources: Iterable<ActualResource>
  /** What could not be read, and why. */
  readonly unknown?: Iterable<{ readonly ref: ResourceRef; readonly error: GitOpsError }>
  /** When it was read, in epoch milliseconds. */
  readonly observedAt: number
  /** @defaultValue true when nothing is unknown */
  readonly complete?: boolean
  /** @defaultValue made from identities, versions and owners, and from the bodies that have no version */
  readonly version?: string
}

/** The actual state from what was read. */
export function actualState(observation: Observation): ActualState {
  const resources = new Map<string, ActualResource>()
  for (const each of observation.resources) resources.set(refKey(each.ref), each)
  const unknown = new Map<string, GitOpsError>()
  for (const { ref, error } of observation.unknown ?? []) unknown.set(refKey(ref), error)
  return {
    version: observation.version ?? versionOf(resources, unknown),
    resources,
    unknown,
    complete: observation.complete ?? unknown.size === 0,
    observedAt: observation.observedAt,
  }
}

function versionOf(resources: ReadonlyMap<string, ActualResource>, unknown: ReadonlyMap<string, GitOpsError>): string {
  const known = [...resources].map(([key, each]) => [key, each.uid ?? '', each.owner ?? '', stampOf(each)])
  const unread = [...unknown].map(([key, error]) => [key, error.code])
  const inOrder = (left: readonly string[], right: readonly string[]): number => (left[0]! < right[0]! ? -1 : 1)
  return digestOf([known.sort(inOrder), unread.sort(inOrder)])
}

function stampOf(each: ActualResource): string {
  return each.version === undefined ? (each.digest ?? digestOf(each.body)) : `v${each.version}`
}
