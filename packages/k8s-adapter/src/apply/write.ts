import {
  type Call,
  type Change,
  GitOpsError,
  type JsonObject,
  label,
  refKey,
  type Resource,
  type RunCall,
  sleep,
  throwIfAborted,
  withDeadline,
  type Written,
} from '@gitops-sdk/core'
import type { ServedKind } from '../client/discovery.ts'
import { refusalOf } from '../client/errors.ts'
import { metadataOf } from '../client/json.ts'
import { applyObject, deleteObject, getObject, type ObjectPlace, placeOf } from '../client/objects.ts'
import type { KubeAnswer, KubeClient } from '../client/port.ts'
import { applySetIdOf } from '../declare/apply-set.ts'
import type { ClusterCache } from '../observe/cache.ts'
import { extrasBy, type IsStranger } from '../observe/extras.ts'
import { fingerprintText } from '../observe/field-set.ts'
import { type ConflictPolicy, describeConflict, extrasOfAnother, isConflict, mayTake } from './conflict.ts'
import { carrying, type Guard, type WriteFence } from './fence.ts'
import type { AdaptiveLimit } from './limit.ts'
import { migrate, needsMigration, type Owner } from './migrate.ts'

/** What writing needs from the target. */
export interface Writing {
  readonly client: KubeClient
  readonly cache: ClusterCache
  readonly manager: string
  readonly conflicts: ConflictPolicy
  readonly propagation: 'Background' | 'Foreground' | 'Orphan'
  readonly limit: AdaptiveLimit
  readonly fence: WriteFence
  /** Present in strict mode. */
  readonly isStranger?: IsStranger | undefined
  /** How long a deletion and a definition may take before that is a failure, in milliseconds. */
  readonly settleMs: number
  /** The body that is sent for a declaration. */
  readonly bodyOf: (declared: Resource, call: RunCall) => JsonObject
}

/** How long a kind may stay unknown to some servers after its definition was accepted. */
const UNKNOWN_MS = 3000

/** How soon what is waited for is looked at again. */
const POLL_MS = 100

/** Sends a write when there is room for it, if the right to write is held then. */
export function inTurn<T>({ limit, fence }: Writing, send: () => Promise<T>, call: Call): Promise<T> {
  return limit.run(() => {
    fence.assertHeld()
    return send()
  }, call)
}

/** Applies one declaration. Safe to repeat: the same declaration applied again changes nothing. */
export async function applyOne(change: Change, declared: Resource, writing: Writing, call: RunCall): Promise<Written> {
  const served = await servedKind(declared, writing, call)
  const place = placeOf(served, declared.ref)
  const body = guarded(writing.bodyOf(declared, call), change)
  try {
    if (change.action === 'adopt') await takeOver(place, change, writing, call)
    if (change.action !== 'create') await takeExtras(place, change, writing, call)
    const answer = await applyOrTake(place, body, change, writing, call)
    return await settled(answer, place, change, writing, call)
  } catch (thrown) {
    if (refusalOf(thrown) === undefined) writing.cache.doubt(place)
    throwIfAborted(call)
    throw translate(thrown, change)
  }
}

/** The identity the change was planned for makes it update-only: it never brings back what somebody deleted. */
function guarded(body: JsonObject, { uid, action }: Change): JsonObject {
  if (uid === undefined || action === 'create') return body
  return { ...body, metadata: { ...(body['metadata'] as JsonObject), uid } }
}

async function servedKind(declared: Resource, { cache, settleMs }: Writing, call: RunCall): Promise<ServedKind> {
  const apiVersion = declared.body['apiVersion'] as string
  const kind = declared.ref.kind
  const known = await cache.discovery.find(apiVersion, kind, call)
  if (known !== undefined) return known
  // Its definition may just have been accepted, and not every server knows yet.
  const wait = async (within: Call): Promise<ServedKind> => {
    for (;;) {
      await sleep(POLL_MS * 5, within)
      const found = await cache.discovery.find(apiVersion, kind, within)
      if (found !== undefined) return found
    }
  }
  try {
    return await withDeadline(call, Math.min(settleMs, UNKNOWN_MS), `Waiting for the kind ${kind}`, wait)
  } catch (cause) {
    throwIfAborted(call)
    throw new GitOpsError(
      'TARGET_REFUSED',
      `The server does not know the kind ${kind} in ${apiVersion}. Declare its CustomResourceDefinition, or correct the apiVersion.`,
      { cause, retryable: true },
    )
  }
}

