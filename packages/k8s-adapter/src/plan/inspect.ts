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
import { extrasBy, type IsStranger, without } from '../observe/extras.ts'
import { entryOf, type ManagerEntry } from '../observe/field-set.ts'
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
  /** What strangers added, in strict mode: a part of `before`, not of `after`. */
  readonly extras: readonly JsonObject[]
}

/** How an object is inspected. */
export interface Inspecting {
  readonly client: KubeClient
  readonly manager: string
  /** Present in strict mode. */
  readonly isStranger?: IsStranger | undefined
}

/**
 * Reads one object and asks the server what applying the declaration would make of it (a dry run of
 * server-side apply, admission included). Two requests; a third when the server refuses, and more when the object
 * changes in between: two states of it would differ in what somebody else did.
 */
export async function inspect(
  place: ObjectPlace,
  body: JsonObject,
  declared: Resource,
  { client, manager, isStranger }: Inspecting,
  call: Call,
): Promise<Inspection> {
  const how = { manager, force: true, dryRun: true }
  const predict = async (): Promise<JsonObject> => (await applyObject(client, place, body, how, call)).body
  let live = await liveObject(client, place, declared, call)
  try {
    let predicted = await predict()
    for (let again = 0; again < MAX_AGAIN && versionOf(predicted) !== versionOf(live); again++) {
      live = await liveObject(client, place, declared, call)
      predicted = await predict()
    }
    const extras = extrasIn(predicted, manager, isStranger)
    const sides = withOwnership(live, predicted, comparable(live), manager)
    return { live, ...sides, after: cleared(sides.after, extras), immutable: false, extras }
  } catch (thrown) {
    throwIfAborted(call)
    if (!isRefusal(thrown)) throw thrown
    const before = comparable(live)
    const after = overlay(before, comparable(body)) as JsonObject
    const immutable = refusalOf(thrown)?.status === 422 && (await couldBeCreated(client, place, body, call))
    return { live, before, after, immutable, extras: [], ...(!immutable && { refusal: thrown }) }
  }
}

/** How often an object that keeps changing is looked at again. */
const MAX_AGAIN = 3

function versionOf(object: JsonObject): unknown {
  return (object['metadata'] as JsonObject)['resourceVersion']
}

async function liveObject(client: KubeClient, place: ObjectPlace, declared: Resource, call: Call): Promise<JsonObject> {
  const live = await getObject(client, place, call)
  if (live === undefined)
    throw new GitOpsError('PLAN_STALE', `${label(declared.ref)} was deleted while it was planned. Plan again.`)
  return live
}

/** What strangers own beside what would be applied. */
function extrasIn(object: JsonObject, manager: string, isStranger: IsStranger | undefined): JsonObject[] {
  if (isStranger === undefined) return []
  return [...extrasBy(object, manager)].flatMap(([entry, set]) => (isStranger(entry.manager) ? [set] : []))
}

/** An object without what strangers added. */
export function cleared(object: JsonObject, extras: readonly JsonObject[]): JsonObject {
  return extras.reduce((rest, set) => (without(rest, set) ?? {}) as JsonObject, object)
}

/**
 * Values can be right and somebody else own them: then applying again takes the ownership back. So it does where the
 * fields are named in a version that is not declared any more: once nobody serves it, they would belong to nobody.
 */
function withOwnership(
  live: JsonObject,
  predicted: JsonObject,
  before: JsonObject,
  manager: string,
): Pick<Inspection, 'before' | 'after'> {
  const after = comparable(predicted)
  const [mine, wanted] = [entryOf(live, manager), entryOf(predicted, manager)]
  if (!sameJson(before, after) || mine === undefined || wanted === undefined || isSame(mine, wanted))
    return { before, after }
  const isLost = mine.apiVersion === wanted.apiVersion
  const [was, is] = isLost ? [`lost by ${manager}`, `held by ${manager}`] : [mine, wanted].map(heldIn)
  return { before: marked(before, was ?? ''), after: marked(after, is ?? '') }
}

function isSame(left: ManagerEntry, right: ManagerEntry): boolean {
  return left.apiVersion === right.apiVersion && sameJson(left.fields, right.fields)
}

function heldIn({ manager, apiVersion }: ManagerEntry): string {
  return `held by ${manager} in ${apiVersion}`
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
