import { type Blocked, type Change, GitOpsError, label, type PlanRequest, refKey } from '@gitops-sdk/core'
import type { Observation } from '../observe/observation.ts'
import { addressOf } from '../workspace/address.ts'

/** What is never done, whatever the module says. */
export interface Rules {
  /** Addresses that are never destroyed or replaced; `*` stands for any text. */
  readonly protect: readonly string[]
  /** A plan that destroys or replaces more is not applied. */
  readonly maxDeletes: number
  /** Take over what a state holds that this application did not make. */
  readonly adoptState: boolean
  /** What becomes of the resources when the application is destroyed. */
  readonly onDelete: 'destroy' | 'orphan'
}

/** Why the plan is not made. A plan of the binary is applied as a whole, so one reason blocks all of it. */
export function blockedBy(
  changes: readonly Change[],
  observation: Observation,
  request: PlanRequest,
  rules: Rules,
): readonly Blocked[] {
  const lost = lineageLost(observation, request)
  if (lost !== undefined) return [lost]
  const leaving = changes.filter(({ action }) => action === 'delete' || action === 'replace')
  const reasons = leaving.flatMap((change) => whyKept(change, request, rules) ?? [])
  const many = tooMany(leaving, rules)
  return many === undefined ? reasons : [many, ...reasons]
}

/** A state that vanished, or another workspace, looks like "create everything". */
function lineageLost({ base }: Observation, { owned }: PlanRequest): Blocked | undefined {
  const pinned = [...owned.values()].map(({ note }) => lineageIn(note)).find((lineage) => lineage !== undefined)
  if (pinned === undefined || pinned === base.lineage) return undefined
  const found = base.lineage === '' ? 'there is no state' : `the state has lineage ${base.lineage}`
  const message = `What this application made is in the state of lineage ${pinned}, but ${found}. Check backend and workspace, or bring the state back from a version; nothing is created a second time.`
  return { rule: 'lineage', message, error: new GitOpsError('PLAN_BLOCKED', message).toJSON() }
}

function lineageIn(note: unknown): string | undefined {
  if (typeof note !== 'object' || note === null || !('lineage' in note)) return undefined
  return typeof note.lineage === 'string' ? note.lineage : undefined
}

function whyKept({ ref, action }: Change, { owned, prune, mode }: PlanRequest, rules: Rules): Blocked | undefined {
  const name = label(ref)
  const refuse = (rule: string, message: string): Blocked => ({ ref, action, rule, message })
  if (rules.protect.some((pattern) => matches(pattern, addressOf(ref))))
    return refuse(
      'protected-address',
      `${name} is protected by the target, so the plan that would ${action} it is not applied. Keep it in the module, or take it out of \`protect\`.`,
    )
  if (action === 'replace') return undefined
  if (!owned.has(refKey(ref)) && !rules.adoptState)
    return refuse(
      'not-owned',
      `${name} is in the state, but this application did not make it, so it is not destroyed. Set \`adoptState\` to take over what the state holds.`,
    )
  if (mode === 'converge' && !prune)
    return refuse(
      'prune',
      `${name} is no longer declared, and \`prune\` is off. The plan is applied only as a whole: allow \`prune\`, or declare it, or remove it with a \`removed\` block.`,
    )
  return undefined
}

function tooMany(leaving: readonly Change[], { maxDeletes }: Rules): Blocked | undefined {
  if (leaving.length <= maxDeletes) return undefined
  const message = `The plan destroys or replaces ${leaving.length} resources, which is more than \`maxDeletes\` (${maxDeletes}). Raise it, or take smaller steps.`
  return { rule: 'max-deletes', message }
}

/** Whether an address is meant by a pattern. */
function matches(pattern: string, address: string): boolean {
  const literal = pattern.split('*').map((part) => part.replace(/[$()*+.?[\\\]^{|}/-]/g, '\\$&'))
  return new RegExp(`^${literal.join('.*')}$`).test(address)
}
