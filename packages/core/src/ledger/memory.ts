import type { Completion } from '../queue/queue.ts'
import { fencedClaim, type MemoryQueue } from '../queue/memory.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { throwIfAborted } from '../runtime/call.ts'
import type { Plan } from '../plan/plan.ts'
import { type AuditHead, chainAudit, emptyAudit } from './audit.ts'
import { applyChange, emptyRecord } from './change.ts'
import type { AuditQuery, AuditRecord, HistoryQuery, Ledger, LedgerChange, LedgerRecord, RunRecord } from './ledger.ts'

/** Options of `memoryLedger`. */
export interface MemoryLedgerOptions {
  /** Runs that are kept per application. @defaultValue 100 */
  readonly maxRuns?: number
  /** Audit records that are kept. @defaultValue 10_000 */
  readonly maxAuditRecords?: number
  /** Lets several reconcilers of this process share the applications. @defaultValue none */
  readonly queue?: MemoryQueue
  /** 32 bytes. @defaultValue random ones */
  readonly installKey?: Uint8Array
}

/**
 * A ledger that forgets everything when the process ends: for tests, previews and targets that can be
 * declared anew. What is owned is then unknown, so nothing left behind is ever pruned.
 */
export function memoryLedger(options: MemoryLedgerOptions = {}): Ledger {
  const { maxRuns = 100, maxAuditRecords = 10_000, queue } = options
  const records = new Map<string, LedgerRecord>()
  const forgotten = new Set<string>()
  const runs = new Map<string, RunRecord[]>()
  const plans = new Map<string, KeptPlan>()
  const audit: AuditRecord[] = []
  let head: AuditHead = emptyAudit
  let key = options.installKey

  const log = (application: string, change: LedgerChange): void => {
    if (change.run !== undefined) keepLast(listOf(runs, application), change.run, maxRuns)
    for (const entry of change.audit ?? []) {
      const record = chainAudit(head, entry)
      keepLast(audit, record, maxAuditRecords)
      head = record
    }
  }

  /** A journal is written before each step, mostly with the same plan: by far the largest part of it is copied once. */
  const copyOfChange = (application: string, { journal, ...change }: LedgerChange): LedgerChange => {
    if (journal === undefined) return copyOf(change)
    if (journal === null) return { ...copyOf(change), journal }
    const { plan, ...entry } = journal
    const known = plans.get(application)
    const kept = known?.given === plan ? known.kept : copyOf(plan)
    plans.set(application, { given: plan, kept })
    return { ...copyOf(change), journal: { ...copyOf(entry), plan: kept } }
  }

  return {
    id: 'memory',
    ...(queue && { queue }),
    read: async (application, call) => {
      throwIfAborted(call)
      return records.get(application) ?? emptyRecord(application)
    },
    commit: async (application, given, call) => {
      throwIfAborted(call)
      const change = copyOfChange(application, given)
      if (change.claim !== undefined) queue?.assertCurrent(change.claim)
      const next = applyChange(records.get(application) ?? emptyRecord(application), change)
      if (change.complete !== undefined) completeOrRefuse(queue, change.complete)
      records.set(application, next)
      if (next.journal === undefined) plans.delete(application)
      if (change.forget === true) forgotten.add(application)
      else forgotten.delete(application)
      log(application, change)
      return next.version
    },
    applications: async function* () {
      yield* [...records.keys()].filter((name) => !forgotten.has(name)).sort()
    },
    history: async function* (query) {
      const found = query.application === undefined ? [...runs.values()].flat() : (runs.get(query.application) ?? [])
      yield* newestFirst(found, query)
    },
    audit: async function* (query) {
      yield* auditPage(audit, query)
    },
    installKey: async () => (key ??= randomKey()),
  }
}

function completeOrRefuse(queue: MemoryQueue | undefined, completion: Completion): void {
  const { key, token } = completion.claim
  if (queue?.completeNow(completion) === false) throw fencedClaim(key, token, token)
}

/** A plan as it was given and as it is kept. */
interface KeptPlan {
  readonly given: Plan
  readonly kept: Plan
}

/** A copy as it would come back from a disk: without absent members, and later changes of the given one change nothing here. */
function copyOf<T>(value: T): T {
  // What a copy of a value is made of has the type of the value.
  return copyOfValue(value) as T
}

function copyOfValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyOfValue)
  const copy: Record<string, unknown> = { ...value }
  for (const key of Object.keys(copy)) {
    const member = copy[key]
    if (member === undefined) delete copy[key]
    else if (typeof member === 'object') copy[key] = copyOfValue(member)
  }
  return copy
}

function keepLast<T>(list: T[], item: T, max: number): void {
  list.push(item)
  if (list.length > max) list.splice(0, list.length - max)
}

function listOf<T>(lists: Map<string, T[]>, name: string): T[] {
  const list = lists.get(name) ?? []
  lists.set(name, list)
  return list
}

function newestFirst(runs: readonly RunRecord[], { limit = 100, before = Infinity }: HistoryQuery): RunRecord[] {
  const wanted = runs.filter(({ startedAt }) => startedAt < before)
  return wanted
    .reverse()
    .sort((left, right) => right.startedAt - left.startedAt)
    .slice(0, limit)
}

function auditPage(records: readonly AuditRecord[], query: AuditQuery): AuditRecord[] {
  const { application, after = 0, limit = Infinity } = query
  const mine = (record: AuditRecord): boolean => application === undefined || record.application === application
  return records.filter((record) => record.sequence > after && mine(record)).slice(0, limit)
}

function randomKey(): Uint8Array {
  try {
    return crypto.getRandomValues(new Uint8Array(32))
  } catch (cause) {
    const message = 'installKey: this platform has no secure randomness. Give 32 random bytes.'
    throw new GitOpsError('CONFIG_INVALID', message, { cause })
  }
}
