import {
  type Call,
  createCall,
  type GitOpsError,
  type JsonObject,
  label,
  refKey,
  type ResourceRef,
  toGitOpsError,
} from '@gitops-sdk/core'
import { createDiscovery, type Discovery, type ServedKind } from '../client/discovery.ts'
import { refusalOf } from '../client/errors.ts'
import { getObject, type ObjectPlace, placeOf } from '../client/objects.ts'
import { inParallel } from '../client/parallel.ts'
import type { KubeClient } from '../client/port.ts'
import { type Informer, keyOf, startInformer } from './informer.ts'
import { type Looking, see, type Seen } from './seen.ts'

/** Something to be looked at: a ref, and the version in which it is declared. */
export interface Wanted {
  readonly ref: ResourceRef
  /** @defaultValue the version the server prefers */
  readonly apiVersion?: string
}

/** What was seen, by `refKey`. What is in neither map is not there. */
export interface Sight {
  readonly seen: ReadonlyMap<string, Seen>
  readonly unknown: ReadonlyMap<string, GitOpsError>
}

/**
 * What there is in one cluster, as far as somebody wants to know: one watch for each kind and namespace,
 * shared by everybody, ended when nobody is left who holds it.
 */
export interface ClusterCache extends Disposable {
  readonly discovery: Discovery
  /** Looks at everything wanted on behalf of `holder`. Asks the server only for what is not watched yet. */
  look(holder: string, wanted: readonly Wanted[], call: Call): Promise<Sight>
  /** What a ref is served as. */
  served(wanted: Wanted, call: Call): Promise<ServedKind | undefined>
  /** Lets go of what a holder held. */
  release(holder: string): void
  /** Takes the answer to a write, before the watch tells. */
  wrote(served: ServedKind, object: JsonObject): Seen
  /**
   * Notes that the answer to a write was lost. Until the object was read once, the watch is not believed about it: it may
   * be behind, and what is thought not to be there would be forgotten.
   */
  doubt(place: ObjectPlace): void
  /** Takes a confirmed deletion. */
  dropped(served: ServedKind, seen: Pick<Seen, 'namespace' | 'name' | 'uid'>): void
  /** Calls `listener` with every ref that changed; returns how to stop. */
  listen(listener: (ref: ResourceRef) => void): () => void
}

/** How a cluster is watched. */
export interface ClusterCacheOptions {
  readonly client: KubeClient
  readonly looking: Looking
  /** A kind wanted in more namespaces than this is watched in all of them at once. @defaultValue 5 */
  readonly maxNamespaceWatches?: number
  /** Whether lists are streamed where the server can. @defaultValue true */
  readonly streamLists?: boolean
  readonly pageSize?: number
}

interface State {
  readonly options: ClusterCacheOptions
  readonly discovery: Discovery
  readonly informers: Map<string, Informer>
  readonly holds: Map<string, ReadonlySet<string>>
  readonly listeners: Set<(ref: ResourceRef) => void>
  /** Objects about which the answer to a write was lost, by kind and place. */
  readonly doubted: Set<string>
  readonly streaming: { supported: boolean }
  /** Kinds that may not be watched in all namespaces. */
  readonly narrow: Set<string>
}

/** A cache with nothing in it yet. */
export function createClusterCache(options: ClusterCacheOptions): ClusterCache {
  const state: State = {
    options,
    discovery: createDiscovery(options.client),
    informers: new Map(),
    holds: new Map(),
    listeners: new Set(),
    doubted: new Set(),
    streaming: { supported: options.streamLists ?? true },
    narrow: new Set(),
  }
  return {
    discovery: state.discovery,
    look: (holder, wanted, call) => look(state, holder, wanted, call),
    served: (wanted, call) => servedFor(state, wanted, call),
    release: (holder) => {
      state.holds.delete(holder)
      stopUnheld(state)
    },
    wrote: (served, object) => {
      const { namespace } = object['metadata'] as { readonly namespace?: string }
      return informerOf(state, served, namespace)?.put(object) ?? see(object, served, state.options.looking)
    },
    doubt: (place) => void state.doubted.add(doubtKey(place)),
    dropped: (served, seen) => informerOf(state, served, seen.namespace)?.drop(seen),
    listen: (listener) => {
      state.listeners.add(listener)
      return () => void state.listeners.delete(listener)
    },
    [Symbol.dispose]: () => {
      state.holds.clear()
      stopUnheld(state)
    },
  }
}

