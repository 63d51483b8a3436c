import type { ActualState } from '../actual/actual.ts'
import type { DesiredState, Resource, ResourceRef } from '../desired/desired.ts'
import { hooksOf, resourcesByKey } from '../desired/by-key.ts'
import { refKey } from '../desired/ref.ts'
import type { Comparison, PlanByDiffOptions, Verdict } from './comparison.ts'
import { fingerprintOf } from './fingerprint.ts'
import { judgeHook } from './judge-hook.ts'
import { asItShouldBe, judgeDeclared } from './judge-declared.ts'
import { judgeExtraneous, judgeOwned } from './judge-owned.ts'
import type { Plan, PlanRequest } from './plan.ts'
import { arrange, type Draft } from './steps.ts'

/**
 * Plans a per-resource target by comparing bodies: what to create, update, replace, adopt, delete and
 * forget, in order, and everything that was left out with the rule that did it.
 *
 * Pure. Nothing is deleted that `request.owned` does not hold, whose identity changed, that another
 * application claims, or when part of the actual state could not be read. Throws `DEPENDENCY_CYCLE`
 * and `DEPENDENCY_UNKNOWN` for orders that cannot be kept.
 */
export function planByDiff(
  desired: DesiredState,
  actual: ActualState,
  request: PlanRequest,
  options: PlanByDiffOptions = {},
): Plan {
  const declared = resourcesByKey(desired.resources)
  const previous = resourcesByKey(request.previous?.resources ?? [])
  const comparison: Comparison = { desired, actual, request, options, declared, previous }
  const verdicts = judgeAll(comparison)
  const drafts = verdicts.flatMap(({ change }) => change ?? [])
  const hooks = judgeHooks(comparison, drafts)
  return assemble(comparison, [...verdicts, ...hooks])
}

function judgeAll(comparison: Comparison): Verdict[] {
  const { actual, request, declared } = comparison
  const selected = selection(request)
  const verdicts: Verdict[] = []
  let declaredAndOwned = 0
  let declaredAndThere = 0
  for (const [key, each] of request.mode === 'destroy' ? [] : declared) {
    const found = actual.resources.get(key)
    const owned = request.owned.get(key)
    if (owned !== undefined) declaredAndOwned++
    if (found !== undefined) declaredAndThere++
    if (each.order?.hook !== undefined || !selected(each.ref)) continue
    const verdict = judgeDeclared({ key, declared: each, found, owned }, comparison)
    if (verdict !== asItShouldBe) verdicts.push(verdict)
  }
  // Mostly all that is owned or there is declared: then nobody has to look for what is not.
  if (declaredAndOwned < request.owned.size) verdicts.push(...judgeAllOwned(comparison, selected))
  if (declaredAndThere < actual.resources.size) verdicts.push(...judgeAllExtraneous(comparison, selected))
  return verdicts
}

function judgeAllOwned(comparison: Comparison, selected: Selection): Verdict[] {
  const { request, declared } = comparison
  const verdicts: Verdict[] = []
  for (const [key, owned] of request.owned) {
    if (selected(owned.ref) && !isWanted(declared.get(key), request)) verdicts.push(judgeOwned(owned, comparison))
  }
  return verdicts
}

function judgeAllExtraneous({ actual, request, declared }: Comparison, selected: Selection): Verdict[] {
  const verdicts: Verdict[] = []
  for (const [key, found] of actual.resources) {
    if (declared.has(key) || request.owned.has(key) || !selected(found.ref)) continue
    verdicts.push(judgeExtraneous(found, request))
  }
  return verdicts
}

/** Whether what is declared stays: everything when converging, only the hooks of a deletion when destroying. */
function isWanted(declared: Resource | undefined, { mode }: PlanRequest): boolean {
  if (declared === undefined) return false
  return mode !== 'destroy' || (declared.order?.hook !== undefined && runsIn(declared, mode))
}

type Selection = (ref: ResourceRef) => boolean

function selection({ only }: PlanRequest): Selection {
  if (only === undefined) return () => true
  const keys = new Set(only.map(refKey))
  return (ref) => keys.has(refKey(ref))
}

function judgeHooks(comparison: Comparison, drafts: readonly Draft[]): Verdict[] {
  const { desired, request } = comparison
  const writes = drafts.filter((draft) => draft.action !== 'forget')
  const driftOnly = writes.every((draft) => draft.cause === 'drift')
  const wanted = request.hooks ?? (!driftOnly && request.only === undefined)
  const isIdle = writes.length === 0 && request.hooks !== true
  if (!wanted || isIdle || request.mode === 'accept-drift') return []
  return hooksOf(desired.resources)
    .filter((each) => runsIn(each, request.mode))
    .map((each) => judgeHook(each, comparison))
}

function runsIn({ order }: Resource, mode: PlanRequest['mode']): boolean {
  const onDelete = order?.phase === 'PreDelete' || order?.phase === 'PostDelete'
  return onDelete === (mode === 'destroy')
}

function assemble(comparison: Comparison, verdicts: readonly Verdict[]): Plan {
  const { desired, actual, request } = comparison
  const drafts = request.mode === 'accept-drift' ? [] : verdicts.flatMap(({ change }) => change ?? [])
  const changes = arrange(drafts, { desired, previous: request.previous, mode: request.mode })
  const drift = verdicts.flatMap((verdict) => verdict.drift ?? [])
  const unfinished: Omit<Plan, 'fingerprint'> = {
    application: request.application,
    revision: desired.revision,
    mode: request.mode,
    effect: changes.length === 0 ? 'none' : 'changes',
    complete: actual.complete && actual.unknown.size === 0 && request.only === undefined,
    changes,
    drift: request.mode === 'accept-drift' ? drift.map((each) => ({ ...each, healed: false })) : drift,
    ignored: verdicts.flatMap(({ ignored }) => ignored ?? []),
    blocked: verdicts.flatMap(({ blocked }) => blocked ?? []),
    warnings: desired.warnings ?? [],
    basis: { digest: desired.digest, version: actual.version },
  }
  return { ...unfinished, fingerprint: fingerprintOf(unfinished, request.seal) }
}
