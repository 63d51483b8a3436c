import {
  type Action,
  type Cause,
  type Change,
  type Drift,
  type FieldChange,
  type FieldValue,
  GitOpsError,
  type Plan,
  type Seal,
} from '@gitops-sdk/core'
import { refAt } from '../workspace/address.ts'
import { covers, fieldsOf } from './fields.ts'
import type { PlanJson, ResourceChangeJson } from '../observe/plan-json.ts'

/** What a plan of the binary means. */
export type Verdict = Pick<Plan, 'effect' | 'complete' | 'changes' | 'drift'>

/**
 * Judges a plan by its resources, never by exit codes or counters: those call pending changes drift, and
 * noise as well. Throws `PLAN_INCOMPLETE` for a plan that failed: the binary writes one all the same.
 */
export function verdictOf(plan: PlanJson, seal: Seal): Verdict {
  if (plan.errored === true)
    throw new GitOpsError(
      'PLAN_INCOMPLETE',
      'Planning failed half-way. Correct what the diagnostics name, then plan again.',
    )
  const moved = new Map((plan.resource_drift ?? []).map((each) => [each.address, each]))
  const planned = (plan.resource_changes ?? []).filter(isChange)
  const changes = planned.map((each) => changeOf(each, moved.get(each.address), moved.size > 0, seal))
  const byAddress = new Map(planned.map((each, index) => [each.address, changes[index]]))
  const drift = [...moved.values()].map((each) => driftOf(each, byAddress.get(each.address), seal))
  const outputs = Object.values(plan.output_changes ?? {}).some(({ actions }) => actions.some((one) => one !== 'no-op'))
  const effect = changes.length > 0 ? 'changes' : outputs ? 'outputs-only' : 'none'
  return { effect, complete: plan.complete !== false, changes, drift }
}

function isChange({ mode, change, previous_address }: ResourceChangeJson): boolean {
  if (mode === 'data') return false
  return actionOf(change.actions) !== undefined || change.importing !== undefined || previous_address !== undefined
}

const actionsByVerbs: Readonly<Record<string, Action>> = {
  create: 'create',
  update: 'update',
  delete: 'delete',
  'delete,create': 'replace',
  'create,delete': 'replace',
  forget: 'forget',
  'create,forget': 'replace',
}

function actionOf(verbs: readonly string[]): Action | undefined {
  return actionsByVerbs[verbs.join(',')]
}

function changeOf(
  planned: ResourceChangeJson,
  moved: ResourceChangeJson | undefined,
  anyDrift: boolean,
  seal: Seal,
): Change {
  const fields = fieldsOf(planned.change, seal).map((field) => ({ ...field, cause: causeOfField(field, moved, seal) }))
  const own = actionOf(planned.change.actions)
  const action = planned.change.importing ? 'adopt' : (own ?? 'move')
  const { previous_address: from } = planned
  return {
    ref: refAt(planned.address),
    action,
    cause: causeOfChange(planned, fields, moved, anyDrift),
    fields,
    step: { phase: 'Sync', wave: 0 },
    ...(planned.action_reason !== undefined && { reason: planned.action_reason.replaceAll('_', ' ') }),
    ...(from !== undefined && { from: refAt(from) }),
  }
}

/** `drift` when the change puts back what was there; `both` when it moved and something new is wanted. */
function causeOfField(field: FieldChange, moved: ResourceChangeJson | undefined, seal: Seal): Cause {
  if (moved === undefined) return 'revision'
  if (isGone(moved)) return 'drift'
  const drifted = fieldsOf(moved.change, seal).find(({ path }) => covers(path, field.path) || covers(field.path, path))
  if (drifted === undefined) return 'revision'
  return isSameValue(drifted.before, field.after) ? 'drift' : 'both'
}

/** Values of fields are leaves or stand-ins: spelled alike where they are equal. */
function isSameValue(left: FieldValue | undefined, right: FieldValue | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right)
}

function causeOfChange(
  { action_reason: reason = '' }: ResourceChangeJson,
  fields: readonly FieldChange[],
  moved: ResourceChangeJson | undefined,
  anyDrift: boolean,
): Cause {
  if (reason === 'replace_by_request' || reason === 'replace_because_tainted') return 'requested'
  if (moved !== undefined && isGone(moved)) return 'drift'
  // What is only known later says nothing about why.
  const known = fields.filter(({ unknown }) => unknown !== true)
  if (anyDrift && moved === undefined && known.length === 0 && fields.length > 0) return 'dependency'
  const causes = new Set(known.map(({ cause }) => cause))
  if (causes.size === 0 || (causes.size === 1 && causes.has('revision'))) return 'revision'
  return causes.size === 1 && causes.has('drift') ? 'drift' : 'both'
}

function isGone({ change }: ResourceChangeJson): boolean {
  return actionOf(change.actions) === 'delete'
}

/** Healed when the plan changes one of the fields that moved, or makes again what is gone. */
function driftOf(moved: ResourceChangeJson, change: Change | undefined, seal: Seal): Drift {
  const ref = refAt(moved.address)
  if (isGone(moved)) return { ref, kind: 'missing', fields: [], healed: change !== undefined }
  const fields = fieldsOf(moved.change, seal)
  const heals = ({ path }: FieldChange): boolean =>
    (change?.fields ?? []).some((field) => field.unknown !== true && covers(path, field.path))
  return { ref, kind: 'modified', fields: fields.map(towardsState), healed: fields.some(heals) }
}

/** The binary tells how it moved; a drift is told as what undoing it would change: from what is there to what was. */
function towardsState({ before, after, op, ...rest }: FieldChange): FieldChange {
  const undone = { add: 'remove', remove: 'add', replace: 'replace' } as const
  return {
    ...rest,
    op: undone[op],
    ...(after !== undefined && { before: after }),
    ...(before !== undefined && { after: before }),
  }
}
