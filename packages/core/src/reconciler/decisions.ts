import { label } from '../desired/ref.ts'
import type { AuditEntry, Hold, Suspension } from '../ledger/ledger.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { Json } from '../runtime/json.ts'
import type { Resolution } from '../target/target.ts'
import { gatherInputs } from './dependencies.ts'
import { type Engine, commit, recordOf, tell } from './engine.ts'
import type { Member } from './member.ts'
import type { RollbackRequest } from './rollback.ts'
import { findRevision } from './rollback.ts'

/** Consent to exactly one plan. */
export interface ApproveRequest {
  readonly fingerprint: string
  readonly by: string
  readonly note?: string
  /** Epoch milliseconds. @defaultValue the approval lifetime of the policy */
  readonly expiresAt?: number
}

export interface SuspendRequest {
  readonly by: string
  readonly reason: string
  /** Epoch milliseconds. @defaultValue until it is resumed */
  readonly until?: number
}

/** Records an approval and runs again: the plan is made anew and must be the same. */
export async function approve(engine: Engine, member: Member, request: ApproveRequest): Promise<void> {
  const { fingerprint, by } = request
  const { pending } = member
  if (pending !== undefined && pending.fingerprint !== fingerprint) {
    const message = `${member.name}: another plan waits for approval (${pending.fingerprint}). Look at it and approve that one.`
    throw new GitOpsError('APPROVAL_MISMATCH', message, { details: { pending: pending.fingerprint } })
  }
  const approval = { ...request, at: engine.call.clock.now() }
  const audit = [entry(engine, member, by, 'approved', { fingerprint, note: request.note ?? '' })]
  await commit(engine, member, ({ approvals }) => ({
    approvals: [...approvals.filter((each) => each.fingerprint !== fingerprint), approval],
    audit,
  }))
  const expiry = request.expiresAt === undefined ? {} : { expiresAt: request.expiresAt }
  tell(engine, { type: 'approved', application: member.name, fingerprint, by, ...expiry })
  runAgain(engine, member, 'approval')
}

export async function suspend(engine: Engine, member: Member, { by, reason, until }: SuspendRequest): Promise<void> {
  const at = engine.call.clock.now()
  const suspension: Suspension = { by, at, reason, ...(until !== undefined && { until }) }
  await commit(engine, member, {
    suspension,
    audit: [entry(engine, member, by, 'suspended', { reason, until: until ?? null })],
  })
  tell(engine, { type: 'suspended', application: member.name, suspension })
}

export async function resume(engine: Engine, member: Member, by: string): Promise<void> {
  const { suspension } = await recordOf(engine, member)
  if (suspension === undefined) return
  await commit(engine, member, { suspension: null, audit: [entry(engine, member, by, 'resumed', {})] })
  tell(engine, { type: 'resumed', application: member.name, by })
  runAgain(engine, member, 'resumed')
}

/** A suspension whose time is up ends by itself. */
export async function expireSuspension(engine: Engine, member: Member): Promise<void> {
  const { suspension } = await recordOf(engine, member)
  if (suspension?.until === undefined || suspension.until > engine.call.clock.now()) return
  const { by, until } = suspension
  await commit(engine, member, {
    suspension: null,
    audit: [entry(engine, member, 'gitops-sdk', 'resumed', { by, until })],
  })
  tell(engine, { type: 'resumed', application: member.name, by: 'expiry' })
}

export async function hold(engine: Engine, member: Member, request: RollbackRequest): Promise<void> {
  const revision = await findRevision(engine, member, request.to)
  const { by, reason } = request
  const pinned: Hold = { revision, by, reason, at: engine.call.clock.now(), rejected: [] }
  await commit(engine, member, {
    hold: pinned,
    audit: [entry(engine, member, by, 'held', { revision: revision.id, reason })],
  })
  tell(engine, { type: 'held', application: member.name, hold: pinned })
  runAgain(engine, member, 'hold')
}

export async function release(
  engine: Engine,
  member: Member,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<void> {
  const record = await recordOf(engine, member)
  if (record.hold === undefined) return
  await commit(engine, member, { hold: null, audit: [entry(engine, member, by, 'released', { reason })] })
  tell(engine, { type: 'released', application: member.name, by, reason })
  runAgain(engine, member, 'release')
}

/** What became of the suspects of an interrupted run. Those that are not named are looked at afresh, as they are. */
export interface ResolveRequest {
  readonly by: string
  readonly note: string
  /** @defaultValue every suspect is `ignored` */
  readonly resolutions?: readonly Resolution[]
}

/** The target hears of it first: what it refuses is not taken as resolved. */
export async function resolveSuspects(engine: Engine, member: Member, request: ResolveRequest): Promise<void> {
  const { by, note, resolutions = [] } = request
  const call = { ...engine.call, application: member.name, inputs: gatherInputs(engine, member) }
  await member.target.resolveSuspects?.(resolutions, call)
  const how = resolutions.map(({ ref, how: each }) => `${label(ref)}: ${each}`)
  const audit = [entry(engine, member, by, 'suspects-resolved', { note, resolutions: how })]
  await commit(engine, member, { journal: null, audit })
  tell(engine, { type: 'attentionResolved', application: member.name, by })
  runAgain(engine, member, 'resolved')
}

/** A decision of a person makes everything worth looking at again. */
function runAgain({ queue }: Engine, member: Member, trigger: string): void {
  member.settled = undefined
  member.stuck = undefined
  queue.add(member.name, { trigger, priority: 5 })
}

function entry(
  { call }: Engine,
  { name }: Member,
  actor: string,
  action: string,
  details: Readonly<Record<string, Json>>,
): AuditEntry {
  return { at: call.clock.now(), actor, action, application: name, details }
}
