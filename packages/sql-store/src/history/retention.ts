import { type Call, GitOpsError, throwIfAborted } from '@gitops-sdk/core'
import type { Database, Value } from '../database/database.ts'

const DAY_MS = 86_400_000

/** How long what is over is kept. What is in force (records, inventory, approvals, holds) is never touched. */
export interface Retention {
  /** Runs that ended longer ago are forgotten. @defaultValue 90 days */
  readonly runsMs?: number
  /** The newest runs of each application stay, however old. @defaultValue 10 */
  readonly keepRuns?: number
  /** How far back it can be asked what was where. @defaultValue 90 days */
  readonly resourcesMs?: number
  /** Audit records older than this are dropped from the start of the log, which still verifies. @defaultValue kept for ever */
  readonly auditMs?: number
}

/** What was deleted. */
export interface Retained {
  readonly runs: number
  readonly resources: number
  readonly auditRecords: number
}

/** Rows of one transaction: small, so that nobody waits for it. */
const batchSize = 1_000

/** Deletes what is older than `retention` keeps, in batches. May be stopped at any time and called again. */
export async function retain(database: Database, retention: Retention, call: Call): Promise<Retained> {
  const { runsMs = 90 * DAY_MS, keepRuns = 10, resourcesMs = 90 * DAY_MS, auditMs } = retention
  refuseNegative({ runsMs, keepRuns, resourcesMs, ...(auditMs !== undefined && { auditMs }) })
  const now = call.clock.now()
  const inBatches = (statement: string, values: readonly Value[]): Promise<number> =>
    deleteInBatches(database, statement, values, call)
  return {
    runs: await inBatches(oldRuns, [now - runsMs, Math.max(0, keepRuns - 1), keepRuns]),
    resources: await inBatches(oldResources, [now - resourcesMs, now - resourcesMs]),
    auditRecords: auditMs === undefined ? 0 : await inBatches(oldAudit, [now - auditMs]),
  }
}

const oldRuns = `DELETE FROM gitops_run WHERE (application, run) IN (
  SELECT application, run FROM gitops_run AS old
  WHERE ended_at < ? AND (started_at < (
    SELECT started_at FROM gitops_run AS kept WHERE kept.application = old.application
    ORDER BY started_at DESC LIMIT 1 OFFSET ?
  ) OR ? = 0)
  LIMIT ${batchSize}
) RETURNING 1 AS deleted`

/** A period without length begins where another one begins: the end is compared outside as well. */
const oldResources = `DELETE FROM gitops_inventory WHERE valid_to < ? AND (application, key, valid_from) IN (
  SELECT application, key, valid_from FROM gitops_inventory WHERE valid_to < ? LIMIT ${batchSize}
) RETURNING 1 AS deleted`

/** Only from the start, in one piece, and never the last: a clock that was set back must not tear the chain. */
const oldAudit = `DELETE FROM gitops_audit WHERE sequence IN (
  SELECT sequence FROM gitops_audit
  WHERE sequence < coalesce((SELECT min(sequence) FROM gitops_audit WHERE at >= ?), (SELECT max(sequence) FROM gitops_audit))
  ORDER BY sequence LIMIT ${batchSize}
) RETURNING 1 AS deleted`

async function deleteInBatches(
  database: Database,
  statement: string,
  values: readonly Value[],
  call: Call,
): Promise<number> {
  let total = 0
  for (;;) {
    throwIfAborted(call)
    const rows = await database.query(statement, values, call)
    total += rows.length
    if (rows.length < batchSize) return total
  }
}

function refuseNegative(given: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (value >= 0) continue
    throw new GitOpsError('CONFIG_INVALID', `${name}: must be 0 or more, not ${value}.`)
  }
}
