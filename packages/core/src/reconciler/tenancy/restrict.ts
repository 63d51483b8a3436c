import type { DesiredState, ResourceRef } from '../../desired/desired.ts'
import { label } from '../../desired/ref.ts'
import type { Outcome } from '../../apply/outcome.ts'
import type { Plan } from '../../plan/plan.ts'
import type { RunCall } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { Target } from '../../target/target.ts'
import type { Application } from '../application.ts'
import { type Restrictions, assertRestrictions, brokenRule, isCovered } from './rules.ts'

const MAX_NAMED = 10

/**
 * An application that may touch only what the rules allow, whatever its repository declares.
 *
 * Source, target and dependencies are judged at once; everything declared, everything planned (prunes,
 * hooks and moves included) and once more everything about to be applied is judged resource by
 * resource. One violation refuses the whole run before anything is written: `TENANT_DENIED`, with the
 * rule in the message and the details. Throws `CONFIG_INVALID` for rules that cannot be meant.
 */
export function restrict<A extends Application>(application: A, rules: Restrictions): A {
  assertRestrictions(rules)
  const { name, source, target, dependsOn = [] } = application
  demand(name, 'sources', `the source ${source.id}`, isCovered(source.id, rules.sources))
  demand(name, 'targets', `the target ${target.id}`, isCovered(target.id, rules.targets))
  for (const dependency of dependsOn) demandDependency(name, dependency, rules)
  return { ...application, target: restrictTarget(name, target, rules) }
}

function restrictTarget(name: string, target: Target, rules: Restrictions): Target {
  return {
    kind: target.kind,
    id: target.id,
    contract: target.contract,
    supports: target.supports,
    declare: async (snapshot, call) => {
      for (const dependency of Object.keys(call.inputs)) demandDependency(name, dependency, rules)
      const desired = await target.declare(snapshot, call)
      demandRefs(name, declaredRefs(desired), rules)
      return desired
    },
    observe: (desired, owned, call) => target.observe(desired, owned, call),
    plan: async (desired, actual, request, call) => {
      const plan = await target.plan(desired, actual, request, call)
      demandRefs(name, plannedRefs(plan), rules)
      return plan
    },
    apply: (plan, desired, call) => applyAllowed(name, target, rules, plan, desired, call),
    assess: (desired, actual, call) => target.assess(desired, actual, call),
    // What a target lacks must stay absent: the engine asks by looking.
    ...(target.watch && { watch: (desired, owned, call) => target.watch!(desired, owned, call) }),
    ...(target.recover && { recover: (entry, call) => target.recover!(entry, call) }),
    ...(target.resolveSuspects && {
      resolveSuspects: (resolutions, call) => target.resolveSuspects!(resolutions, call),
    }),
    ...(target.outputs && { outputs: (desired, call) => target.outputs!(desired, call) }),
    ...(target[Symbol.asyncDispose] && { [Symbol.asyncDispose]: () => target[Symbol.asyncDispose]!() }),
  }
}

/** A plan may come from a store, so it is judged again where it is carried out. */
async function* applyAllowed(
  name: string,
  target: Target,
  rules: Restrictions,
  plan: Plan,
  desired: DesiredState,
  call: RunCall,
): AsyncIterable<Outcome> {
  demandRefs(name, plannedRefs(plan), rules)
  yield* target.apply(plan, desired, call)
}

function declaredRefs({ resources }: DesiredState): readonly ResourceRef[] {
  return resources.flatMap(({ ref, order }) => [ref, ...(order?.dependsOn ?? [])])
}

function plannedRefs({ changes }: Plan): readonly ResourceRef[] {
  return changes.flatMap(({ ref, from }) => (from === undefined ? [ref] : [ref, from]))
}

function demandRefs(name: string, refs: readonly ResourceRef[], rules: Restrictions): void {
  const denied = refs.flatMap((ref) => {
    const rule = brokenRule(ref, rules)
    return rule === undefined ? [] : [{ ref, rule }]
  })
  if (denied.length === 0) return
  const named = denied.slice(0, MAX_NAMED).map(({ ref, rule }) => `${label(ref)} (rule ${rule})`)
  const more = denied.length > MAX_NAMED ? ` and ${denied.length - MAX_NAMED} more` : ''
  throw new GitOpsError('TENANT_DENIED', `${name} may not touch ${named.join(', ')}${more}. Nothing was written.`, {
    details: { rule: denied[0]?.rule, denied: denied.slice(0, MAX_NAMED), count: denied.length },
  })
}

function demandDependency(name: string, dependency: string, rules: Restrictions): void {
  demand(name, 'dependencies', `the application ${dependency}`, isCovered(dependency, rules.dependencies ?? []))
}

function demand(name: string, rule: string, what: string, isAllowed: boolean): void {
  if (isAllowed) return
  throw new GitOpsError('TENANT_DENIED', `${name} may not use ${what} (rule ${rule}).`, { details: { rule } })
}
