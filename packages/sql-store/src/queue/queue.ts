import {
  type Again,
  type Call,
  type Claim,
  type ClaimRequest,
  type Completion,
  type Extended,
  type Held,
  type ItemQuery,
  type Json,
  type Priority,
  type Queue,
  type QueueItem,
  type Release,
  type Wake,
  groupWakes,
  poolOf,
} from '@gitops-sdk/core'
import type { Database, Query, Row } from '../database/database.ts'
import { type Statements, statementsOf } from './statements.ts'

/** A queue in the tables of the ledger. `ready` brings them up to date before the first use. */
export function sqlQueue(database: Database, ready: (call: Call) => Promise<Database>): Queue {
  const told = database.listen === undefined ? {} : { hints: hintsOf(database.listen, ready) }
  const sql = (): Statements => statementsOf(database.dialect)
  const alone = async (call: Call): Promise<Query> => {
    const open = await ready(call)
    return (statement, values) => open.query(statement, values, call)
  }
  return {
    enqueue: async (wakes, call) => {
      await enqueueIn(await ready(call), wakes, call)
      database.hint?.(call)
    },
    claim: async (request, call) => claim(await ready(call), request, call),
    extend: async (claims, leaseMs, call) => extend(sql(), await alone(call), claims, leaseMs),
    complete: async (completions, call) => {
      const open = await ready(call)
      const plain = completions.every(({ wakes = [] }) => wakes.length === 0)
      if (plain) return completeAll(sql(), await alone(call), completions)
      const accepted = await open.transaction((query) => completeAll(sql(), query, completions), call)
      database.hint?.(call)
      return accepted
    },
    release: async (releases, call) => release(sql(), await alone(call), releases),
    forget: async (keys, call) => {
      if (keys.length > 0) await (await alone(call))(sql().forget, [JSON.stringify(keys.toSorted())])
    },
    afterRestore: async (call) => void (await (await alone(call))(sql().restore, [])),
    items: async (query, call) => items(sql(), await alone(call), query),
    ...told,
  }
}

/** Wakes of one statement need no transaction of their own. */
async function enqueueIn(database: Database, wakes: readonly Wake[], call: Call): Promise<void> {
  const statements = writes(statementsOf(database.dialect), wakes)
  const [first, ...rest] = statements
  if (first === undefined) return
  if (rest.length === 0) await database.query(first[0], [first[1]], call)
  else await database.transaction((query) => runAll(query, statements), call)
}

function writes(sql: Statements, wakes: readonly Wake[]): readonly (readonly [string, string])[] {
  const { onlyNew, numbered, unnumbered } = groupWakes(wakes)
  const all = [
    [sql.enqueueNew, onlyNew],
    [sql.place, onlyNew.filter(({ lane, tenant }) => lane !== undefined || tenant !== undefined)],
    [sql.enqueue, numbered],
    [sql.enqueue, unnumbered],
  ] as const
  return all.flatMap(([text, group]) => (group.length === 0 ? [] : [[text, JSON.stringify(group.map(wakeRow))]]))
}

async function runAll(query: Query, statements: readonly (readonly [string, string])[]): Promise<void> {
  for (const [statement, rows] of statements) await query(statement, [rows])
}

function wakeRow({ key, revision = 0, delayMs = 0, priority = 0, trigger, lane, tenant }: Wake): Json {
  const reason = trigger === undefined ? '' : `,${trigger}`
  return {
    key,
    pool: poolOf(key),
    revision,
    delay: Math.ceil(delayMs),
    priority,
    reason,
    lane: lane ?? null,
    tenant: tenant ?? null,
  }
}

async function claim(database: Database, request: ClaimRequest, call: Call): Promise<readonly Claim[]> {
  const { text, values } = statementsOf(database.dialect).claim(request)
  if (request.tenantLimit === undefined) return claimsOf(await database.query(text, values, call))
  // Whoever counts the claims of a tenant must be the only one: claims under a limit take turns.
  return database.transaction(async (query) => {
    await query(`SELECT value FROM gitops_meta WHERE name = 'schema'${database.dialect.forUpdate}`, [])
    return claimsOf(await query(text, values))
  }, call)
}

/** The order in which the rows were chosen: a statement that updates returns them in any. */
function claimsOf(rows: readonly Row[]): readonly Claim[] {
  return rows.toSorted(byUrgency).map(claimOf)
}

