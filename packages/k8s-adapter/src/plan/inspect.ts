import {
  type Call,
  GitOpsError,
  type JsonObject,
  label,
  type Resource,
  sameJson,
  throwIfAborted,
} from '@gitops-sdk/core'
import { refusalOf } from '../client/errors.ts'
import { applyObject, collectionPath, getObject, type ObjectPlace } from '../client/objects.ts'
import type { KubeClient } from '../client/port.ts'
import { appliedBy } from '../observe/field-set.ts'
import { comparable, overlay } from './shape.ts'

/** What a closer look at one object found. */
export interface Inspection {
  /** The object as it is, whole. */
  readonly live: JsonObject
  /** What is compared: the object now, and as the server says it would be. Equal when nothing would change. */
  readonly before: JsonObject
  readonly after: JsonObject
  /** The declaration cannot be reached by changing the object. */
  readonly immutable: boolean
  /** Why the server would refuse, where it would. */
  readonly refusal?: GitOpsError
}

/** How an object is inspected. */
export interface Inspecting {
  readonly client: KubeClient
  readonly manager: string
}

/**
 * Reads one object and asks the server what applying the declaration would make of it (a dry run of
 * server-side apply, admission included). Two requests; a third only when the server refuses.
 */
export async function inspect(
  place: ObjectPlace,
  body: JsonObject,
  declared: Resource,
  { client, manager }: Inspecting,
  call: Call,
): Promise<Inspection> {
  const live = await getObject(client, place, call)
  if (live === undefined)
    throw new GitOpsError('PLAN_STALE', `${label(declared.ref)} was deleted while it was planned. Plan again.`)
  const before = comparable(live)
  try {
    const { body: predicted } = await applyObject(client, place, body, { manager, force: true, dryRun: true }, call)
    return { live, ...withOwnership(live, predicted, before, manager), immutable: false }
  } catch (thrown) {
    throwIfAborted(call)
    if (!isRefusal(thrown)) throw thrown
    const after = overlay(before, comparable(body)) as JsonObject
    const immutable = refusalOf(thrown)?.status === 422 && (await couldBeCreated(client, place, body, call))
    return { live, before, after, immutable, ...(!immutable && { refusal: thrown }) }
  }
}

/** Values can be right and somebody else own them: then applying again takes the ownership back. */
function withOwnership(
  live: JsonObject,
  predicted: JsonObject,
  before: JsonObject,
  manager: string,
): Pick<Inspection, 'before' | 'after'> {
  const after = comparable(predicted)
  const [mine, wanted] = [appliedBy(live, manager), appliedBy(predicted, manager)]
  if (!sameJson(before, after) || mine === undefined || wanted === undefined || sameJson(mine, wanted))
    return { before, after }
  return { before: marked(before, `lost by ${manager}`), after: marked(after, `held by ${manager}`) }
}

function marked(object: JsonObject, note: string): JsonObject {
  return { ...object, metadata: { ...(object['metadata'] as JsonObject), managedFields: note } }
}

/** An answer that says no for good; what is overloaded, unreachable or fenced is another matter. */
function isRefusal(thrown: unknown): thrown is GitOpsError {
  if (!(thrown instanceof GitOpsError)) return false
  return (
    ['TARGET_REFUSED', 'TARGET_FORBIDDEN', 'TARGET_INTERNAL', 'TARGET_LOCKED'].includes(thrown.code) &&
    refusalOf(thrown) !== undefined
  )
}

/**
 * Whether the server would accept the declaration as a new object under another name. If so, it was the
 * change that was refused, not the declaration: a field that cannot be changed in place. Any refusal
 * by admission is the same for both, so it is never taken for that.
 */
async function couldBeCreated(
  client: KubeClient,
  { served, namespace }: ObjectPlace,
  body: JsonObject,
  call: Call,
): Promise<boolean> {
  const { name: _name, ...metadata } = body['metadata'] as JsonObject
  const probe = { ...body, metadata: { ...metadata, generateName: 'gitops-sdk-probe-' } }
  const query = { dryRun: 'All', fieldValidation: 'Strict' }
  try {
    const path = collectionPath(served, namespace)
    return (await client.send({ method: 'POST', path, query, body: probe }, call)).status === 201
  } catch (thrown) {
    throwIfAborted(call)
    if (isRefusal(thrown)) return false
    throw thrown
  }
}
