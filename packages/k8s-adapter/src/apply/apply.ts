import { setMaxListeners } from 'node:events'
import {
  applyEach,
  type Change,
  type DesiredState,
  GitOpsError,
  label,
  type Outcome,
  type Plan,
  refKey,
  type Resource,
  type RunCall,
  stepsOf,
} from '@gitops-sdk/core'
import { isParent, widened } from '../declare/apply-set.ts'
import { needsOf, providedBy } from '../declare/precede.ts'
import { rankOf, stageOf } from '../declare/rank.ts'
import { applyOne, deleteOne, type Writing } from './write.ts'

/**
 * Applies the changes of a plan step by step, and inside a step in the order of kinds: definitions,
 * namespaces and classes first, admission webhooks last, then the deletions in the opposite order. One
 * that fails stops only what cannot be applied without it.
 */
export async function* applyObjects(
  plan: Plan,
  desired: DesiredState,
  call: RunCall,
  writing: Writing,
  concurrency: number,
): AsyncIterable<Outcome> {
  // Every write listens for the end of the run, and many run side by side: that is no leak.
  setMaxListeners(0, call.signal)
  const declared = new Map(desired.resources.map((each) => [refKey(each.ref), each]))
  let obstacle: Outcome | undefined
  for (const step of stepsOf(plan)) {
    if (obstacle !== undefined) {
      for (const change of step) yield skipped(change, obstacle)
      continue
    }
    for await (const outcome of applyStep(plan, step, declared, desired, call, writing, concurrency)) {
      if (outcome.status !== 'succeeded') obstacle ??= outcome
      yield outcome
    }
  }
}

async function* applyStep(
  plan: Plan,
  step: readonly Change[],
  declared: ReadonlyMap<string, Resource>,
  desired: DesiredState,
  call: RunCall,
  writing: Writing,
  concurrency: number,
): AsyncIterable<Outcome> {
  const lacking = new Map<string, Outcome>()
  const write = async (change: Change, wanted: Resource | undefined, within: RunCall): ReturnType<typeof applyOne> => {
    if (wanted === undefined) return (await deleteOne(change, writing, within), {})
    return applyOne(change, wanted, writing, within)
  }
  const parent = step.find((change) => narrows(change, step, declared))
  if (parent !== undefined) await widen(parent, step, declared, writing, call)
  for (const stage of stagesOf(step, parent)) {
    const possible: Change[] = []
    for (const change of stage) {
      const missing = needsOf(change).flatMap((need) => lacking.get(need) ?? [])[0]
      const isRemoval = change.action === 'delete' || change.action === 'forget'
      if (missing === undefined || isRemoval) possible.push(change)
      else yield skipped(change, missing)
    }
    for await (const outcome of applyEach({ ...plan, changes: sameStepFor(possible) }, desired, call, write, {
      concurrency,
    })) {
      const provider = declared.get(refKey(outcome.ref))
      const provided = provider && providedBy(provider)
      if (outcome.status !== 'succeeded' && provided !== undefined) lacking.set(provided, outcome)
      yield outcome
    }
  }
}

/** A stage is one step for `applyEach`, whatever step of the plan it came from. */
function sameStepFor(changes: readonly Change[]): Change[] {
  return changes.map((change) => ({ ...change, step: changes[0]!.step }))
}

/** Whether a change is of the parent of an ApplySet from which something is removed in the same step. */
function narrows(change: Change, step: readonly Change[], declared: ReadonlyMap<string, Resource>): boolean {
  const wanted = declared.get(refKey(change.ref))
  const isUpdate = change.action === 'update' && wanted !== undefined && isParent(wanted)
  return isUpdate && step.some(({ action }) => action === 'delete')
}

/** Before anything is made or removed the parent speaks for both; what it is to be in the end is written last. */
async function widen(
  parent: Change,
  step: readonly Change[],
  declared: ReadonlyMap<string, Resource>,
  writing: Writing,
  call: RunCall,
): Promise<void> {
  const removed = step.flatMap(({ action, ref }) => (action === 'delete' ? [ref] : []))
  try {
    await applyOne(parent, widened(declared.get(refKey(parent.ref))!, removed), writing, call)
  } catch (thrown) {
    call.log.warn(`${label(parent.ref)} could not be widened; its own outcome follows when it is narrowed.`, thrown)
  }
}

/** `last`, where there is one, comes after the removals. */
function stagesOf(step: readonly Change[], last: Change | undefined): readonly (readonly Change[])[] {
  const removals = step.filter(({ action }) => action === 'delete')
  const rest = step.filter((change) => change.action !== 'delete' && change !== last)
  return [
    ...staged(rest),
    ...staged(removals)
      .reverse()
      .map((stage) => [...stage].reverse()),
    ...(last === undefined ? [] : [[last]]),
  ]
}

function staged(changes: readonly Change[]): Change[][] {
  const stages: Change[][] = [[], [], [], []]
  for (const change of changes) stages[stageOf(change.ref)]!.push(change)
  for (const stage of stages) stage.sort((left, right) => rankOf(left.ref) - rankOf(right.ref))
  return stages.filter((stage) => stage.length > 0)
}

function skipped({ ref, action }: Change, obstacle: Outcome): Outcome {
  const message = `${label(ref)} was not begun because ${label(obstacle.ref)} did not succeed.`
  return { ref, action, status: 'skipped', error: new GitOpsError('APPLY_FAILED', message, { cause: obstacle.error }) }
}
