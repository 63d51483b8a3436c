import type { Call, Owned, RunRecord } from '@gitops-sdk/core'
import type { Database, Row, Value } from '../database/database.ts'
import { text } from '../database/row.ts'

/** Which resources. All given members must match. */
export interface ResourceQuery {
  readonly application?: string
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
  /** As it was at this time, in epoch milliseconds. @defaultValue now */
  readonly at?: number
  /** @defaultValue no limit */
  readonly limit?: number
}

/** What is where, since when, by whom. */
export interface ResourceRecord {
  readonly application: string
  readonly owned: Owned
  /** When this became so, in epoch milliseconds. */
  readonly since: number
  /** When it ceased to be so; absent while it is. */
  readonly until?: number
  /** The run that did it. */
  readonly runId?: string
  /** That run, as the history tells it. Absent while it is under way, and once it is no longer kept. */
  readonly run?: RunRecord
}

/** Rows that are read at a time. */
const pageSize = 500

/** The resources that match, in the order of application and `refKey`. A page of them is one moment. */
export async function* resources(database: Database, query: ResourceQuery, call: Call): AsyncIterable<ResourceRecord> {
  const { condition, values } = conditionOf(query)
  const { byCodeUnits } = database.dialect
  let after: readonly [string, string] = ['', '']
  let remaining = query.limit ?? Number.POSITIVE_INFINITY
  while (remaining > 0) {
    const limit = Math.min(pageSize, remaining)
    const statement = `SELECT i.application, i.key, i.valid_from, i.valid_to, i.run, i.entry, r.entry AS run_entry
      FROM gitops_inventory AS i LEFT JOIN gitops_run AS r ON r.application = i.application AND r.run = i.run
      WHERE (i.application ${byCodeUnits}, i.key ${byCodeUnits}) > (?, ?) AND ${condition}
      ORDER BY i.application ${byCodeUnits}, i.key ${byCodeUnits} LIMIT ?`
    const rows = await database.query(statement, [...after, ...values, limit], call)
    for (const row of rows) {
      after = [text(row, 'application'), text(row, 'key')]
      yield recordOf(row)
    }
    if (rows.length < limit) return
    remaining -= rows.length
  }
}

function conditionOf({ at, ...wanted }: ResourceQuery): { condition: string; values: readonly Value[] } {
  const now = ['i.valid_to IS NULL']
  const then = ['i.valid_from <= ?', '(i.valid_to IS NULL OR i.valid_to > ?)']
  const parts = at === undefined ? now : then
  const values: Value[] = at === undefined ? [] : [at, at]
  for (const column of ['application', 'kind', 'namespace', 'name'] as const) {
    const value = wanted[column]
    if (value === undefined) continue
    parts.push(`i.${column} = ?`)
    values.push(value)
  }
  return { condition: parts.join(' AND '), values }
}

function recordOf(row: Row): ResourceRecord {
  const { valid_to: until, run: runId, run_entry: run } = row
  return {
    application: text(row, 'application'),
    owned: JSON.parse(text(row, 'entry')) as Owned,
    since: Number(row['valid_from']),
    ...(until !== null && { until: Number(until) }),
    ...(typeof runId === 'string' && { runId }),
    ...(typeof run === 'string' && { run: JSON.parse(run) as RunRecord }),
  }
}
