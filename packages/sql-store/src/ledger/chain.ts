import { createHash } from 'node:crypto'
import type { AuditEntry, AuditRecord } from '@gitops-sdk/core'

export function chainAudit(head: { sequence: number; hash: string }, entry: AuditEntry): AuditRecord {
  const body = { ...entry, sequence: head.sequence + 1, previous: head.hash }
  return { ...body, hash: createHash('sha256').update(JSON.stringify(body)).digest('hex') }
}
