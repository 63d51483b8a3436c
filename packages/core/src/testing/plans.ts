import type { Change, Drift, Plan } from '../plan/plan.ts'

/** A plan that changes nothing, with the given parts in place. */
export function planWith(parts: Partial<Plan> = {}): Plan {
  const changes = parts.changes ?? []
  return {
    application: 'shop',
    revision: { id: 'b2' },
    mode: 'converge',
    effect: changes.length === 0 ? 'none' : 'changes',
    complete: true,
    drift: [],
    ignored: [],
    blocked: [],
    warnings: [],
    basis: { digest: 'd', version: 'v' },
    fingerprint: 'f1',
    ...parts,
    changes,
  }
}

/** An update of the flag `name`, with the given parts in place. */
export function changeOf(name: string, parts: Partial<Change> = {}): Change {
  return {
    ref: { kind: 'flag', name },
    action: 'update',
    cause: 'revision',
    fields: [],
    step: { phase: 'Sync', wave: 0 },
    ...parts,
  }
}

/** A drift of the flag `name` in `/on`, with the given parts in place. */
export function driftOf(name: string, parts: Partial<Drift> = {}): Drift {
  const fields = [{ path: '/on', op: 'replace', before: false, after: true }] as const
  return { ref: { kind: 'flag', name }, kind: 'modified', fields, healed: true, ...parts }
}
