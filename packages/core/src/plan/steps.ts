import { resourcesByKey, resourcesWithOrder } from '../desired/by-key.ts'
import type { DesiredState, Phase, Resource, ResourceRef } from '../desired/desired.ts'
import { compareRefs, label, refKey } from '../desired/ref.ts'
import { GitOpsError } from '../runtime/errors.ts'
import { extend } from '../runtime/extend.ts'
import type { Change, PlanMode, Step } from './plan.ts'

/** A change that has no step yet. */
export type Draft = Omit<Change, 'step'>

const convergeOrder: readonly Phase[] = ['PreSync', 'Sync', 'PostSync', 'SyncFail', 'PreDelete', 'PostDelete']
const destroyOrder: readonly Phase[] = ['PreDelete', 'PreSync', 'Sync', 'PostSync', 'SyncFail', 'PostDelete']

/** The changes of a plan, one list for each step, in the order the steps run. */
export function stepsOf(plan: { readonly changes: readonly Change[] }): readonly (readonly Change[])[] {
  const steps: Change[][] = []
  for (const change of plan.changes) {
    const current = steps.at(-1)
    if (current !== undefined && sameStep(current[0]!.step, change.step)) current.push(change)
    else steps.push([change])
  }
  return steps
}

/** Whether two changes belong to the same step. */
export function sameStep(left: Step, right: Step): boolean {
  return left.phase === right.phase && left.wave === right.wave && (left.level ?? 0) === (right.level ?? 0)
}

/** What a step is called: `Sync wave 2`. */
export function stepText({ phase, wave, level = 0 }: Step): string {
  return `${phase} wave ${wave}${level > 0 ? `.${level}` : ''}`
}

/** The step of everything that is declared, or nothing where it all belongs to one. Throws as `arrange` does. */
export function declaredSteps(resources: readonly Resource[]): ((ref: ResourceRef) => Step) | undefined {
  const steps = stepsByKey(resources)
  return steps.size === 0 ? undefined : (ref) => steps.get(refKey(ref)) ?? firstStep
}

/** Whether `left` runs before `right` when converging. */
export function isEarlier(left: Step, right: Step): boolean {
  return compareSteps(left, right) < 0
}

/** What is and was declared: the orders of changes come from there. */
export interface Orders {
  readonly desired: Pick<DesiredState, 'resources'>
  readonly previous: Pick<DesiredState, 'resources'> | undefined
  readonly mode: PlanMode
}

/** Gives every change its step and puts them in order. Throws as `stepsByKey` does. */
export function arrange(drafts: readonly Draft[], { desired, previous, mode }: Orders): Change[] {
  if (drafts.length === 0) return []
  const declared = resourcesByKey(desired.resources)
  const declaredBefore = resourcesByKey(previous?.resources ?? [])
  const steps = stepsByKey(desired.resources)
  const isPrune = (draft: Draft): boolean => draft.action === 'delete' && draft.hook === undefined
  const prunes = drafts.filter(isPrune)
  const stepsBefore = prunes.length === 0 ? steps : stepsByKey(previous?.resources ?? [])
  // What is declared has the order it declares now, if any; only what is gone keeps the one it had.
  const stepOf = ({ ref }: Draft): Step => {
    const key = refKey(ref)
    return steps.get(key) ?? (declared.has(key) ? firstStep : (stepsBefore.get(key) ?? firstStep))
  }
  const isLast = ({ ref }: Draft): boolean =>
    (declared.get(refKey(ref)) ?? declaredBefore.get(refKey(ref)))?.order?.pruneLast === true
  const made = drafts.filter((draft) => !isPrune(draft)).map((draft) => extend(draft, { step: stepOf(draft) }))
  const phases = mode === 'destroy' ? destroyOrder : convergeOrder
  return [...made, ...mirrorPrunes(prunes, stepOf, isLast, made)].sort(byStep(phases))
}

const firstStep: Step = { phase: 'Sync', wave: 0 }

function byStep(phases: readonly Phase[]): (left: Change, right: Change) => number {
  return (left, right) =>
    phases.indexOf(left.step.phase) - phases.indexOf(right.step.phase) ||
    left.step.wave - right.step.wave ||
    (left.step.level ?? 0) - (right.step.level ?? 0) ||
    compareRefs(left.ref, right.ref)
}