async function takeOver(place: ObjectPlace, change: Change, writing: Writing, call: RunCall): Promise<void> {
  const live = await getObject(writing.client, place, call)
  if (live !== undefined && needsMigration(live)) await takeFields(live, place, change, writing, call)
}

/** Makes fields of others ours, unless somebody took over from us. */
async function takeFields(
  live: JsonObject,
  place: ObjectPlace,
  { ref }: Change,
  { client, manager, fence }: Writing,
  call: RunCall,
  from?: (entry: Owner) => boolean,
): Promise<void> {
  fence.check(live, ref)
  fence.assertHeld()
  await migrate(client, place, live, manager, call, from)
}

/** In strict mode, what others added becomes ours, so that the apply that follows removes it as no longer declared. */
async function takeExtras(place: ObjectPlace, change: Change, writing: Writing, call: RunCall): Promise<void> {
  const { client, manager, conflicts, isStranger } = writing
  if (isStranger === undefined) return
  const live = await getObject(client, place, call)
  if (live === undefined) return
  const strangers = [...extrasBy(live, manager).keys()].filter((each) => isStranger(each.manager))
  if (strangers.length === 0) return
  const kept = strangers.find(
    ({ operation }) => conflicts === 'refuse' || (conflicts === 'heal' && operation === 'Apply'),
  )
  if (kept !== undefined) throw extrasOfAnother(change, kept.manager)
  const isOne = (entry: Owner): boolean =>
    strangers.some((each) => each.manager === entry.manager && each.operation === entry.operation) &&
    entry.subresource === ''
  await takeFields(live, place, change, writing, call, isOne)
}

async function applyOrTake(
  place: ObjectPlace,
  body: JsonObject,
  change: Change,
  writing: Writing,
  call: RunCall,
): Promise<KubeAnswer> {
  const { client, manager, conflicts, fence } = writing
  const send = (force: boolean): Promise<KubeAnswer> => {
    const once = (guard: Guard) => applyObject(client, place, carrying(body, guard), { manager, force }, call)
    return fence.send((guard) => inTurn(writing, () => once(guard), call), place, change, call)
  }
  try {
    return await send(conflicts === 'force')
  } catch (thrown) {
    if (!isConflict(thrown)) throw thrown
    const live = await getObject(client, place, call)
    if (live === undefined || !mayTake(thrown, live, change, writing)) throw describeConflict(thrown, change.ref)
    return send(true)
  }
}

async function settled(
  answer: KubeAnswer,
  place: ObjectPlace,
  change: Change,
  writing: Writing,
  call: RunCall,
): Promise<Written> {
  const object = answer.body
  const { fingerprint } = writing.cache.wrote(place.served, object)
  const metadata = object['metadata'] as JsonObject
  if (metadata['deletionTimestamp'] !== undefined) throw terminating(change, metadata)
  if (change.ref.kind === 'CustomResourceDefinition') await established(object, writing, call)
  // The parent of an ApplySet is there before its own turn comes.
  const isSurprise = change.action === 'create' && answer.status === 200 && applySetIdOf({ body: object }) === undefined
  const warnings = isSurprise
    ? [...answer.warnings, `${label(change.ref)} was there already; it was taken over.`]
    : answer.warnings
  return {
    uid: String(metadata['uid'] as string),
    version: String(metadata['resourceVersion'] as string),
    ...(fingerprint && { note: fingerprintText(fingerprint) }),
    ...(warnings.length > 0 && { warnings }),
  }
}

