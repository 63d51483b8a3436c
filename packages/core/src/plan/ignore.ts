import type { Actor } from '../actual/actual.ts'
import type { ResourceRef } from '../desired/desired.ts'
import { covers, parsePointer } from '../desired/pointer.ts'
import type { IgnoreRule } from './plan.ts'

/** The first rule that leaves out a difference of `ref` at `path` made by `actor`. */
export function ruleThatIgnores(
  rules: readonly IgnoreRule[],
  ref: ResourceRef,
  path: string,
  actor: Actor | undefined,
): IgnoreRule | undefined {
  return rules.find((rule) => concerns(rule, ref) && matchesPath(rule, path) && matchesActor(rule, actor))
}

/** Whether the rule speaks about this resource at all. */
function concerns(rule: IgnoreRule, ref: ResourceRef): boolean {
  return (
    (rule.group === undefined || rule.group === (ref.group ?? '')) &&
    (rule.kind === undefined || rule.kind === ref.kind) &&
    (rule.namespace === undefined || rule.namespace === (ref.namespace ?? '')) &&
    (rule.resource === undefined || rule.resource === ref.name)
  )
}

function matchesPath({ paths }: IgnoreRule, path: string): boolean {
  if (paths === undefined) return true
  const segments = parsePointer(path)
  return paths.some((pattern) => covers(parsePointer(pattern), segments))
}

function matchesActor({ actors }: IgnoreRule, actor: Actor | undefined): boolean {
  if (actors === undefined) return true
  return actor !== undefined && actor.confidence !== 'unknown' && actors.includes(actor.name)
}

/** The rule as a person would recognise it: its name, or what it says. */
export function ruleText(rule: IgnoreRule): string {
  if (rule.name !== undefined) return rule.name
  const about = [rule.group, rule.kind, rule.namespace, rule.resource].filter((part) => part !== undefined).join('/')
  const paths = rule.paths === undefined ? '' : ` at ${rule.paths.join(', ')}`
  const actors = rule.actors === undefined ? '' : ` by ${rule.actors.join(', ')}`
  return `ignore ${about === '' ? 'everything' : about}${paths}${actors}`
}