function byUrgency(left: Row, right: Row): number {
  const column = (name: string): number => Number(right[name]) - Number(left[name])
  return column('taken_priority') || -column('taken_at') || (String(left['key']) < String(right['key']) ? -1 : 1)
}

function claimOf(row: Row): Claim {
  return {
    key: String(row['key']),
    token: Number(row['epoch']),
    previous: Number(row['taken_epoch']),
    revision: Number(row['wanted']),
    priority: Number(row['taken_priority']) as Priority,
    triggers: triggersOf(row['taken_triggers']),
    attempt: Number(row['crashes']),
    ...noteOf(row['note']),
  }
}

function triggersOf(text: Row[string] | undefined): readonly string[] {
  return [
    ...new Set(
      String(text ?? '')
        .split(',')
        .filter((trigger) => trigger !== ''),
    ),
  ]
}

function noteOf(note: Row[string] | undefined): { note?: Json } {
  return typeof note === 'string' ? { note: JSON.parse(note) as Json } : {}
}

async function extend(sql: Statements, query: Query, claims: readonly Held[], leaseMs: number): Promise<Extended[]> {
  if (claims.length === 0) return []
  const rows = await query(sql.extend, [heldRows(claims), leaseMs])
  return rows.map((row) => ({ key: String(row['key']), token: Number(row['epoch']), revision: Number(row['wanted']) }))
}

function heldRows(claims: readonly Held[]): string {
  return JSON.stringify(claims.map(({ key, token }) => ({ key, token })))
}

/** Completions and what they wake. Inside a transaction, all of it happens or nothing. */
export async function completeAll(
  sql: Statements,
  query: Query,
  completions: readonly Completion[],
): Promise<string[]> {
  if (completions.length === 0) return []
  const rows = completions.map(({ claim: held, again, note }) => ({
    ...endRow(held, again),
    is_done: 1,
    note: note === undefined ? null : JSON.stringify(note),
  }))
  const accepted = await end(sql, query, rows)
  const known = new Set(accepted)
  const wakes = completions.flatMap((each) => (known.has(each.claim.key) ? (each.wakes ?? []) : []))
  await runAll(query, writes(sql, wakes))
  return accepted
}

async function release(sql: Statements, query: Query, releases: readonly Release[]): Promise<string[]> {
  if (releases.length === 0) return []
  const rows = releases.map(({ claim: held, delayMs = 0 }) => ({
    ...endRow(held, { delayMs }),
    is_done: 0,
    note: null,
  }))
  return end(sql, query, rows)
}

async function end(sql: Statements, query: Query, rows: readonly object[]): Promise<string[]> {
  return (await query(sql.end, [JSON.stringify(rows)])).map((row) => String(row['key']))
}

function endRow({ key, token, revision }: Completion['claim'], again: Again | undefined) {
  const reason = again?.trigger === undefined ? '' : `,${again.trigger}`
  return {
    key,
    token,
    revision,
    delay: again === undefined ? null : Math.ceil(again.delayMs),
    priority: again?.priority ?? 0,
    reason,
  }
}

async function items(sql: Statements, query: Query, { pool, keys, limit = 1_000, after = '' }: ItemQuery) {
  const rows = await query(sql.items(pool !== undefined, keys !== undefined), [
    after,
    ...(pool === undefined ? [] : [pool]),
    ...(keys === undefined ? [] : [JSON.stringify(keys)]),
    limit,
  ])
  return rows.map(itemOf)
}

function itemOf(row: Row): QueueItem {
  const dueInMs = row['due_in'] === null ? undefined : Number(row['due_in'])
  const isLeased = row['holder'] !== null && (dueInMs ?? 0) > 0
  return {
    key: String(row['key']),
    token: Number(row['epoch']),
    revision: Number(row['wanted']),
    done: Number(row['done']),
    priority: Number(row[isLeased ? 'next_priority' : 'priority']) as Priority,
    crashes: Number(row['crashes']) - (isLeased ? 1 : 0),
    ...(isLeased && { worker: String(row['holder']) }),
    ...(!isLeased && dueInMs !== undefined && { dueInMs }),
    ...noteOf(row['note']),
  }
}

function hintsOf(listen: NonNullable<Database['listen']>, ready: (call: Call) => Promise<Database>) {
  return async function* (call: Call): AsyncIterable<void> {
    await ready(call)
    yield* listen(call)
  }
}
