import {
  type ActualChange,
  type ActualState,
  type DesiredState,
  GitOpsError,
  type Inventory,
  type JsonObject,
  randomId,
  type Renderer,
  type Outcome,
  type Plan,
  type PlanRequest,
  refKey,
  type Resource,
  type RunCall,
  type Snapshot,
  type Target,
  throwIfAborted,
  type Variables,
} from '@gitops-sdk/core'
import { applyObjects } from '../apply/apply.ts'
import type { ConflictPolicy } from '../apply/conflict.ts'
import { overtaken, writeFence } from '../apply/fence.ts'
import type { Writing } from '../apply/write.ts'
import { assessObjects } from '../assess/assess.ts'
import { placeOf } from '../client/objects.ts'
import { declareObjects, type FormedBodies } from '../declare/declare.ts'
import { filesRenderer } from '../declare/files.ts'
import type { NamespacePolicy } from '../declare/policy.ts'
import type { ScopeLookup } from '../declare/scope.ts'
import { changes } from '../observe/changes.ts'
import { type IsStranger, type StrictOptions, strangerRule } from '../observe/extras.ts'
import type { Sight } from '../observe/cache.ts'
import { actualFrom, claimOf, type Verified, wantedFor } from '../observe/observe.ts'
import { CLAIM } from '../observe/seen.ts'
import { TOKEN } from '../observe/token.ts'
import { type Inspection, inspect } from '../plan/inspect.ts'
import { planObjects } from '../plan/plan.ts'
import { type ClusterOptions, clusterParts, type KubernetesCluster, kubernetesCluster } from './cluster.ts'
import { type OutputSource, readOutputs } from './outputs.ts'

/** Kinds that are not pruned unless it is asked for: with them goes what nobody declared. */
export const protectedKinds: readonly string[] = [
  'Namespace',
  'CustomResourceDefinition',
  'PersistentVolume',
  'PersistentVolumeClaim',
]

/** What a Kubernetes target is made of. */
export interface KubernetesTargetOptions {
  /** Names this installation in the claims on objects, such as the id of a tenant. No slash and no space. */
  readonly owner: string
  /** The folder or file of the snapshot that holds the declarations. @defaultValue the root */
  readonly path?: string
  /** @defaultValue plain files */
  readonly renderer?: Renderer
  /**
   * Fills `${name}` in declarations. `outputOf(application, name)` stands for an output of another application; a
   * function receives all of them in `call.inputs`. Where a secret stands is redacted in every plan.
   */
  readonly variables?: Variables | ((call: RunCall) => Variables)
  readonly namespaces?: NamespacePolicy
  /** What happens when other managers own declared fields. @defaultValue 'heal' */
  readonly conflicts?: ConflictPolicy
  /**
   * Whether fields that others added to our objects are drift, and removed when drift is healed: a container that
   * somebody injected, a label. Not those of subresources (status, scale), finalizers and owners, nor what the
   * controllers of Kubernetes write (`kubernetesControllers`, or the managers in `allow`). Writing a change then costs
   * a read more. @defaultValue false: only what is declared is compared
   */
  readonly strict?: boolean | StrictOptions
  /** Kinds that are never pruned. @defaultValue `protectedKinds` */
  readonly protectedKinds?: readonly string[]
  /**
   * Marks what is applied as an ApplySet (KEP-3659) with a Secret of its own as the parent, for tools that list
   * ApplySets. @defaultValue false
   */
  readonly applySet?: boolean
  /** What becomes of the children of what is deleted. @defaultValue 'Background' */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan'
  /** How long a deletion, or a definition, may take inside one write. @defaultValue 10_000 */
  readonly settleMs?: number
  /** Values published for other applications, by name. */
  readonly outputs?: Readonly<Record<string, OutputSource>>
  /** @defaultValue 10_000 */
  readonly maxObjects?: number
}

/** A cluster, shared or of its own. */
export type KubernetesTargetCluster =
  | { readonly cluster: KubernetesCluster }
  | ({ readonly cluster?: never } & ClusterOptions)