/** A definition is of use when it is established and the server lists what it defines. */
async function established(definition: JsonObject, { client, cache, settleMs }: Writing, call: RunCall): Promise<void> {
  const { group, names, versions } = definition['spec'] as {
    group: string
    names: { kind: string }
    versions: { name: string; served: boolean }[]
  }
  const { name } = definition['metadata'] as { name: string }
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`
  const version = versions.find(({ served }) => served)?.name
  if (version === undefined) return
  let why = 'the server has not said why'
  const wait = async (within: Call): Promise<void> => {
    for (;;) {
      const { body } = await client.send({ method: 'GET', path }, within)
      const found = isEstablished(body)
        ? await cache.discovery.find(`${group}/${version}`, names.kind, within)
        : undefined
      if (found !== undefined) return
      why = obstacleIn(body) ?? why
      await sleep(POLL_MS, within)
    }
  }
  try {
    await withDeadline(call, settleMs, `Establishing ${name}`, wait)
  } catch (cause) {
    if (!(cause instanceof GitOpsError) || cause.code !== 'DEADLINE_EXCEEDED') throw cause
    const message = `${name} was accepted and is not in force after ${settleMs} ms: ${why}.`
    throw new GitOpsError('TARGET_REFUSED', message, { cause, retryable: true })
  }
}

/** Why a definition is not in force, where another one has its names. */
function obstacleIn(definition: JsonObject): string | undefined {
  const obstacle = conditionsIn(definition).find(({ type, status }) => type === 'NamesAccepted' && status === 'False')
  const message = obstacle?.['message']
  return typeof message === 'string' ? message : undefined
}

function isEstablished(definition: JsonObject): boolean {
  return conditionsIn(definition).some(({ type, status }) => type === 'Established' && status === 'True')
}

function conditionsIn(definition: JsonObject): readonly JsonObject[] {
  return ((definition['status'] as JsonObject | undefined)?.['conditions'] ?? []) as readonly JsonObject[]
}

/** Deletes exactly the object that was planned for, and waits until it is gone. */
export async function deleteOne(change: Change, writing: Writing, call: RunCall): Promise<void> {
  const { client, cache, propagation, settleMs, fence } = writing
  const served = await cache.discovery.preferred(change.ref.group ?? '', change.ref.kind, call)
  if (served === undefined) return
  const place = placeOf(served, change.ref)
  const { uid } = change
  const once = ({ version }: Guard) => deleteObject(client, place, { uid, version, propagation }, call)
  const sent = fence.send((guard) => inTurn(writing, () => once(guard), call), place, change, call)
  const answer = await sent.catch((thrown: unknown) => {
    throw translate(thrown, change)
  })
  if (change.ref.kind === 'CustomResourceDefinition') cache.discovery.forget()
  if (answer !== undefined && isStillThere(answer)) await gone(place, change, settleMs, client, call)
  if (uid !== undefined) cache.dropped(served, { namespace: place.namespace, name: place.name, uid })
}

function isStillThere(answer: JsonObject): boolean {
  return answer['kind'] !== 'Status' && metadataOf(answer)['deletionTimestamp'] !== undefined
}

async function gone(
  place: ObjectPlace,
  change: Change,
  settleMs: number,
  client: KubeClient,
  call: RunCall,
): Promise<void> {
  let last: JsonObject = {}
  const wait = async (within: Call): Promise<void> => {
    for (let delayMs = POLL_MS; ; delayMs = Math.min(delayMs * 2, 2000)) {
      const live = await getObject(client, place, within)
      const metadata = (live?.['metadata'] ?? {}) as JsonObject
      if (live === undefined || (change.uid !== undefined && metadata['uid'] !== change.uid)) return
      last = metadata
      await sleep(delayMs, within)
    }
  }
  try {
    await withDeadline(call, settleMs, `Deleting ${label(change.ref)}`, wait)
  } catch (thrown) {
    throwIfAborted(call)
    throw thrown instanceof GitOpsError && thrown.code === 'DEADLINE_EXCEEDED' ? terminating(change, last) : thrown
  }
}

function terminating({ ref }: Change, metadata: JsonObject): GitOpsError {
  const finalizers = Array.isArray(metadata['finalizers']) ? metadata['finalizers'].join(', ') : ''
  const held = finalizers === '' ? 'and is not gone yet' : `and waits for its finalizers: ${finalizers}`
  return new GitOpsError('TARGET_LOCKED', `${label(ref)} is being deleted ${held}.`, {
    details: { ref: refKey(ref), finalizers },
  })
}

/**
 * What a refusal means for this change. A server that answered did not make the change, so it failed; it is
 * unknown only where the answer was lost.
 */
function translate(thrown: unknown, { ref, action, uid }: Change): unknown {
  const refusal = refusalOf(thrown)
  if (!(thrown instanceof GitOpsError) || refusal === undefined) return thrown
  const { details, message, retryAfterMs } = thrown
  const more = { cause: thrown, details, ...(retryAfterMs !== undefined && { retryAfterMs }) }
  const named = `${label(ref)}: ${message}`
  const isAnother =
    uid !== undefined && (refusal.status === 409 || refusal.causes.some(({ field }) => field === 'metadata.uid'))
  if (thrown.code === 'PLAN_STALE' || isAnother)
    return new GitOpsError(
      'PLAN_STALE',
      `${label(ref)} changed or was made anew since the ${action} was planned. Plan again.`,
      more,
    )
  if (thrown.code === 'TARGET_INTERNAL' || thrown.code === 'TARGET_UNREACHABLE')
    return new GitOpsError('APPLY_FAILED', named, { ...more, retryable: true })
  return new GitOpsError(thrown.code, named, { ...more, retryable: thrown.retryable })
}
