import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { type Call, throwIfAborted } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import { type Logger, silentLog } from '../../runtime/log.ts'
import { applyChange } from '../change.ts'
import type { AuditQuery, AuditRecord, HistoryQuery, Ledger, LedgerChange, LedgerRecord, RunRecord } from '../ledger.ts'
import { type Files, forReading, nodeFiles } from './files.ts'
import { type Lock, takeLock } from './lock.ts'
import { type Logs, openLogs } from './journal.ts'
import { seal, unseal } from './envelope.ts'
import { corrupt, onDisk } from './problems.ts'
import { type Records, openRecords } from './records.ts'
import { createTurns } from './turns.ts'

/** Options of `fileLedger`. */
export interface FileLedgerOptions {
  /** A log begins a new file when one has this size. @defaultValue 1_048_576 */
  readonly segmentBytes?: number
  /** Files of history that are kept; the oldest go first. @defaultValue 64 */
  readonly maxHistorySegments?: number
  /** Files of the audit log that are kept. @defaultValue all */
  readonly maxAuditSegments?: number
  /** A holder of the folder on another machine counts as dead after this long without a sign of life, in milliseconds. @defaultValue 15_000 */
  readonly leaseMs?: number
  /** Only reads, and may do so beside the process that writes. A folder where nothing was stored yet is an empty ledger. @defaultValue false */
  readonly readOnly?: boolean
  /** Hears of damaged files. @defaultValue silent */
  readonly log?: Logger
  /** @defaultValue the files of the machine */
  readonly files?: Files
}

/** What is open while the ledger is used. */
interface Store {
  readonly records: Records
  readonly logs: Logs
  readonly lock: Lock | undefined
}

/**
 * A ledger in a folder: one file per application, and append-only files of history and audit. Every
 * commit is on disk when it is acknowledged, and none is ever half there, whenever the process or the
 * machine stops.
 *
 * One process at a time: a second one is refused with `LEDGER_UNAVAILABLE` that names the first. A file
 * that is damaged or was edited is replaced by the copy before it, or reported as `LEDGER_CORRUPT`.
 */
export function fileLedger(folder: string, options: FileLedgerOptions = {}): Ledger & AsyncDisposable {
  const root = resolve(folder)
  const { log = silentLog, readOnly = false } = options
  const files = readOnly ? forReading(options.files ?? nodeFiles) : (options.files ?? nodeFiles)
  const turns = createTurns()
  const records = openRecords(files, join(root, 'applications'), log, !readOnly)
  let store: Store | undefined
  let lock: Lock | undefined
  const closing = new AbortController()

  const open = (call: Call): Promise<Store> =>
    turns('open', async () => {
      if (closing.signal.aborted) throw closedError(root)
      if (store !== undefined) return store
      if (!readOnly) await makeFolders(files, root)
      const waiting = { ...call, signal: AbortSignal.any([call.signal, closing.signal]) }
      if (!readOnly) lock ??= await takeLock(files, root, options.leaseMs ?? 15_000, waiting)
      const opened = { records, logs: await openLogs(files, root, records, logOptions(options)), lock }
      // Beside a process that writes, what is there changes with every look.
      if (!readOnly) store = opened
      return opened
    })
  const use = <T>(call: Call, work: (store: Store) => Promise<T>): Promise<T> => {
    throwIfAborted(call)
    return onDisk(root, async () => work(await open(call)))
  }
  const commit = async (application: string, change: LedgerChange, call: Call): Promise<number> => {
    const { lock: held } = await open(call)
    await held?.assertHeld()
    const next = applyChange((await records.read(application)).record, change)
    const logged = change.run !== undefined || (change.audit ?? []).length > 0
    if (logged) await turns('logs', () => commitLogged(next, change, call))
    else await records.write(next, change.forget === true)
    return next.version
  }
  const commitLogged = async (next: LedgerRecord, change: LedgerChange, call: Call): Promise<void> => {
    const { logs } = await open(call)
    try {
      const lines = logs.linesFor(change)
      await logs.note({ application: next.application, version: next.version, ...lines })
      await records.write(next, change.forget === true)
      await logs.add(lines)
    } catch (error) {
      // It is not known how far that came: the next use opens the logs again, and finishes it.
      store = undefined
      throw error
    }
  }

  return {
    id: `file:${root}`,
    read: (application, call) =>
      turns(`of ${application}`, () => use(call, async () => (await records.read(application)).record)),
    commit: (application, change, call) =>
      turns(`of ${application}`, async () => {
        throwIfAborted(call)
        if (readOnly) throw new GitOpsError('UNSUPPORTED', `The ledger in ${root} was opened to be read only.`)
        return onDisk(root, () => commit(application, plain(change), call))
      }),
    applications: (call) => lazily(() => use(call, async (opened) => opened.records.names())),
    history: (query, call) => historyOf(() => use(call, async ({ logs }) => logs), query, root),
    audit: (query, call) => auditOf(() => use(call, async ({ logs }) => logs), query, root),
    installKey: (call) => turns('key', () => use(call, () => installKey(files, root, readOnly))),
    [Symbol.asyncDispose]: async () => {
      closing.abort(closedError(root))
      await turns.settled()
      store = undefined
      await lock?.[Symbol.asyncDispose]()
    },
  }
}

