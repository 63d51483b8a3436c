import type { Guard } from '@gitops-sdk/core'

/**
 * Lets a plan through that only puts back what drifted, and takes nothing away for it. Everything else asks for an
 * approval.
 */
export function healDriftOnly(): Guard {
  return function healDriftOnly({ changes }) {
    const other = changes.filter(({ cause, action }) => !['drift', 'dependency'].includes(cause) || isTaking(action))
    if (other.length === 0) return 'allow'
    return { ask: `${other.length} of ${changes.length} changes do more than heal drift.` }
  }
}

/** Asks for an approval of a plan that destroys or replaces more than `limit` resources. */
export function maxDeletes(limit: number): Guard {
  return function maxDeletes({ changes }) {
    const taking = changes.filter(({ action }) => isTaking(action)).length
    return taking <= limit ? 'allow' : { ask: `${taking} resources are destroyed or replaced, more than ${limit}.` }
  }
}

function isTaking(action: string): boolean {
  return action === 'delete' || action === 'replace'
}
