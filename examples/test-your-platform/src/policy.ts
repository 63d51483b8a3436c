import type { Guard, PolicyOptions } from '@gitops-sdk/core'

/** Queues never shrink to less than half at once: consumers need time. */
export const noSuddenShrinking: Guard = ({ changes }) => {
  const sudden = changes.flatMap(({ ref, fields }) =>
    fields
      .filter(({ path, before, after }) => path === '/size' && Number(after) < Number(before) / 2)
      .map(() => ref.name),
  )
  return sudden.length === 0 ? 'allow' : { deny: `${sudden.join(', ')} would shrink to less than half. Go in steps.` }
}

// #region policy
/** What this platform allows: the thing that the suite beside it tests. */
export const policy: PolicyOptions = {
  mode: 'automatic',
  prune: true,
  selfHeal: true,
  maxDeletions: 1,
  intervalMs: 60_000,
  retry: { baseMs: 1_000, limit: 5 },
  windows: [
    { name: 'no changes at the weekend', kind: 'deny', cron: '0 0 * * 6', durationMs: 48 * 3_600_000, timeZone: 'UTC' },
  ],
  guards: [noSuddenShrinking],
}
// #endregion policy