function closedError(root: string): GitOpsError {
  return new GitOpsError('LEDGER_UNAVAILABLE', `The ledger in ${root} was closed.`)
}

function logOptions(options: FileLedgerOptions) {
  return {
    segmentBytes: options.segmentBytes ?? 1_048_576,
    maxHistorySegments: options.maxHistorySegments ?? 64,
    maxAuditSegments: options.maxAuditSegments ?? Infinity,
    repair: options.readOnly !== true,
  }
}

async function makeFolders(files: Files, root: string): Promise<void> {
  for (const name of ['applications', 'history', 'audit']) await files.makeFolder(join(root, name))
  await files.syncFolder(root)
}

/** As it will be read back: later changes of the given objects change nothing here. */
function plain(change: LedgerChange): LedgerChange {
  return JSON.parse(JSON.stringify(change)) as LedgerChange
}

async function* lazily<T>(load: () => Promise<readonly T[]>): AsyncIterable<T> {
  yield* await load()
}

async function* historyOf(open: () => Promise<Logs>, query: HistoryQuery, root: string): AsyncIterable<RunRecord> {
  const { application, limit = 100, before = Infinity } = query
  const { history } = await open()
  let left = limit
  for await (const { run } of guarded(history.backward(), root)) {
    if (left <= 0) return
    if (run.startedAt >= before || (application !== undefined && run.application !== application)) continue
    left--
    yield run
  }
}

async function* auditOf(open: () => Promise<Logs>, query: AuditQuery, root: string): AsyncIterable<AuditRecord> {
  const { application, after = 0, limit = Infinity } = query
  const { audit } = await open()
  let left = limit
  for await (const record of guarded(audit.forward(after), root)) {
    if (left <= 0) return
    if (application !== undefined && record.application !== application) continue
    left--
    yield record
  }
}

/** Failures of the disk between two lines are translated as well. */
async function* guarded<T>(lines: AsyncIterable<T>, root: string): AsyncIterable<T> {
  const iterator = lines[Symbol.asyncIterator]()
  for (;;) {
    const next = await onDisk(root, () => iterator.next())
    if (next.done === true) return
    yield next.value
  }
}

/** Made once. A damaged key is never replaced: fingerprints that were approved would mean nothing any more. */
async function installKey(files: Files, root: string, readOnly: boolean): Promise<Uint8Array> {
  const path = join(root, 'install-key')
  const bytes = await files.read(path)
  if (bytes !== undefined) {
    const opened = unseal(bytes, path)
    if ('damage' in opened || typeof opened.content !== 'string')
      throw corrupt(path, 'damage' in opened ? opened.damage : 'holds no key')
    return Uint8Array.from(Buffer.from(opened.content, 'hex'))
  }
  // Where something was stored there was a key: it is lost. Where nothing was, no fingerprint was ever approved.
  if (readOnly && (await isUsed(files, root))) throw corrupt(path, 'does not exist')
  const key = randomBytes(32)
  if (readOnly) return Uint8Array.from(key)
  await files.write(`${path}.next`, seal(key.toString('hex')))
  await files.rename(`${path}.next`, path)
  await files.syncFolder(root)
  return Uint8Array.from(key)
}

async function isUsed(files: Files, root: string): Promise<boolean> {
  const stored = await files.list(join(root, 'applications'))
  return stored.length > 0
}
