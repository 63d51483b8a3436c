import type { ActualResource } from '../actual/actual.ts'
import { observeEach } from '../actual/observe-each.ts'
import { applyEach, type Written } from '../apply/each.ts'
import type { Resource, ResourceRef } from '../desired/desired.ts'
import { label, refKey } from '../desired/ref.ts'
import { assessEach, type Judge } from '../feedback/assess-each.ts'
import { planByDiff } from '../plan/by-diff.ts'
import type { PlanByDiffOptions } from '../plan/comparison.ts'
import { keepIgnored } from '../plan/keep-ignored.ts'
import type { Change, Plan } from '../plan/plan.ts'
import { type Outputs, type RunCall, throwIfAborted } from '../runtime/call.ts'
import { GitOpsError } from '../runtime/errors.ts'
import type { JsonObject } from '../runtime/json.ts'
import { perResource, type Target, type TargetSupports } from '../target/target.ts'
import { declareFiles } from './memory-declare.ts'
import { actorIn, actorsThatStay, type LiveResource, type MemorySystem, memorySystem } from './memory-system.ts'

/** What the memory target does to the system, one call each. */
export type MemoryOperation = 'observe' | 'read' | 'write' | 'remove' | 'assess'

/** What a memory target is made of. */
export interface MemoryTargetOptions {
  /** @defaultValue 'memory' */
  readonly id?: string
  /** The system it manages. Give the same one to a second target to play a restart or a second application. @defaultValue a new one */
  readonly system?: MemorySystem
  /** The folder of the snapshot that holds the declarations. @defaultValue the root */
  readonly path?: string
  /** Fills values of other applications into a body. @defaultValue the body as it is */
  readonly render?: (body: JsonObject, call: RunCall) => JsonObject
  /** The health of what is there. @defaultValue healthy */
  readonly health?: Judge
  /** Runs before an operation: wait here for latency, throw for a refusal. */
  readonly before?: (operation: MemoryOperation, ref: ResourceRef | undefined, call: RunCall) => Promise<void> | void
  /** Runs after an operation took effect: throw here for an answer that is lost. */
  readonly after?: (operation: MemoryOperation, ref: ResourceRef | undefined, call: RunCall) => Promise<void> | void
  /** What planning knows about the resources. */
  readonly plan?: PlanByDiffOptions
  readonly outputs?: (live: ReadonlyMap<string, LiveResource>) => Outputs
  readonly supports?: Partial<TargetSupports>
  /** Writes side by side. @defaultValue 8 */
  readonly concurrency?: number
}

/** How often the target was asked and how often it wrote. */
export interface MemoryCounts {
  declare: number
  observe: number
  /** Single resources read. */
  read: number
  plan: number
  /** Resources written or removed. */
  write: number
  assess: number
}

/** A target over a map, for tests and demos. */
export interface MemoryTarget extends Target {
  readonly system: MemorySystem
  /** What is there, by `refKey`. Change it to play drift; `system.edit` also tells whoever watches. */
  readonly live: Map<string, LiveResource>
  readonly counts: MemoryCounts
}

/** A per-resource target whose managed system is a map. It claims what it writes for the application. */
export function memoryTarget(options: MemoryTargetOptions = {}): MemoryTarget {
  const { system = memorySystem(), path = '', render } = options
  const declare = declareFiles({ path, render })
  const counts: MemoryCounts = { declare: 0, observe: 0, read: 0, plan: 0, write: 0, assess: 0 }
  const target: MemoryTarget = {
    kind: 'memory',
    id: options.id ?? 'memory',
    contract: 1,
    supports: { ...perResource, ...options.supports },
    system,
    live: system.live,
    counts,
    async declare(snapshot, call) {
      counts.declare++
      return declare(snapshot, call)
    },
    async observe(desired, owned, call) {
      counts.observe++
      await around(options, 'observe', undefined, call, () => undefined)
      return observeEach(desired, owned, call, async (ref) => {
        counts.read++
        const found = await around(options, 'read', ref, call, () => system.live.get(refKey(ref)))
        return found && asActual(found)
      })
    },
    async plan(desired, actual, request) {
      counts.plan++
      return planByDiff(desired, actual, request, options.plan)
    },
    apply(plan, desired, call) {
      const write = (change: Change, declared: Resource | undefined): Promise<Written | void> => {
        counts.write++
        return declared === undefined
          ? remove(system, change, call, options)
          : put(system, plan, change, declared, call, options)
      }
      return applyEach(plan, desired, call, write, { concurrency: options.concurrency ?? 8 })
    },
    async assess(desired, actual, call) {
      counts.assess++
      await around(options, 'assess', undefined, call, () => undefined)
      return assessEach(desired, actual, options.health ?? (() => 'healthy'))
    },
    async *watch(_desired, _owned, call) {
      yield* system.changed.listen(call.signal)
    },
  }
  const { outputs } = options
  return outputs === undefined ? target : { ...target, outputs: async () => outputs(system.live) }
}

