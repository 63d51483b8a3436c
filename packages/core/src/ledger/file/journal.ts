import { join } from 'node:path'
import { digestOf } from '../../desired/digest.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { Json } from '../../runtime/json.ts'
import { type AuditHead, chainAudit, emptyAudit } from '../audit.ts'
import type { AuditRecord, LedgerChange, RunRecord } from '../ledger.ts'
import { seal, unseal } from './envelope.ts'
import type { Files } from './files.ts'
import type { Records } from './records.ts'
import { type Segments, openSegments } from './segments.ts'

/** A run in the history, with the digest that tells whether it was edited. */
interface HistoryLine {
  readonly sequence: number
  readonly digest: string
  readonly run: RunRecord
}

/** The logs of all applications, and the note that makes a commit to record and logs one. */
export interface Logs {
  readonly history: Segments<HistoryLine>
  readonly audit: Segments<AuditRecord>
  /** The lines that `change` adds, continuing the logs as they are now. */
  linesFor(change: LedgerChange): LogLines
  /** Notes the lines of a commit before its record is written. */
  note(pending: Pending): Promise<void>
  /** Whether some of these lines are not in the logs. */
  lacks(lines: LogLines): boolean
  /** Adds what is not in the logs yet. */
  add(lines: LogLines): Promise<void>
}

/** Lines for both logs. */
interface LogLines {
  readonly history: readonly HistoryLine[]
  readonly audit: readonly AuditRecord[]
}

/** Lines that belong to a commit. They count once the record has the version. */
interface Pending extends LogLines {
  readonly application: string
  readonly version: number
}

/** How the logs are kept. */
export interface LogOptions {
  readonly segmentBytes: number
  readonly maxHistorySegments: number
  readonly maxAuditSegments: number
  readonly repair: boolean
}

const NOTE = 'pending.json'

/** Opens the logs in `folder`, and finishes the commit that a crash interrupted. */
export async function openLogs(files: Files, folder: string, records: Records, options: LogOptions): Promise<Logs> {
  const { segmentBytes, maxHistorySegments, maxAuditSegments, repair } = options
  const history = await openSegments<HistoryLine>(files, join(folder, 'history'), {
    segmentBytes,
    maxSegments: maxHistorySegments,
    repair,
    check: ({ digest, run }) => (digest === digestOf(asJson(run)) ? undefined : 'was edited: its digest does not fit'),
  })
  const audit = await openSegments<AuditRecord>(files, join(folder, 'audit'), {
    segmentBytes,
    maxSegments: maxAuditSegments,
    repair,
    // Whoever reads the audit log verifies its chain, and is told more by that than by an error.
    check: () => undefined,
  })
  let noted = false
  const logs: Logs = {
    history,
    audit,
    linesFor: (change) => ({ history: historyLines(history, change), audit: auditLines(audit, change) }),
    note: async (pending) => {
      await files.write(join(folder, NOTE), seal(pending))
      if (!noted) await files.syncFolder(folder)
      noted = true
    },
    lacks: (lines) => newer(lines.history, history).length + newer(lines.audit, audit).length > 0,
    add: async (lines) => {
      await history.append(newer(lines.history, history))
      await audit.append(newer(lines.audit, audit))
    },
  }
  if (repair) await finishPending(files, folder, records, logs)
  return logs
}

/**
 * A note whose record has the version belongs to a commit that happened: its lines are added if they are
 * missing. Any other belongs to one that did not. Removed in either case, so that it cannot be mistaken
 * for a later commit of the same version.
 */
async function finishPending(files: Files, folder: string, records: Records, logs: Logs): Promise<void> {
  const path = join(folder, NOTE)
  const bytes = await files.read(path)
  if (bytes === undefined) return
  const opened = unseal(bytes, path)
  // A damaged note was cut off by the crash, before its record was written.
  const pending = 'content' in opened ? (opened.content as Pending) : undefined
  if (pending !== undefined && logs.lacks(pending) && (await happened(pending, records))) await logs.add(pending)
  await files.remove(path)
  await files.syncFolder(folder)
}

/** Whether the record of a commit was written. When it cannot be read any more, its lines are the better part of what is left. */
async function happened({ application, version }: Pending, records: Records): Promise<boolean> {
  try {
    return (await records.read(application)).record.version >= version
  } catch (error) {
    if (error instanceof GitOpsError && error.code === 'LEDGER_CORRUPT') return true
    throw error
  }
}

function newer<L extends { readonly sequence: number }>(lines: readonly L[], log: Segments<L>): readonly L[] {
  const end = log.last()?.sequence ?? 0
  return lines.filter(({ sequence }) => sequence > end)
}

function historyLines(history: Segments<HistoryLine>, { run }: LedgerChange): readonly HistoryLine[] {
  if (run === undefined) return []
  return [{ sequence: (history.last()?.sequence ?? 0) + 1, digest: digestOf(asJson(run)), run }]
}

function auditLines(audit: Segments<AuditRecord>, change: LedgerChange): readonly AuditRecord[] {
  let head: AuditHead = audit.last() ?? emptyAudit
  return (change.audit ?? []).map((entry) => {
    const record = chainAudit(head, entry)
    head = record
    return record
  })
}

/** Records of the ledger are plain JSON; their types only say more. */
function asJson(value: object): Json {
  return value as Json
}
