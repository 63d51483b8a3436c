import type { JsonObject } from '@gitops-sdk/core'
import { metadataOf, objectsOf, textOf, withMetadata } from '../../client/json.ts'
import type { Kind } from './kinds.ts'

/** Something that happened to an object. */
export interface StoreEvent {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly collection: string
  readonly object: JsonObject
  /** What it was before: it may have been seen by those who do not see it any more. */
  readonly before: JsonObject | undefined
}

/** Every object there is, the versions it went through, and who depends on whom. */
export interface Store {
  /** Counts every change of anything. */
  readonly version: number
  /** Events up to this version are forgotten. */
  readonly compacted: number
  get(kind: Kind, namespace: string, name: string): JsonObject | undefined
  /** All of a kind, in the order of their names; of one namespace or of all. */
  list(kind: Kind, namespace?: string): JsonObject[]
  /** Every object, with the collection it is in. */
  all(): readonly (readonly [collection: string, object: JsonObject])[]
  put(kind: Kind, object: JsonObject): JsonObject
  remove(kind: Kind, object: JsonObject): JsonObject
  /** Objects that name this identity as their owner. */
  dependents(uid: string): readonly (readonly [collection: string, object: JsonObject])[]
  since(version: number): readonly StoreEvent[]
  subscribe(listener: (event: StoreEvent) => void): () => void
  /** Forgets what happened. */
  compact(): void
}

/** The collection an object of a kind is kept in, whatever its version. */
export function collectionOf({ group, resource }: Pick<Kind, 'group' | 'resource'>): string {
  return `${group}/${resource}`
}

/** The key of an object inside its collection; sorts as lists are sorted. */
export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`
}

/** More events than this are forgotten. */
const MAX_EVENTS = 20_000

/** A store with nothing in it. */
export function createStore(): Store {
  const collections = new Map<string, Map<string, JsonObject>>()
  const dependents = new Map<string, Map<string, readonly [string, JsonObject]>>()
  const listeners = new Set<(event: StoreEvent) => void>()
  let events: StoreEvent[] = []
  let version = 1
  let compacted = 0
  const tell = (event: StoreEvent): void => {
    events.push(event)
    if (events.length > MAX_EVENTS) {
      events = events.slice(-MAX_EVENTS / 2)
      compacted = events[0]!.version - 1
    }
    for (const listener of listeners) listener(event)
  }
  const inCollection = (collection: string): Map<string, JsonObject> => {
    const known = collections.get(collection) ?? new Map<string, JsonObject>()
    collections.set(collection, known)
    return known
  }
  const relate = (collection: string, before: JsonObject | undefined, object: JsonObject | undefined): void => {
    for (const owner of ownersOf(before)) dependents.get(owner)?.delete(uidOf(before))
    for (const owner of ownersOf(object)) {
      const known = dependents.get(owner) ?? new Map<string, readonly [string, JsonObject]>()
      dependents.set(owner, known.set(uidOf(object), [collection, object!]))
    }
  }
  const change = (kind: Kind, given: JsonObject, isRemoval: boolean): JsonObject => {
    const collection = collectionOf(kind)
    const objects = inCollection(collection)
    const { namespace, name } = metadataOf(given)
    const key = keyOf(textOf(namespace), textOf(name))
    const before = objects.get(key)
    const object = withMetadata(given, { resourceVersion: String(++version) })
    if (isRemoval) objects.delete(key)
    else objects.set(key, object)
    relate(collection, before, isRemoval ? undefined : object)
    const type = isRemoval ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED'
    tell({ version, type, collection, object, before })
    return object
  }
  return {
    get version() {
      return version
    },
    get compacted() {
      return compacted
    },
    get: (kind, namespace, name) => collections.get(collectionOf(kind))?.get(keyOf(namespace, name)),
    list: (kind, namespace) =>
      [...inCollection(collectionOf(kind))]
        .filter(([key]) => namespace === undefined || key.startsWith(`${namespace}/`))
        .toSorted(([left], [right]) => (left < right ? -1 : 1))
        .map(([, object]) => object),
    all: () =>
      [...collections].flatMap(([collection, objects]) =>
        [...objects.values()].map((object) => [collection, object] as const),
      ),
    put: (kind, object) => change(kind, object, false),
    remove: (kind, object) => change(kind, object, true),
    dependents: (uid) => [...(dependents.get(uid)?.values() ?? [])],
    since: (from) => events.filter((event) => event.version > from),
    subscribe: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    compact: () => {
      compacted = version
      events = []
    },
  }
}

function ownersOf(object: JsonObject | undefined): string[] {
  return object === undefined ? [] : objectsOf(metadataOf(object)['ownerReferences']).map(({ uid }) => textOf(uid))
}

function uidOf(object: JsonObject | undefined): string {
  return object === undefined ? '' : textOf(metadataOf(object)['uid'])
}