async function around<T>(
  { before, after }: MemoryTargetOptions,
  operation: MemoryOperation,
  ref: ResourceRef | undefined,
  call: RunCall,
  act: () => T,
): Promise<T> {
  throwIfAborted(call)
  // Waiting for nothing takes a turn too, twice for each resource.
  if (before !== undefined) {
    await before(operation, ref, call)
    throwIfAborted(call)
  }
  const result = act()
  if (after !== undefined) await after(operation, ref, call)
  return result
}

/** What nobody edited is given as it is kept: it never changes, and copying all of it is a good part of a look. */
function asActual(live: LiveResource): ActualResource {
  if (live.actors === undefined) return live
  const { actors, ...found } = live
  return { ...found, actorOf: (pointer) => actorIn(actors, pointer) }
}

function put(
  system: MemorySystem,
  plan: Plan,
  change: Change,
  declared: Resource,
  call: RunCall,
  options: MemoryTargetOptions,
): Promise<Written> {
  return around(options, 'write', change.ref, call, () => {
    const before = whatIsThere(system, change, call)
    if (before === undefined && change.uid !== undefined) throw stale(change, 'is gone')
    const { ref, sensitive } = declared
    const body = before === undefined ? declared.body : keepIgnored(plan, declared, before.body)
    const { uid, version } = system.put({
      ref,
      body,
      owner: call.application,
      ...(body === declared.body && { digest: declared.digest }),
      ...(before?.uid !== undefined && { uid: before.uid }),
      ...(before?.actors && { actors: actorsThatStay(before, body) }),
      ...(sensitive && { sensitive }),
    })
    return { ...(uid !== undefined && { uid }), ...(version !== undefined && { version }) }
  })
}

function remove(system: MemorySystem, change: Change, call: RunCall, options: MemoryTargetOptions): Promise<void> {
  return around(options, 'remove', change.ref, call, () => {
    if (whatIsThere(system, change, call) !== undefined) system.remove(change.ref)
  })
}

/** What a change meets. Throws when the writer is not the newest, or when it is not what was planned against. */
function whatIsThere(system: MemorySystem, change: Change, call: RunCall): LiveResource | undefined {
  refuseOlderWriter(system, call)
  const found = system.live.get(refKey(change.ref))
  if (found === undefined) return undefined
  if (found.owner !== undefined && found.owner !== call.application) {
    throw new GitOpsError('APPLY_CONFLICT', `${label(change.ref)} belongs to the application ${found.owner}.`)
  }
  const moved = (planned?: string, there?: string): boolean =>
    planned !== undefined && there !== undefined && planned !== there
  if (moved(change.uid, found.uid) || moved(change.version, found.version)) {
    throw stale(change, 'changed')
  }
  return found
}

/** What is made in place of another identity would have one that nobody wrote down: after a crash it would be nobody's. */
function stale({ ref }: Change, what: string): GitOpsError {
  return new GitOpsError('PLAN_STALE', `${label(ref)} ${what} since the plan was made.`)
}

function refuseOlderWriter({ tokens }: MemorySystem, { application, fence }: RunCall): void {
  if (fence === undefined) return
  const newest = tokens.get(application) ?? 0
  if (fence.token < newest) {
    throw new GitOpsError(
      'LEDGER_FENCED',
      `A newer process writes for ${application} (token ${newest}, not ${fence.token}).`,
    )
  }
  tokens.set(application, fence.token)
}
