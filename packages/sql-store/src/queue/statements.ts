import { type ClaimRequest, quarantineAfter } from '@gitops-sdk/core'
import type { Dialect, Value } from '../database/database.ts'
import { isOneOfGiven } from '../database/given.ts'

/** The statements of the queue in one dialect. Rows travel as one JSON array, so that a batch is one statement. */
export interface Statements {
  readonly enqueue: string
  readonly enqueueNew: string
  readonly place: string
  readonly extend: string
  readonly end: string
  readonly forget: string
  readonly restore: string
  claim(request: ClaimRequest): { readonly text: string; readonly values: readonly Value[] }
  items(byPool: boolean, byKeys: boolean): string
}

/**
 * `run_at` is when a key is due and, while it is claimed, when its lease ends: an expired lease is simply due again, and
 * nobody has to look for dead workers.
 */
export function statementsOf(dialect: Dialect): Statements {
  const { nowMs, jsonRows, least, greatest, forOrder, isOneOf } = dialect
  const text = (name: string): string => dialect.jsonText('given.value', name)
  const whole = (name: string): string => `CAST(${text(name)} AS BIGINT)`
  const columns = 'key, pool, lane, tenant, priority, wanted, run_at, triggers'
  const given = `SELECT ${text('key')}, ${text('pool')}, ${text('lane')}, ${text('tenant')}, ${whole('priority')},
    ${whole('revision')}, ${nowMs} + ${whole('delay')}, ${text('reason')} FROM ${jsonRows} AS given WHERE true ORDER BY 1`
  const leased = `(q.holder IS NOT NULL AND q.run_at > ${nowMs})`
  const reasons = (more: string): string =>
    `CASE WHEN q.triggers LIKE '%' || ${more} || '%' OR length(q.triggers) > 400 THEN q.triggers ELSE q.triggers || ${more} END`
  const sooner = (before: string, after: string): string => `${least}(COALESCE(${before}, ${after}), ${after})`
  // Writers that wait for each other's rows take them in one order. SQLite has one writer anyway.
  const inOrder =
    forOrder === ''
      ? ''
      : `, locked AS MATERIALIZED (SELECT q.key FROM gitops_queue AS q WHERE ${isOneOf('q.key', 'SELECT held_key FROM held')} ORDER BY q.key${forOrder})`
  const locked = inOrder === '' ? '' : ` AND ${isOneOf('q.key', 'SELECT key FROM locked')}`
  const held = (more: string): string =>
    `WITH held AS MATERIALIZED (SELECT ${text('key')} AS held_key, ${whole('token')} AS token${more} FROM ${jsonRows} AS given)${inOrder}`
  const again = `${nowMs} + held.delay`
  const news = `CASE WHEN q.wanted > held.revision THEN COALESCE(q.next_at, ${nowMs}) END`

  return {
    enqueueNew: `INSERT INTO gitops_queue (${columns}) ${given} ON CONFLICT (key) DO NOTHING`,
    // Rows that are right are neither locked nor written: every process that starts says this of all its applications.
    place: `WITH given AS MATERIALIZED (SELECT ${text('key')} AS given_key, ${text('lane')} AS given_lane, ${text('tenant')} AS given_tenant FROM ${jsonRows} AS given)
      UPDATE gitops_queue AS q SET lane = COALESCE(given_lane, q.lane), tenant = COALESCE(given_tenant, q.tenant) FROM given
      WHERE q.key = given_key AND (COALESCE(given_lane, q.lane, '') <> COALESCE(q.lane, '') OR COALESCE(given_tenant, q.tenant, '') <> COALESCE(q.tenant, ''))`,
    // A wanted revision of 0 stands for "one more".
    enqueue: `INSERT INTO gitops_queue AS q (${columns}) ${given} ON CONFLICT (key) DO UPDATE SET
      wanted = CASE WHEN excluded.wanted = 0 THEN q.wanted + 1 ELSE excluded.wanted END,
      priority = ${greatest}(q.priority, excluded.priority),
      next_priority = ${greatest}(q.next_priority, excluded.priority),
      lane = COALESCE(excluded.lane, q.lane),
      tenant = COALESCE(excluded.tenant, q.tenant),
      triggers = ${reasons('excluded.triggers')},
      crashes = CASE WHEN excluded.priority > 0 AND NOT COALESCE(${leased}, false) THEN 0 ELSE q.crashes END,
      next_at = CASE WHEN ${leased} THEN ${sooner('q.next_at', 'excluded.run_at')} ELSE q.next_at END,
      run_at = CASE WHEN ${leased} THEN q.run_at ELSE ${sooner('q.run_at', 'excluded.run_at')} END
      WHERE excluded.wanted = 0 OR excluded.wanted > q.wanted`,
    claim: (request) => claimStatement(dialect, request),
    extend: `${held('')} UPDATE gitops_queue AS q SET run_at = ${nowMs} + CAST(? AS BIGINT) FROM held
      WHERE q.key = held.held_key AND q.epoch = held.token AND q.holder IS NOT NULL${locked} RETURNING key, epoch, wanted`,
    end: `${held(`, ${whole('revision')} AS revision, ${whole('is_done')} AS is_done, ${whole('delay')} AS delay, ${whole('priority')} AS priority, ${text('reason')} AS reason, ${text('note')} AS note`)}
      UPDATE gitops_queue AS q SET
      done = CASE WHEN held.is_done = 1 THEN ${greatest}(q.done, held.revision) ELSE q.done END, holder = NULL, crashes = 0, next_at = NULL,
      run_at = CASE WHEN held.delay IS NULL THEN ${news} WHEN q.wanted > held.revision THEN ${least}(COALESCE(q.next_at, ${nowMs}), ${again}) ELSE ${again} END,
      priority = CASE WHEN held.is_done = 1 THEN ${greatest}(q.next_priority, held.priority) ELSE q.priority END, triggers = ${reasons('held.reason')}, note = COALESCE(held.note, q.note)
      FROM held WHERE q.key = held.held_key AND q.epoch = held.token AND q.holder IS NOT NULL${locked} RETURNING key`,
    forget: `UPDATE gitops_queue SET epoch = epoch + 1, done = wanted, holder = NULL, run_at = NULL, next_at = NULL, crashes = 0, priority = 0
      WHERE ${isOneOfGiven(dialect, 'key')}`,
    restore: `UPDATE gitops_queue SET epoch = epoch + 1, holder = NULL, crashes = 0, next_at = NULL, run_at = ${nowMs}`,
    items: (
      byPool,
      byKeys,
    ) => `SELECT key, epoch, wanted, done, priority, next_priority, crashes, holder, note, run_at - ${nowMs} AS due_in FROM gitops_queue
      WHERE key ${dialect.byCodeUnits} > ?${byPool ? ' AND pool = ?' : ''}${byKeys ? ` AND ${isOneOfGiven(dialect, 'key')}` : ''}
      ORDER BY key ${dialect.byCodeUnits} LIMIT ?`,
  }
}

