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
  toGitOpsError,
} from '@gitops-sdk/core'
import { needsOf, providedBy } from '../declare/precede.ts'
import { rankOf, stageOf } from '../declare/rank.ts'
import { type ParentKeeper, parentKeeper } from './apply-set.ts'
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
  const keeper = parentKeeper(plan, desired, writing, call)
  const applying: Applying = { plan, declared, desired, call, writing, concurrency, keeper }
  let obstacle: Outcome | undefined
  for (const step of stepsOf(plan)) {
    if (obstacle !== undefined) {
      for (const change of step) yield skipped(change, obstacle)
      continue
    }
    for await (const outcome of applyStep(step, applying)) {
      if (outcome.status !== 'succeeded') obstacle ??= outcome
      yield outcome
    }
  }
  await keeper?.narrow()
}

interface Applying {
  readonly plan: Plan
  readonly declared: ReadonlyMap<string, Resource>
  readonly desired: DesiredState
  readonly call: RunCall
  readonly writing: Writing
  readonly concurrency: number
  readonly keeper: ParentKeeper | undefined
}

async function* applyStep(
  step: readonly Change[],
  { plan, declared, desired, call, writing, concurrency, keeper }: Applying,
): AsyncIterable<Outcome> {
  const lacking = new Map<string, Outcome>()
  const write = async (change: Change, wanted: Resource | undefined, within: RunCall): ReturnType<typeof applyOne> => {
    if (wanted === undefined) return (await deleteOne(change, writing, within), {})
    return applyOne(change, wanted, writing, within)
  }
  for (const stage of stagesOf(step)) {
    const uncovered = await problemOf(keeper, stage)
    if (uncovered !== undefined) {
      for (const { ref, action } of stage) yield { ref, action, status: 'skipped', error: uncovered }
      continue
    }
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

/** Why nothing of a stage may be written yet. What makes other objects possible may make the parent possible as well. */
async function problemOf(keeper: ParentKeeper | undefined, stage: readonly Change[]): Promise<GitOpsError | undefined> {
  try {
    await keeper?.cover(stage.every(({ ref }) => stageOf(ref) === 0))
    return undefined
  } catch (thrown) {
    return toGitOpsError(thrown, 'Writing the parent of the ApplySet')
  }
}

function stagesOf(step: readonly Change[]): readonly (readonly Change[])[] {
  const removals = step.filter(({ action }) => action === 'delete')
  const rest = step.filter(({ action }) => action !== 'delete')
  return [
    ...staged(rest),
    ...staged(removals)
      .reverse()
      .map((stage) => [...stage].reverse()),
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