/**
 * A Kubernetes cluster as a target: server-side apply, drift found by watching without asking, health by
 * kstatus. Give many targets one `kubernetesCluster(...)` and they share its connections and watches.
 *
 * Throws `CONFIG_INVALID` at once for options that cannot work.
 */
export function kubernetesTarget(options: KubernetesTargetOptions & KubernetesTargetCluster): Target {
  checkOwner(options.owner)
  const cluster = options.cluster ?? kubernetesCluster(options)
  const isStranger = strangerRule(options.strict)
  const session: Session = {
    options,
    cluster,
    renderer: options.renderer ?? filesRenderer(),
    formed: new WeakMap(),
    isStranger,
    verified: new Map(),
    holders: new Map(),
  }
  return {
    kind: 'kubernetes',
    id: `kubernetes ${cluster.id}`,
    contract: 1,
    supports: {
      granularity: 'resource',
      observe: 'cheap',
      prune: true,
      destroy: true,
      acceptDrift: false,
      ordering: true,
    },
    declare: (snapshot, call) => declare(session, snapshot, call),
    observe: (desired, owned, call) => observe(session, desired, owned, call),
    plan: (desired, actual, request, call) => plan(session, desired, actual, request, call),
    apply: (given, desired, call) => apply(session, given, desired, call),
    assess: async (desired, actual) => assessObjects(desired, actual),
    watch: (desired, owned, call) => watch(session, desired, owned, call),
    // Applying again is harmless and deleting names the identity: nothing has to be found out first.
    recover: async () => ({ status: 'clean', suspects: [], actions: [] }),
    outputs: async (_desired, call) =>
      readOutputs(options.outputs ?? {}, options.namespaces ?? {}, await clusterParts(cluster), call),
    async [Symbol.asyncDispose]() {
      if (options.cluster === undefined) return cluster[Symbol.asyncDispose]()
      const parts = session.holders.size === 0 ? undefined : await clusterParts(cluster)
      for (const holder of session.holders.values()) parts?.cache.release(holder)
      session.holders.clear()
    },
  }
}

interface Session {
  readonly options: KubernetesTargetOptions
  readonly cluster: KubernetesCluster
  readonly renderer: Renderer
  readonly formed: FormedBodies
  /** Present in strict mode. */
  readonly isStranger: IsStranger | undefined
  readonly verified: Verified
  /** The names under which this target holds watches, one for each application. */
  readonly holders: Map<string, string>
}

function holderOf({ holders }: Session, { application, random }: RunCall): string {
  const known = holders.get(application)
  if (known !== undefined) return known
  const holder = `${application} ${randomId(random)}`
  holders.set(application, holder)
  return holder
}

function checkOwner(owner: string): void {
  if (typeof owner === 'string' && /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(owner)) return
  throw new GitOpsError('CONFIG_INVALID', 'owner must be 1 to 63 letters, digits, dots, dashes and underscores.')
}

async function declare(session: Session, snapshot: Snapshot, call: RunCall): Promise<DesiredState> {
  throwIfAborted(call)
  const { options, cluster, renderer, formed } = session
  const { path = '', variables, namespaces = {}, maxObjects = 10_000 } = options
  const scopeOf: ScopeLookup = async ({ apiVersion, kind }) => {
    const { cache } = await clusterParts(cluster)
    const served = await cache.discovery.find(apiVersion, kind, call)
    return served && (served.namespaced ? 'namespaced' : 'cluster')
  }
  return declareObjects(snapshot, call, {
    path,
    renderer,
    formed,
    namespaces,
    scopeOf,
    maxObjects,
    ...(options.applySet === true && { applySet: true }),
    ...(variables && { variables }),
  })
}