interface Located {
  readonly key: string
  readonly ref: ResourceRef
  readonly served: ServedKind
}

async function look(state: State, holder: string, wanted: readonly Wanted[], call: Call): Promise<Sight> {
  const seen = new Map<string, Seen>()
  const unknown = new Map<string, GitOpsError>()
  const located: Located[] = []
  for (const each of wanted) {
    const key = refKey(each.ref)
    try {
      const served = await servedFor(state, each, call)
      if (served !== undefined) located.push({ key, ref: each.ref, served })
    } catch (thrown) {
      unknown.set(key, toGitOpsError(thrown, `Reading ${label(each.ref)}`))
    }
  }
  const held = await hold(state, holder, located, call)
  for (const [key, error] of await settleDoubts(state, located, call)) unknown.set(key, error)
  for (const { key, ref, served } of located) {
    if (unknown.has(key)) continue
    const informer = held.get(informerKey(served, undefined)) ?? held.get(informerKey(served, ref.namespace))
    if (informer?.problem !== undefined) unknown.set(key, informer.problem)
    const found = informer?.objects.get(keyOf(placeOf(served, ref)))
    if (found !== undefined && informer?.problem === undefined) seen.set(key, found)
  }
  return { seen, unknown }
}

/** Objects that are read at once when it is not known whether they were written. */
const READ_AT_ONCE = 8

/** Reads every object of which nobody knows whether it was written; why not, where that failed. Those stay in doubt. */
async function settleDoubts(
  state: State,
  located: readonly Located[],
  call: Call,
): Promise<ReadonlyMap<string, GitOpsError>> {
  const unread = new Map<string, GitOpsError>()
  if (state.doubted.size === 0) return unread
  const doubted = located.filter(({ ref, served }) => state.doubted.has(doubtKey(placeOf(served, ref))))
  // A server that does not answer for one object is not asked for a thousand others.
  let away: GitOpsError | undefined
  const read = async (each: Located): Promise<void> => {
    const error = away ?? (await readAgain(state, each, call))
    if (error === undefined) return
    if (refusalOf(error) === undefined) away = error
    unread.set(each.key, error)
  }
  await inParallel(doubted, READ_AT_ONCE, read)
  return unread
}

async function readAgain(
  { options: { client }, informers, doubted }: State,
  { ref, served }: Located,
  call: Call,
): Promise<GitOpsError | undefined> {
  const place = placeOf(served, ref)
  try {
    const object = await getObject(client, place, call)
    if (object !== undefined) informerOf({ informers }, served, place.namespace)?.put(object)
    doubted.delete(doubtKey(place))
    return undefined
  } catch (thrown) {
    return toGitOpsError(thrown, `Reading ${label(ref)}`)
  }
}

/** The same in every version of a kind: what is no longer declared is looked for in the one the server prefers. */
function doubtKey(place: ObjectPlace): string {
  const { group, resource } = place.served
  return `${group}/${resource} ${keyOf(place)}`
}

async function servedFor(
  { discovery }: State,
  { ref, apiVersion }: Wanted,
  call: Call,
): Promise<ServedKind | undefined> {
  if (apiVersion === undefined) return discovery.preferred(ref.group ?? '', ref.kind, call)
  const served = await discovery.find(apiVersion, ref.kind, call, false)
  // Not served in this version, maybe in another; `preferred` also tells when its group did not answer.
  return served ?? discovery.preferred(ref.group ?? '', ref.kind, call)
}

