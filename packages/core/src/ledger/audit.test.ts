import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AuditHead, chainAudit, emptyAudit, verifyAudit } from './audit.ts'
import type { AuditEntry, AuditRecord } from './ledger.ts'

function chain(entries: readonly AuditEntry[]): AuditRecord[] {
  let head: AuditHead = emptyAudit
  return entries.map((entry) => {
    const record = chainAudit(head, entry)
    head = record
    return record
  })
}

const entries = fc.array(
  fc.record({
    at: fc.nat(),
    actor: fc.string(),
    action: fc.string(),
    application: fc.string(),
    details: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })),
  }),
  { minLength: 2, maxLength: 12 },
) as fc.Arbitrary<AuditEntry[]>

const log = entries.map(chain)
const at = (records: readonly AuditRecord[], seed: number): number => seed % records.length

test('a log as it was written verifies, also after JSON', async () => {
  await fc.assert(
    fc.asyncProperty(log, async (records) => {
      const stored = JSON.parse(JSON.stringify(records)) as AuditRecord[]
      expect(await verifyAudit(stored)).toMatchObject({ valid: true, records: records.length, first: 1 })
    }),
  )
})

test('an edited member of any record is found', async () => {
  const edits: ((record: AuditRecord) => AuditRecord)[] = [
    (record) => ({ ...record, at: record.at + 1 }),
    (record) => ({ ...record, actor: `${record.actor}x` }),
    (record) => ({ ...record, action: `${record.action}x` }),
    (record) => ({ ...record, application: `${record.application}x` }),
    (record) => ({ ...record, details: { ...record.details, added: true } }),
    (record) => ({ ...record, sequence: record.sequence + 1 }),
    (record) => ({ ...record, previous: 'f'.repeat(64) }),
    (record) => ({ ...record, hash: 'f'.repeat(64) }),
  ]
  await fc.assert(
    fc.asyncProperty(log, fc.nat(), fc.constantFrom(...edits), async (records, seed, edit) => {
      const position = at(records, seed)
      const edited = records.map((record, index) => (index === position ? edit(record) : record))
      expect((await verifyAudit(edited)).valid).toBe(false)
    }),
  )
})

test('a removed record is found unless it stood at an end', async () => {
  await fc.assert(
    fc.asyncProperty(log, fc.nat(), async (records, seed) => {
      const position = at(records, seed)
      const { valid } = await verifyAudit(records.toSpliced(position, 1))
      expect(valid).toBe(position === 0 || position === records.length - 1)
    }),
  )
})

test('a record removed from either end is found with the head and the length that were kept', async () => {
  await fc.assert(
    fc.asyncProperty(log, async (records) => {
      const whole = await verifyAudit(records)
      if (!whole.valid) throw new Error('The log is valid.')
      expect((await verifyAudit(records.slice(0, -1), whole.head)).valid).toBe(false)
      expect((await verifyAudit([], whole.head)).valid).toBe(false)
      expect(await verifyAudit(records.slice(1), whole.head)).toMatchObject({ valid: true, first: 2 })
      expect((await verifyAudit(records, whole.head)).valid).toBe(true)
    }),
  )
})

test('moved and inserted records are found', async () => {
  await fc.assert(
    fc.asyncProperty(log, fc.nat(), fc.nat(), async (records, from, to) => {
      const [source, sink] = [at(records, from), at(records, to)]
      const moved = records.toSpliced(source, 1).toSpliced(sink, 0, ...records.slice(source, source + 1))
      expect((await verifyAudit(moved)).valid).toBe(source === sink)
      const doubled = records.toSpliced(source, 0, ...records.slice(source, source + 1))
      expect((await verifyAudit(doubled)).valid).toBe(false)
    }),
  )
})

test('a rewritten log is found with the head that was kept', async () => {
  const records = chain([1, 2, 3].map((at) => ({ at, actor: 'ada', action: 'approved', details: {} })))
  const forged = chain([1, 2, 4].map((at) => ({ at, actor: 'ada', action: 'approved', details: {} })))
  const whole = await verifyAudit(records)
  expect(await verifyAudit(forged)).toMatchObject({ valid: true })
  expect(await verifyAudit(forged, whole.valid ? whole.head : undefined)).toMatchObject({ valid: false, sequence: 3 })
})
