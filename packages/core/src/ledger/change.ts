import type { Inventory, Owned } from '../actual/inventory.ts'
import { refKey } from '../desired/ref.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { LedgerChange, LedgerRecord } from './ledger.ts'

/** The record of an application that has none. `version` is not 0 after one was forgotten: versions never start over. */
export function emptyRecord(application: string, version = 0): LedgerRecord {
  return { application, version, inventory: new Map(), approvals: [], state: {} }
}

/** The record after `change`. Pure. Throws `LEDGER_FENCED` when `change` was made from another version. */
export function applyChange(record: LedgerRecord, change: LedgerChange): LedgerRecord {
  if (record.version !== change.expect) throw fenced(record, change.expect)
  const next = emptyRecord(record.application, record.version + 1)
  if (change.forget === true) return next
  return {
    ...next,
    inventory: inventoryAfter(record.inventory, change.inventory),
    approvals: change.approvals ?? record.approvals,
    state: change.state ?? record.state,
    ...kept('journal', record.journal, change.journal),
    ...kept('hold', record.hold, change.hold),
    ...kept('suspension', record.suspension, change.suspension),
  }
}

/** The error of a writer that comes too late. */
function fenced(record: Pick<LedgerRecord, 'application' | 'version'>, expected: number): GitOpsError {
  const message = `The record of ${record.application} is at version ${record.version}, not ${expected}: somebody else wrote it. Read it again.`
  return new GitOpsError('LEDGER_FENCED', message, { details: { version: record.version, expected } })
}

function inventoryAfter(inventory: Inventory, change: LedgerChange['inventory']): Inventory {
  const { put = [], remove = [] } = change ?? {}
  if (put.length === 0 && remove.length === 0) return inventory
  const after = new Map<string, Owned>(inventory)
  for (const key of remove) after.delete(key)
  for (const owned of put) after.set(refKey(owned.ref), owned)
  return after
}

/** Absent stays, `null` removes, a value replaces. */
function kept<K extends string, V>(name: K, before: V | undefined, change: V | null | undefined): { [N in K]?: V } {
  const after = change === undefined ? before : change
  return after === undefined || after === null ? {} : ({ [name]: after } as { [N in K]?: V })
}
