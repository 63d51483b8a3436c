import { type Call, throwIfAborted } from '../runtime/call.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { Json } from '../runtime/json.ts'
import {
  type Claim,
  type ClaimRequest,
  type Completion,
  type Extended,
  type Held,
  type ItemQuery,
  type Priority,
  type Queue,
  type QueueItem,
  type Release,
  type Wake,
  quarantineAfter,
} from './queue.ts'
import { groupWakes, poolOf } from './wakes.ts'

/** Options of `memoryQueue`. */
export interface MemoryQueueOptions {
  /** The clock of the store. @defaultValue the clock of the machine */
  readonly clock?: Clock
}

/** A queue that forgets everything when the process ends, and what a ledger beside it needs to be fenced by it. */
export interface MemoryQueue extends Queue {
  /** Throws `LEDGER_FENCED` unless this is the newest claim of its key. */
  assertCurrent(claim: Held): void
  /** `complete` without a wait, for a ledger that commits and completes in one moment. */
  completeNow(completion: Completion): boolean
}

interface Row {
  readonly key: string
  lane?: string | undefined
  tenant?: string | undefined
  priority: Priority
  /** The highest of the wakes since it was claimed. */
  nextPriority: Priority
  wanted: number
  done: number
  epoch: number
  holder?: string | undefined
  /** When it is due; while it is claimed, when the lease ends. Absent when nothing waits. */
  dueAt?: number | undefined
  /** The earliest wake since it was claimed. */
  nextAt?: number | undefined
  triggers: string[]
  crashes: number
  note?: string | undefined
}

/** A queue for tests, simulations and a single process; several reconcilers of one process may share it. */
export function memoryQueue({ clock = systemClock }: MemoryQueueOptions = {}): MemoryQueue {
  const rows = new Map<string, Row>()
  const waiting = new Set<() => void>()

  const enqueueNow = (wakes: readonly Wake[]): void => {
    const { numbered, unnumbered, onlyNew } = groupWakes(wakes)
    for (const wake of onlyNew) {
      const row = rows.get(wake.key)
      if (row === undefined) rows.set(wake.key, newRow(wake, clock.now()))
      else place(row, wake)
    }
    for (const wake of [...numbered, ...unnumbered]) wakeRow(rows, wake, clock.now())
    if (wakes.length > 0) for (const wake of waiting) wake()
  }
  const completeNow = (completion: Completion): boolean => {
    const row = heldRow(rows, completion.claim)
    if (row === undefined) return false
    completeRow(row, completion, clock.now())
    enqueueNow(completion.wakes ?? [])
    return true
  }
  const now = <T>(call: Call, work: () => T): Promise<T> => {
    throwIfAborted(call)
    return Promise.resolve(work())
  }
  return {
    completeNow,
    assertCurrent: ({ key, token }) => {
      const epoch = rows.get(key)?.epoch ?? 0
      if (epoch !== token) throw fencedClaim(key, token, epoch)
    },
    enqueue: async (wakes, call) => now(call, () => enqueueNow(wakes)),
    claim: async (request, call) => now(call, () => claimRows([...rows.values()], request, clock.now())),
    extend: async (claims, leaseMs, call) => now(call, () => extendRows(rows, claims, clock.now() + leaseMs)),
    complete: async (completions, call) =>
      now(call, () => completions.filter((each) => completeNow(each)).map(({ claim }) => claim.key)),
    release: async (releases, call) => now(call, () => releaseRows(rows, releases, clock.now())),
    forget: async (keys, call) => now(call, () => keys.forEach((key) => forgetRow(rows.get(key)))),
    afterRestore: async (call) => now(call, () => rows.forEach((row) => restoreRow(row, clock.now()))),
    items: async (query, call) => now(call, () => itemsOf(rows, query, clock.now())),
    hints: (call) => hintsOf(waiting, call),
  }
}