async function hold(
  state: State,
  holder: string,
  located: readonly Located[],
  call: Call,
): Promise<Map<string, Informer>> {
  const held = new Map<string, Informer>()
  const places = placesOf(located)
  const use = async (served: ServedKind, namespace: string | undefined): Promise<Informer> => {
    const informer = start(state, served, namespace, call)
    held.set(informerKey(served, namespace), informer)
    // Held before anything is awaited, or another holder that finishes first would see it unused.
    state.holds.set(holder, new Set([...(state.holds.get(holder) ?? []), ...held.keys()]))
    await informer.ready(call)
    return informer
  }
  const useAll = async ({ served, namespaces }: Place): Promise<void> => {
    if (isWide(state, served, namespaces)) {
      const informer = await use(served, undefined)
      if (!served.namespaced || !isForbidden(informer.problem)) return
      state.narrow.add(informerKey(served, undefined))
      held.delete(informerKey(served, undefined))
    }
    await Promise.all([...namespaces].map((namespace) => use(served, namespace)))
  }
  let listed = 0
  const useAndTell = async (place: Place): Promise<void> => {
    await useAll(place)
    call.progress?.({ activity: 'listing', done: ++listed, total: places.size, unit: 'kinds' })
  }
  await Promise.all([...places.values()].map(useAndTell))
  state.holds.set(holder, new Set(held.keys()))
  stopUnheld(state)
  return held
}

interface Place {
  readonly served: ServedKind
  readonly namespaces: Set<string>
}

function placesOf(located: readonly Located[]): Map<string, Place> {
  const places = new Map<string, Place>()
  for (const { served, ref } of located) {
    const key = informerKey(served, undefined)
    const place = places.get(key) ?? { served, namespaces: new Set() }
    places.set(key, place)
    if (served.namespaced) place.namespaces.add(ref.namespace ?? 'default')
  }
  return places
}

function isWide(state: State, served: ServedKind, namespaces: ReadonlySet<string>): boolean {
  if (!served.namespaced) return true
  const key = informerKey(served, undefined)
  if (state.narrow.has(key)) return false
  return state.informers.has(key) || namespaces.size > (state.options.maxNamespaceWatches ?? 5)
}

function isForbidden(problem: GitOpsError | undefined): boolean {
  return refusalOf(problem)?.status === 403
}

function start(state: State, served: ServedKind, namespace: string | undefined, call: Call): Informer {
  const key = informerKey(served, namespace)
  const running = state.informers.get(key)
  if (running !== undefined) return running
  const { client, looking, pageSize } = state.options
  const { clock, log, random } = call
  const changed = (seen: Seen): void => {
    const ref = {
      ...(served.group !== '' && { group: served.group }),
      kind: served.kind,
      ...(seen.namespace !== undefined && { namespace: seen.namespace }),
      name: seen.name,
    }
    for (const listener of state.listeners) listener(ref)
  }
  const background = createCall({ clock, log, random })
  const options = { client, served, namespace, looking, changed, streaming: state.streaming, call: background }
  const informer = startInformer({ ...options, ...(pageSize !== undefined && { pageSize }) })
  state.informers.set(key, informer)
  return informer
}

function stopUnheld({ informers, holds }: State): void {
  for (const [key, informer] of informers) {
    if ([...holds.values()].some((keys) => keys.has(key))) continue
    informer.stop()
    informers.delete(key)
  }
}

function informerOf(
  { informers }: Pick<State, 'informers'>,
  served: ServedKind,
  namespace: string | undefined,
): Informer | undefined {
  return informers.get(informerKey(served, undefined)) ?? informers.get(informerKey(served, namespace))
}

function informerKey({ apiVersion, resource }: ServedKind, namespace: string | undefined): string {
  return `${apiVersion}/${resource} ${namespace ?? '*'}`
}