/** One range of the index per priority, so that what is not due yet is never read. */
function claimStatement(dialect: Dialect, request: ClaimRequest) {
  const { nowMs, jsonRows, skipLocked, isOneOf } = dialect
  const { worker, pool, limit, leaseMs, keys, lanes, graceMs = 0, tenantLimit } = request
  const values: Value[] = []
  const bind = (value: Value): string => {
    values.push(value)
    return '?'
  }
  const lane = (): string =>
    lanes === undefined
      ? ''
      : ` AND (q.lane IS NULL OR q.run_at <= ${nowMs} - CAST(${bind(graceMs)} AS BIGINT) OR q.lane IN (SELECT value FROM ${bound(jsonRows, bind, lanes)} AS given))`
  const tenant = (): string =>
    tenantLimit === undefined
      ? ''
      : ` AND (q.tenant IS NULL OR q.tenant NOT IN (SELECT r.tenant FROM gitops_queue AS r WHERE r.tenant IS NOT NULL AND r.holder IS NOT NULL AND r.run_at > ${nowMs} GROUP BY r.tenant HAVING COUNT(*) >= CAST(${bind(tenantLimit)} AS BIGINT)))`
  const fields = 'q.key, q.priority, q.run_at, q.tenant'
  const some = (priority: number, before: readonly string[]): string => {
    const rest = before.map((name) => ` - (SELECT COUNT(*) FROM ${name})`).join('')
    const where = `q.pool = ${bind(pool)} AND q.priority = ${priority} AND q.run_at <= ${nowMs} AND q.crashes < ${quarantineAfter}`
    return `p${priority} AS MATERIALIZED (SELECT ${fields} FROM gitops_queue AS q WHERE ${where}${lane()}${tenant()} ORDER BY q.run_at LIMIT CAST(${bind(limit)} AS BIGINT)${rest}${skipLocked})`
  }
  const byName = (): string => {
    const where = `q.pool = ${bind(pool)} AND ${isOneOf('q.key', `SELECT value FROM ${bound(jsonRows, bind, keys ?? [])} AS given`)}`
    return `due AS MATERIALIZED (SELECT ${fields} FROM gitops_queue AS q WHERE ${where} AND NOT (q.holder IS NOT NULL AND q.run_at > ${nowMs})${tenant()} ORDER BY q.key LIMIT CAST(${bind(limit)} AS BIGINT)${skipLocked})`
  }
  const byUrgency = (): string =>
    `${some(2, [])}, ${some(1, ['p2'])}, ${some(0, ['p2', 'p1'])},
    due AS (SELECT * FROM p2 UNION ALL SELECT * FROM p1 UNION ALL SELECT * FROM p0)`
  const found = keys === undefined ? byUrgency() : byName()
  const { chosen, names } =
    tenantLimit === undefined ? { chosen: '', names: 'due' } : withinLimit(nowMs, bind(tenantLimit))
  const text = `WITH ${found}${chosen} UPDATE gitops_queue AS q SET epoch = ${dialect.greatest}(q.epoch + 1, ${nowMs}), taken_epoch = q.epoch, crashes = q.crashes + 1, holder = ${bind(worker)},
    taken_at = COALESCE(q.run_at, 0), taken_priority = q.priority, taken_triggers = q.triggers, next_priority = 0, triggers = '', next_at = NULL,
    run_at = ${nowMs} + CAST(${bind(leaseMs)} AS BIGINT)
    WHERE ${isOneOf('q.key', `SELECT key FROM ${names}`)}
    RETURNING key, epoch, wanted, taken_at, taken_priority, taken_triggers, taken_epoch, crashes, note`
  return { text, values }
}

function bound(jsonRows: string, bind: (value: Value) => string, list: readonly string[]): string {
  bind(JSON.stringify(list))
  return jsonRows
}

/** Of each tenant only as many as it may still have. */
function withinLimit(nowMs: string, limit: string) {
  const running = `(SELECT COUNT(*) FROM gitops_queue AS r WHERE r.tenant = due.tenant AND r.holder IS NOT NULL AND r.run_at > ${nowMs})`
  const chosen = `, numbered AS (SELECT due.key, due.tenant, ${running} + ROW_NUMBER() OVER (PARTITION BY due.tenant ORDER BY due.priority DESC, due.run_at) AS place FROM due),
    chosen AS (SELECT key FROM numbered WHERE tenant IS NULL OR place <= CAST(${limit} AS BIGINT))`
  return { chosen, names: 'chosen' }
}