async function observe(session: Session, desired: DesiredState, owned: Inventory, call: RunCall): Promise<ActualState> {
  throwIfAborted(call)
  const { cache } = await clusterParts(session.cluster)
  const sight = await cache.look(holderOf(session, call), wantedFor(desired, owned), call)
  throwIfAborted(call)
  refuseOvertaken(session, [...desired.resources, ...owned.values()], sight, call)
  return actualFrom(desired, owned, sight, {
    owner: session.options.owner,
    verified: session.verified,
    isStranger: session.isStranger,
    observedAt: call.clock.now(),
  })
}

async function plan(
  session: Session,
  desired: DesiredState,
  actual: ActualState,
  request: PlanRequest,
  call: RunCall,
): Promise<Plan> {
  throwIfAborted(call)
  const { options, verified, isStranger } = session
  const { client, cache, manager, concurrency } = await clusterParts(session.cluster)
  const fence = writeFence(call, { client, manager, owner: options.owner })
  const look = async (declared: Resource, within: RunCall): Promise<Inspection> => {
    const wanted = { ref: declared.ref, apiVersion: declared.body['apiVersion'] as string }
    const served = await cache.served(wanted, within)
    if (served === undefined)
      throw new GitOpsError('PLAN_STALE', `Nobody serves the kind ${declared.ref.kind} any more. Plan again.`)
    const body = claimed(declared, options.owner, within)
    const inspection = await inspect(
      placeOf(served, declared.ref),
      body,
      declared,
      { client, manager, isStranger },
      within,
    )
    fence.check(inspection.live, declared.ref)
    return inspection
  }
  const { namespaces = {} } = options
  return planObjects(desired, actual, request, call, {
    manager,
    namespaces,
    protectedKinds: options.protectedKinds ?? protectedKinds,
    verified,
    isStranger,
    concurrency,
    inspect: look,
  })
}

/** A process that stood still must not look at what a later holder made, and take it for drift. */
function refuseOvertaken(
  { options }: Session,
  resources: readonly Pick<Resource, 'ref'>[],
  { seen }: Sight,
  call: RunCall,
): void {
  if (call.fence === undefined) return
  for (const { ref } of resources) {
    const found = seen.get(refKey(ref))
    const lost = found && overtaken(found, ref, call, options.owner)
    if (lost !== undefined) throw lost
  }
}

/** The body of a declaration with the claim of its application. */
function claimed({ ref, body }: Resource, owner: string, { application }: RunCall): JsonObject {
  const metadata = body['metadata'] as JsonObject
  // Who may write is nothing that a declaration can say.
  const { [TOKEN]: _token, ...declared } = (metadata['annotations'] ?? {}) as JsonObject
  const annotations = { ...declared, [CLAIM]: claimOf(owner, application, ref) }
  return { ...body, metadata: { ...metadata, annotations } }
}

async function* apply(session: Session, given: Plan, desired: DesiredState, call: RunCall): AsyncIterable<Outcome> {
  const { options } = session
  const { client, cache, limit, manager, concurrency } = await clusterParts(session.cluster)
  const fence = writeFence(call, { client, manager, owner: options.owner })
  const writing: Writing = {
    fence,
    client,
    cache,
    limit,
    manager,
    isStranger: session.isStranger,
    conflicts: options.conflicts ?? 'heal',
    propagation: options.propagation ?? 'Background',
    settleMs: options.settleMs ?? 10_000,
    bodyOf: (declared, within) => claimed(declared, options.owner, within),
  }
  // What the server says ends the run as well: nothing more is begun.
  const { assertHeld } = fence
  const fenced = call.fence === undefined ? call : { ...call, fence: { ...call.fence, assertHeld } }
  yield* applyObjects(given, desired, fenced, writing, concurrency)
}

async function* watch(
  session: Session,
  desired: DesiredState,
  owned: Inventory,
  call: RunCall,
): AsyncIterable<ActualChange> {
  const { cache } = await clusterParts(session.cluster)
  const keys = new Set([...desired.resources, ...owned.values()].map(({ ref }) => refKey(ref)))
  yield* changes(cache, (ref) => keys.has(refKey(ref)), call)
}