/** The error of a worker whose claim is no longer the newest. */
export function fencedClaim(key: string, token: number, current: number): GitOpsError {
  const message = `The claim of ${key} (token ${token}) is lost: another worker has token ${current}. What it did since is not kept.`
  return new GitOpsError('LEDGER_FENCED', message, { details: { token, current } })
}

function newRow({ key, lane, tenant, priority = 0, revision = 0, delayMs = 0, trigger }: Wake, at: number): Row {
  const triggers = trigger === undefined ? [] : [trigger]
  const due = { wanted: revision, dueAt: at + delayMs, priority, nextPriority: priority, triggers }
  return { key, lane, tenant, ...due, done: 0, epoch: 0, crashes: 0 }
}

function wakeRow(rows: Map<string, Row>, wake: Wake, now: number): void {
  const row = rows.get(wake.key)
  if (row === undefined) return void rows.set(wake.key, newRow(wake, now))
  if (wake.revision !== undefined && wake.revision <= row.wanted) return
  place(row, wake)
  row.wanted = wake.revision ?? row.wanted + 1
  row.priority = higher(row.priority, wake.priority)
  row.nextPriority = higher(row.nextPriority, wake.priority)
  if (wake.trigger !== undefined && !row.triggers.includes(wake.trigger)) row.triggers.push(wake.trigger)
  const dueAt = now + (wake.delayMs ?? 0)
  if (isLeased(row, now)) {
    row.nextAt = Math.min(row.nextAt ?? dueAt, dueAt)
  } else {
    row.dueAt = Math.min(row.dueAt ?? dueAt, dueAt)
    if ((wake.priority ?? 0) > 0) row.crashes = 0
  }
}

function place(row: Row, { lane, tenant }: Wake): void {
  row.lane = lane ?? row.lane
  row.tenant = tenant ?? row.tenant
}

function higher(left: Priority, right: Priority = 0): Priority {
  return left > right ? left : right
}

function isLeased({ holder, dueAt }: Row, now: number): boolean {
  return holder !== undefined && dueAt !== undefined && dueAt > now
}

function claimRows(rows: readonly Row[], request: ClaimRequest, now: number): Claim[] {
  const due = rows.filter((row) => mayClaim(row, request, now)).toSorted(byUrgency)
  const running = new Map<string, number>()
  for (const row of rows) if (isLeased(row, now)) count(running, row.tenant)
  const claims: Claim[] = []
  for (const row of due) {
    if (claims.length === request.limit) break
    if (row.tenant !== undefined && (running.get(row.tenant) ?? 0) >= (request.tenantLimit ?? Infinity)) continue
    count(running, row.tenant)
    claims.push(claimRow(row, request, now))
  }
  return claims
}

function count(running: Map<string, number>, tenant: string | undefined): void {
  if (tenant !== undefined) running.set(tenant, (running.get(tenant) ?? 0) + 1)
}

function mayClaim(row: Row, { pool, keys, lanes, graceMs = 0 }: ClaimRequest, now: number): boolean {
  if (poolOf(row.key) !== pool) return false
  if (keys !== undefined) return keys.includes(row.key) && !isLeased(row, now)
  if (row.dueAt === undefined || row.dueAt > now || row.crashes >= quarantineAfter) return false
  const isMine = lanes === undefined || row.lane === undefined || lanes.includes(row.lane)
  return isMine || row.dueAt <= now - graceMs
}

function byUrgency(left: Row, right: Row): number {
  return right.priority - left.priority || (left.dueAt ?? 0) - (right.dueAt ?? 0) || (left.key < right.key ? -1 : 1)
}

function claimRow(row: Row, { worker, leaseMs }: ClaimRequest, now: number): Claim {
  const { key, priority, triggers, note } = row
  const previous = row.epoch
  row.epoch = Math.max(row.epoch + 1, Math.floor(now))
  row.crashes++
  Object.assign(row, { holder: worker, dueAt: now + leaseMs, nextAt: undefined, nextPriority: 0, triggers: [] })
  return {
    key,
    token: row.epoch,
    previous,
    revision: row.wanted,
    priority,
    triggers,
    attempt: row.crashes,
    ...(note !== undefined && { note: JSON.parse(note) as Json }),
  }
}