/** What was made first is removed last: the steps that hold prunes swap places, the first with the last. */
function mirrorPrunes(
  prunes: readonly Draft[],
  stepOf: (draft: Draft) => Step,
  isLast: (draft: Draft) => boolean,
  made: readonly Change[],
): Change[] {
  const ordinary = mirrored(
    prunes.filter((draft) => !isLast(draft)),
    stepOf,
  )
  const wave = waveAfter([...made, ...ordinary])
  const last = mirrored(prunes.filter(isLast), stepOf)
  const steps = distinctSteps(last)
  const levelOf = (step: Step): number => steps.findIndex((each) => sameStep(each, step))
  return [...ordinary, ...last.map((change) => ({ ...change, step: syncStep(wave, levelOf(change.step)) }))]
}

function waveAfter(changes: readonly Change[]): number {
  const highest = (found: number, { step }: Change): number =>
    step.phase === 'Sync' ? Math.max(found, step.wave) : found
  const wave = changes.reduce(highest, -Infinity)
  return Number.isFinite(wave) ? wave + 1 : 0
}

function mirrored(prunes: readonly Draft[], stepOf: (draft: Draft) => Step): Change[] {
  const planned = prunes.map((draft) => extend(draft, { step: { ...stepOf(draft), phase: 'Sync' as const } }))
  const steps = distinctSteps(planned)
  return planned.map((change) => {
    const position = steps.findIndex((step) => sameStep(step, change.step))
    return { ...change, step: steps[steps.length - 1 - position]! }
  })
}

function distinctSteps(changes: readonly Change[]): Step[] {
  const sorted = changes.map(({ step }) => step).sort((left, right) => compareSteps(left, right))
  return sorted.filter((step, index) => index === 0 || !sameStep(step, sorted[index - 1]!))
}

function compareSteps(left: Step, right: Step): number {
  return (
    convergeOrder.indexOf(left.phase) - convergeOrder.indexOf(right.phase) ||
    left.wave - right.wave ||
    (left.level ?? 0) - (right.level ?? 0)
  )
}

function syncStep(wave: number, level: number): Step {
  return level > 0 ? { phase: 'Sync', wave, level } : { phase: 'Sync', wave }
}

/**
 * The step of every resource that declares an order. A resource comes after everything it depends on:
 * a later level of the same wave, or the wave of the dependency where that is later.
 *
 * Throws `DEPENDENCY_CYCLE`, naming the path, and `DEPENDENCY_UNKNOWN` for what is not declared.
 */
function stepsByKey(resources: readonly Resource[]): ReadonlyMap<string, Step> {
  const steps = new Map<string, Step>()
  const ordered = resourcesWithOrder(resources)
  if (ordered.length === 0) return steps
  const all = resourcesByKey(resources)
  for (const each of ordered) stepAfter(each, { all, steps, path: [] })
  return steps
}

interface Visit {
  readonly all: ReadonlyMap<string, Resource>
  readonly steps: Map<string, Step>
  /** The resources whose dependencies are being followed, outermost first. */
  readonly path: readonly ResourceRef[]
}

function stepAfter(each: Resource, visit: Visit): Step {
  const key = refKey(each.ref)
  const known = visit.steps.get(key)
  if (known !== undefined) return known
  const path = [...visit.path, each.ref]
  if (visit.path.some((ref) => refKey(ref) === key)) throw cycle(path)
  let step: Step = { phase: each.order?.phase ?? 'Sync', wave: each.order?.wave ?? 0 }
  for (const ref of each.order?.dependsOn ?? []) {
    const dependency = visit.all.get(refKey(ref))
    if (dependency === undefined) throw unknownDependency(each.ref, ref)
    const before = stepAfter(dependency, { ...visit, path })
    if (compareSteps(before, step) >= 0) step = { ...before, level: (before.level ?? 0) + 1 }
  }
  visit.steps.set(key, step)
  return step
}

function cycle(path: readonly ResourceRef[]): GitOpsError {
  const closed = path.slice(path.findIndex((ref) => refKey(ref) === refKey(path.at(-1)!)))
  const text = closed.map(label).join(' → ')
  return new GitOpsError(
    'DEPENDENCY_CYCLE',
    `Resources depend on each other in a circle: ${text}. Remove one dependency.`,
    {
      details: { path: closed.map(refKey) },
    },
  )
}

function unknownDependency(from: ResourceRef, to: ResourceRef): GitOpsError {
  const message = `${label(from)} depends on ${label(to)}, which is not declared. Declare it or remove the dependency.`
  return new GitOpsError('DEPENDENCY_UNKNOWN', message, { details: { from: refKey(from), to: refKey(to) } })
}
