import {
  type Blocked,
  type Change,
  type Drift,
  type FieldChange,
  type Ignored,
  type IgnoreRule,
  label,
  type ResourceRef,
  ruleText,
  ruleThatIgnores,
} from '@gitops-sdk/core'
import type { Verdict } from './verdict.ts'

/** A verdict without what rules leave out, and what they left out. */
export interface Sifted {
  readonly changes: readonly Change[]
  readonly drift: readonly Drift[]
  readonly ignored: readonly Ignored[]
  /** Why the rest is not applied: a plan of the binary cannot be taken apart. */
  readonly blocked: readonly Blocked[]
}

/**
 * Leaves out the differences that rules ignore. Updates of which nothing else is left are not made; where something
 * else is to be done, applying it would undo them as well, so nothing is applied and the reason says how to go on.
 */
export function sift({ changes, drift }: Pick<Verdict, 'changes' | 'drift'>, rules: readonly IgnoreRule[]): Sifted {
  if (rules.length === 0) return { changes, drift, ignored: [], blocked: [] }
  const found = new Map<string, Ignored>()
  const keep = (ref: ResourceRef, fields: readonly FieldChange[]): readonly FieldChange[] =>
    fields.filter((field) => {
      const rule = ruleThatIgnores(rules, ref, field.path, field.actor)
      if (rule !== undefined) found.set(`${label(ref)} ${field.path}`, { ref, path: field.path, rule: ruleText(rule) })
      return rule === undefined
    })
  const left = changes.flatMap((change) => remaining(change, keep) ?? [])
  const moved = drift.flatMap((each) => withFields(each, keep(each.ref, each.fields)) ?? [])
  const ignored = [...found.values()]
  const isIdle = left.every(({ cause }) => cause === 'dependency')
  if (isIdle && left.length < changes.length) return { changes: [], drift: moved, ignored, blocked: [] }
  const blocked = changes.flatMap((change) => undoing(change, ignored) ?? [])
  return { changes: blocked.length > 0 ? [] : changes, drift: moved, ignored, blocked }
}

type Keep = (ref: ResourceRef, fields: readonly FieldChange[]) => readonly FieldChange[]

/** Absent when nothing is left of an update. What is known only later is no difference of its own. */
function remaining(change: Change, keep: Keep): Change | undefined {
  if (change.action !== 'update') return change
  const known = change.fields.filter(({ unknown }) => unknown !== true)
  const kept = keep(change.ref, known)
  return kept.length === 0 && known.length > 0 ? undefined : change
}

function withFields(drift: Drift, fields: readonly FieldChange[]): Drift | undefined {
  return drift.kind === 'modified' && fields.length === 0 ? undefined : { ...drift, fields }
}

function undoing({ ref, action }: Change, ignored: readonly Ignored[]): Blocked | undefined {
  if (action !== 'update') return undefined
  const own = ignored.find((each) => label(each.ref) === label(ref))
  if (own === undefined) return undefined
  const attribute = own.path.split('/')[1] ?? ''
  const message = `The plan would also change ${own.path} of ${label(ref)}, which the rule "${own.rule}" leaves alone, and it is applied only as a whole. Declare \`lifecycle { ignore_changes = [${attribute}] }\` in the module, apply the others with \`only\`, or take the rule away.`
  return { ref, action, rule: 'ignored-difference', message }
}