function heldRow(rows: ReadonlyMap<string, Row>, { key, token }: Held): Row | undefined {
  const row = rows.get(key)
  return row?.epoch === token && row.holder !== undefined ? row : undefined
}

function extendRows(rows: ReadonlyMap<string, Row>, claims: readonly Held[], until: number): Extended[] {
  return claims.flatMap((claim) => {
    const row = heldRow(rows, claim)
    if (row === undefined) return []
    row.dueAt = until
    return [{ key: claim.key, token: claim.token, revision: row.wanted }]
  })
}

function completeRow(row: Row, { claim, again, note }: Completion, now: number): void {
  row.done = Math.max(row.done, claim.revision)
  const news = row.wanted > claim.revision ? (row.nextAt ?? now) : undefined
  endClaim(row, earlier(news, again === undefined ? undefined : now + again.delayMs))
  row.priority = higher(row.nextPriority, again?.priority)
  if (again?.trigger !== undefined && !row.triggers.includes(again.trigger)) row.triggers.push(again.trigger)
  if (note !== undefined) row.note = JSON.stringify(note)
}

function releaseRows(rows: ReadonlyMap<string, Row>, releases: readonly Release[], now: number): string[] {
  return releases.flatMap(({ claim, delayMs = 0 }) => {
    const row = heldRow(rows, claim)
    if (row === undefined) return []
    const news = row.wanted > claim.revision ? (row.nextAt ?? now) : undefined
    endClaim(row, earlier(news, now + delayMs))
    return [claim.key]
  })
}

function endClaim(row: Row, dueAt: number | undefined): void {
  Object.assign(row, { holder: undefined, nextAt: undefined, crashes: 0, dueAt })
}

function earlier(left: number | undefined, right: number | undefined): number | undefined {
  if (left === undefined || right === undefined) return left ?? right
  return Math.min(left, right)
}

function forgetRow(row: Row | undefined): void {
  if (row === undefined) return
  row.epoch++
  row.done = row.wanted
  row.priority = 0
  endClaim(row, undefined)
}

function restoreRow(row: Row, now: number): void {
  row.epoch++
  endClaim(row, now)
}

function itemsOf(rows: ReadonlyMap<string, Row>, query: ItemQuery, now: number): QueueItem[] {
  const { pool, keys, limit = 1_000, after = '' } = query
  const fits = ({ key }: Row): boolean =>
    key > after && (pool === undefined || poolOf(key) === pool) && (keys === undefined || keys.includes(key))
  const found = [...rows.values()].filter(fits).toSorted((left, right) => (left.key < right.key ? -1 : 1))
  return found.slice(0, limit).map((row) => itemOf(row, now))
}

function itemOf(row: Row, now: number): QueueItem {
  const { key, epoch, wanted, done, priority, nextPriority, crashes, holder, dueAt, note } = row
  const leased = isLeased(row, now)
  return {
    key,
    token: epoch,
    revision: wanted,
    done,
    priority: leased ? nextPriority : priority,
    crashes: leased ? crashes - 1 : crashes,
    ...(leased && holder !== undefined && { worker: holder }),
    ...(!leased && dueAt !== undefined && { dueInMs: dueAt - now }),
    ...(note !== undefined && { note: JSON.parse(note) as Json }),
  }
}

async function* hintsOf(waiting: Set<() => void>, call: Call): AsyncIterable<void> {
  while (!call.signal.aborted) {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        waiting.delete(wake)
        call.signal.removeEventListener('abort', wake)
        resolve()
      }
      waiting.add(wake)
      call.signal.addEventListener('abort', wake, { once: true })
    })
    if (!call.signal.aborted) yield
  }
}
