import { expect, test } from 'vitest'
import { testCall } from '../testing/call.ts'
import { verifyAudit } from './audit.ts'
import type { Owned } from '../actual/inventory.ts'
import { type ExportLine, durationOf, exportAudit, exportHistory, exportLedger, summarizeHistory } from './history.ts'
import type { AuditRecord, RunRecord } from './ledger.ts'
import { memoryLedger } from './memory.ts'

const run = (index: number, parts: Partial<RunRecord> = {}): RunRecord => ({
  runId: `r${index}`,
  application: 'shop',
  startedAt: index * 1_000,
  endedAt: index * 1_000 + 100 * index,
  trigger: 'interval',
  outcome: 'applied',
  counts: { update: 1 },
  changed: [],
  ...parts,
})

test('runs are summed up by outcome, by action and by duration', () => {
  const runs = [
    run(1),
    run(2, { outcome: 'failed', counts: { create: 2, update: 1 } }),
    run(3),
    run(9, { outcome: 'failed' }),
  ]
  expect(summarizeHistory(runs)).toEqual({
    runs: 4,
    outcomes: { applied: 2, failed: 2 },
    changes: { update: 4, create: 2 },
    medianDurationMs: 200,
    longestDurationMs: 900,
    lastAppliedAt: 3_300,
  })
})

test('without runs there is nothing to sum up', () => {
  expect(summarizeHistory([])).toEqual({ runs: 0, outcomes: {}, changes: {} })
})

test('a clock that was set back makes no duration negative', () => {
  expect(durationOf({ startedAt: 5, endedAt: 3 })).toBe(0)
})

test('history and audit are exported line by line, and the audit log verifies from its lines', async () => {
  const ledger = memoryLedger()
  const call = testCall()
  for (let index = 0; index < 3; index++) {
    const audit = [{ at: index, actor: 'ada', action: 'approved', details: { text: 'two\nlines' } }]
    await ledger.commit('shop', { expect: index, run: run(index), audit }, call)
  }
  const history = await all(exportHistory(ledger, { limit: 2 }, call))
  expect(history.map((line) => (JSON.parse(line) as RunRecord).runId)).toEqual(['r2', 'r1'])
  const lines = await all(exportAudit(ledger, {}, call))
  expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true)
  expect(await verifyAudit(lines.map((line) => JSON.parse(line) as AuditRecord))).toMatchObject({
    valid: true,
    records: 3,
  })
})

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

test('an export holds what is owned of every application, one that is no longer declared included', async () => {
  const ledger = memoryLedger({ installKey: new Uint8Array(32).fill(7) })
  const call = testCall()
  const owned: Owned = { ref: { kind: 'flag', name: 'a' }, state: 'applied', revision: 'r1' }
  await ledger.commit('shop', { expect: 0, inventory: { put: [owned] }, state: { failures: 2 } }, call)
  await ledger.commit('blog', { expect: 0 }, call)
  const lines: ExportLine[] = []
  for await (const line of exportLedger(ledger, call)) lines.push(JSON.parse(line) as ExportLine)
  expect(lines).toEqual([
    { type: 'application', application: 'blog', version: 1, approvals: [], state: {} },
    { type: 'application', application: 'shop', version: 1, approvals: [], state: { failures: 2 } },
    { type: 'resource', application: 'shop', owned },
  ])
  expect(JSON.stringify(lines)).not.toContain('07070707')
})
