import type { Blocker } from '../feedback/events.ts'
import type { ApplicationState } from '../feedback/state.ts'
import type { Inputs, Outputs } from '../runtime/call.ts'
import type { Engine } from './engine.ts'
import type { Member } from './member.ts'
import { secretsIn } from './outputs.ts'

/** What the applications it depends on have published. What of it is sensitive is taken out of all it says from now on. */
export function gatherInputs({ members }: Engine, { application, redactor }: Member): Inputs {
  const inputs: Record<string, Outputs> = {}
  for (const name of application.dependsOn ?? []) {
    const outputs = members.get(name)?.outputs
    if (outputs !== undefined && Object.keys(outputs).length > 0) inputs[name] = outputs
  }
  for (const secret of secretsIn(inputs)) redactor.add(secret)
  return inputs
}

/** The first dependency that is not ready, or nothing. */
export function dependencyBlocker(engine: Engine, { application }: Member): Blocker | undefined {
  for (const name of application.dependsOn ?? []) {
    const dependency = engine.members.get(name)
    const state = engine.feedback.state(name)
    if (engine.share?.isReady(name) === true) continue
    const isHere = engine.share === undefined && dependency !== undefined && state !== undefined
    if (isHere && isReadyHere(engine, dependency, state)) continue
    const message = `Waits for the application ${name} to become ready.`
    return { kind: 'dependency', name, message }
  }
  return undefined
}

/** Ready and healthy at its newest revision, or what the application itself says. One that throws is not ready. */
export function isReadyHere({ call }: Engine, { application, name }: Member, state: ApplicationState): boolean {
  const { ready = isReadyByDefault } = application
  try {
    return ready(state)
  } catch (error) {
    call.log.warn(`The ready function of ${name} failed, so it is not ready.`, error)
    return false
  }
}

/** Drift, and what was left alone on purpose, keep nobody waiting; not knowing does. */
function isReadyByDefault({ alignment, health, ready, revision, hold }: ApplicationState): boolean {
  const wanted = hold?.revision ?? revision
  return alignment !== 'unknown' && health === 'healthy' && ready !== undefined && ready.id === wanted?.id
}

/** Puts the applications that depend on `name` in the queue. */
export function wakeDependents({ members, queue, share }: Engine, name: string): void {
  // Together with the completion, wherever they are worked on.
  if (share !== undefined) return
  for (const dependent of members.dependentsOf(name)) queue.add(dependent.name, { trigger: 'dependency' })
}
