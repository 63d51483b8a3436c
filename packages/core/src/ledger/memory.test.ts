import { expect, test } from 'vitest'
import { testCall } from '../testing/call.ts'
import { testLedgerConformance } from '../testing/ledger-conformance.ts'
import type { AuditRecord, RunRecord } from './ledger.ts'
import { memoryLedger } from './memory.ts'
import { verifyAudit } from './audit.ts'

testLedgerConformance({ test, createLedger: () => memoryLedger() })

test('history and audit stay bounded, and what is left of the audit log still verifies', async () => {
  const ledger = memoryLedger({ maxRuns: 3, maxAuditRecords: 4 })
  const call = testCall()
  for (let index = 0; index < 10; index++) {
    const run: RunRecord = {
      runId: `r${index}`,
      application: 'shop',
      startedAt: index,
      endedAt: index,
      trigger: 'interval',
      outcome: 'applied',
      counts: {},
      changed: [],
    }
    const audit = [{ at: index, actor: 'ada', action: 'approved', details: {} }]
    await ledger.commit('shop', { expect: index, run, audit }, call)
  }
  const runs: string[] = []
  for await (const run of ledger.history({}, call)) runs.push(run.runId)
  const records: AuditRecord[] = []
  for await (const record of ledger.audit({}, call)) records.push(record)
  expect(runs).toEqual(['r9', 'r8', 'r7'])
  expect(await verifyAudit(records)).toMatchObject({ valid: true, records: 4, first: 7, head: { sequence: 10 } })
})
