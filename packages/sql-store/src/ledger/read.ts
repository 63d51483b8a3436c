import { type Call, type Inventory, type LedgerRecord, type Owned, refKey } from '@gitops-sdk/core'
import type { Database } from '../database/database.ts'
import { isOneOfGiven } from '../database/given.ts'
import { text } from '../database/row.ts'

/** The part of a record that is one JSON text. */
export type Body = Pick<LedgerRecord, 'journal' | 'approvals' | 'hold' | 'suspension' | 'state'>

export const emptyBody: Body = { approvals: [], state: {} }

/** Records with their inventories, in the order they were asked for. One statement, so that both belong to the same moment. */
export async function readAll(
  database: Database,
  asked: readonly { readonly application: string }[],
  call: Call,
): Promise<readonly LedgerRecord[]> {
  const { dialect } = database
  const names = asked.map(({ application }) => application)
  const entries = `SELECT ${dialect.jsonArrayOf('i.entry')} FROM gitops_inventory AS i WHERE i.application = a.name AND i.valid_to IS NULL`
  const wanted = isOneOfGiven(dialect, 'a.name')
  const statement = `SELECT a.name, a.version, a.record, (${entries}) AS inventory FROM gitops_application AS a WHERE ${wanted}`
  const rows = await database.query(statement, [JSON.stringify(names)], call)
  const found = new Map(rows.map((row) => [text(row, 'name'), row]))
  return names.map((application) => {
    const row = found.get(application)
    if (row === undefined) return { application, version: 0, inventory: new Map(), ...emptyBody }
    const body = JSON.parse(text(row, 'record')) as Body
    return { application, version: Number(row['version']), inventory: inventoryOf(text(row, 'inventory')), ...body }
  })
}

function inventoryOf(json: string): Inventory {
  const owned = JSON.parse(json) as readonly Owned[]
  return new Map(owned.map((one) => [refKey(one.ref), one]))
}
