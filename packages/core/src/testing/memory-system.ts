import type { ActualChange, Actor } from '../actual/actual.ts'
import type { ResourceRef } from '../desired/desired.ts'
import { covers, parsePointer } from '../desired/pointer.ts'
import { refKey } from '../desired/ref.ts'
import { diffJson } from '../plan/diff.ts'
import { extend } from '../runtime/extend.ts'
import type { JsonObject } from '../runtime/json.ts'
import { createFeed, type Feed } from '../source/feed.ts'

/** A resource as the memory system keeps it. Put one into `live` by hand with a ref and a body. */
export interface LiveResource {
  readonly ref: ResourceRef
  readonly body: JsonObject
  readonly digest?: string
  readonly uid?: string
  readonly version?: string
  readonly owner?: string
  readonly sensitive?: readonly string[]
  /** Who last changed a field, by JSON Pointer. */
  readonly actors?: ReadonlyMap<string, Actor>
}

/** A managed system in memory. It outlives the targets that manage it, as a real one does. */
export interface MemorySystem {
  /** By `refKey`. */
  readonly live: Map<string, LiveResource>
  readonly changed: Feed<ActualChange>
  /** The largest fence token seen, by application: a write with a smaller one is refused. */
  readonly tokens: Map<string, number>
  /** Stores a resource under a new version, and a new identity where it has none, and tells whoever watches. */
  put(resource: LiveResource): LiveResource
  /** Removes a resource; `false` when it was not there. */
  remove(ref: ResourceRef): boolean
  /** Changes a resource as a person would, past the engine; every field that differs remembers who it was. */
  edit(ref: ResourceRef, body: JsonObject, actor?: Actor): LiveResource
}

const somebody: Actor = { name: 'somebody', confidence: 'certain' }

/** An empty system. Identities and versions are numbers in the order things happen, so that a run repeats exactly. */
export function memorySystem(): MemorySystem {
  const live = new Map<string, LiveResource>()
  const changed = createFeed<ActualChange>()
  let sequence = 0
  const put = (resource: LiveResource): LiveResource => {
    sequence++
    const stored = extend(resource, { uid: resource.uid ?? `uid-${sequence}`, version: String(sequence) })
    live.set(refKey(resource.ref), stored)
    changed.emit({ ref: resource.ref })
    return stored
  }
  const remove = (ref: ResourceRef): boolean => {
    const was = live.delete(refKey(ref))
    if (was) changed.emit({ ref })
    return was
  }
  const edit = (ref: ResourceRef, body: JsonObject, actor = somebody): LiveResource => {
    const { digest: _digest, ...before } = live.get(refKey(ref)) ?? { ref, body: {} }
    const paths = diffJson(before.body, body).map(({ path }) => path)
    const actors = new Map([...(before.actors ?? []), ...paths.map((path) => [path, actor] as const)])
    return put({ ...before, body, actors })
  }
  return { live, changed, tokens: new Map(), put, remove, edit }
}

/** Who last changed the field at `pointer`, or something above it. */
export function actorIn(actors: ReadonlyMap<string, Actor>, pointer: string): Actor | undefined {
  const segments = parsePointer(pointer)
  let nearest: { readonly depth: number; readonly actor: Actor } | undefined
  for (const [path, actor] of actors) {
    const changed = parsePointer(path)
    if (covers(changed, segments) && changed.length >= (nearest?.depth ?? 0)) nearest = { depth: changed.length, actor }
  }
  return nearest?.actor
}

/** Who changed the fields that a write leaves as they were. */
export function actorsThatStay({ body: before, actors }: LiveResource, after: JsonObject): ReadonlyMap<string, Actor> {
  const written = diffJson(before, after).map(({ path }) => parsePointer(path))
  return new Map(
    [...(actors ?? [])].filter(([path]) => !written.some((changed) => covers(changed, parsePointer(path)))),
  )
}
