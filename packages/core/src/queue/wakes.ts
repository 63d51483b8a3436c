import { GitOpsError } from '../runtime/errors.ts'
import type { Priority, Wake } from './queue.ts'

/** Wakes of one kind, at most one per key, sorted by key so that writers never wait for each other in a circle. */
export interface WakeGroups {
  readonly numbered: readonly Wake[]
  readonly unnumbered: readonly Wake[]
  readonly onlyNew: readonly Wake[]
}

/** Wakes as a store writes them: of several for one key, one remains. Throws `CONFIG_INVALID` for a key without a pool. */
export function groupWakes(wakes: readonly Wake[]): WakeGroups {
  wakes.forEach(checkWake)
  const rest = wakes.filter(({ onlyNew }) => onlyNew !== true)
  return {
    onlyNew: onePerKey(wakes.filter(({ onlyNew }) => onlyNew === true)),
    numbered: onePerKey(rest.filter(({ revision }) => revision !== undefined)),
    unnumbered: onePerKey(rest.filter(({ revision }) => revision === undefined)),
  }
}

function onePerKey(wakes: readonly Wake[]): readonly Wake[] {
  const merged = new Map<string, Wake>()
  for (const wake of wakes) {
    const known = merged.get(wake.key)
    merged.set(wake.key, known === undefined ? wake : mergeWakes(known, wake))
  }
  return [...merged.values()].toSorted((left, right) => (left.key < right.key ? -1 : 1))
}

/** One wake that asks for what both ask for. */
function mergeWakes(left: Wake, right: Wake): Wake {
  const revision = Math.max(left.revision ?? 0, right.revision ?? 0)
  const trigger = left.trigger ?? right.trigger
  return {
    ...left,
    ...right,
    ...(trigger !== undefined && { trigger }),
    ...(revision > 0 && { revision }),
    delayMs: Math.min(left.delayMs ?? 0, right.delayMs ?? 0),
    priority: Math.max(left.priority ?? 0, right.priority ?? 0) as Priority,
  }
}

/** The first part of a key. */
export function poolOf(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf('/')))
}

function checkWake({ key, revision, trigger }: Wake): void {
  if (poolOf(key) === '' || key.length > 512) {
    const message = `enqueue: ${JSON.stringify(key.slice(0, 80))} is not a key. Write pool/name with at most 512 characters.`
    throw new GitOpsError('CONFIG_INVALID', message)
  }
  if (revision !== undefined && !(Number.isSafeInteger(revision) && revision >= 1)) {
    throw new GitOpsError('CONFIG_INVALID', `enqueue: revision ${revision} of ${key} is not a whole number from 1 on.`)
  }
  if (trigger !== undefined && (trigger.length > 40 || trigger.includes(','))) {
    throw new GitOpsError('CONFIG_INVALID', `enqueue: trigger of ${key} is longer than 40 characters or has a comma.`)
  }
}
