import { describe, expect, test } from 'vitest'
import { seededRandom } from '../runtime/random.ts'
import { testCall } from '../testing/call.ts'
import { testLedgerConformance } from '../testing/ledger-conformance.ts'
import { outages, patientLedger } from '../testing/patient.ts'
import type { AuditRecord, RunRecord } from './ledger.ts'
import { memoryLedger } from './memory.ts'
import { verifyAudit } from './audit.ts'

testLedgerConformance({ test, createLedger: () => memoryLedger() })

describe('so it is for whoever asks again after an outage or a lost answer', () => {
  const schedule = outages(seededRandom(5), 0.3)
  testLedgerConformance({ test, createLedger: () => patientLedger(memoryLedger(), schedule) })
})

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
