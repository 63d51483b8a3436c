import type { JsonObject } from '@gitops-sdk/core'
import { invalid, refusal, status } from './answer.ts'
import { metadataOf, textOf, withMetadata } from '../../client/json.ts'
import { inVersion, matcherOf } from './read.ts'
import type { Request, ServerState } from './state.ts'
import { collectionOf, keyOf, type StoreEvent } from './store.ts'

/** Somebody who listens. */
export interface Listener {
  write(line: string): void
  end(): void
}

/** How a watch ends, and how it is told that nothing happened. */
export interface Watching {
  stop(): void
  bookmark(): void
}

/** Follows a collection: what there is, where that was asked for, what happened since, and what happens from now on. */
export function watch(state: ServerState, request: Request, listener: Listener): Watching {
  const { query } = request
  const streamsList = query.get('sendInitialEvents') === 'true'
  const filter = filterOf(request)
  const send = (type: string, object: JsonObject): void => listener.write(`${JSON.stringify({ type, object })}\n`)
  const follow = (event: StoreEvent): void => {
    const seen = filter(event)
    if (seen !== undefined) send(seen, inVersion(shownAs(seen, event), request))
  }
  const bookmark = (): void => {
    if (query.get('allowWatchBookmarks') === 'true') send('BOOKMARK', markOf(request, state.store.version))
  }
  const from = query.get('resourceVersion') ?? ''
  if (streamsList || from === '' || from === '0') {
    for (const object of initial(state, request)) send('ADDED', inVersion(object, request))
    if (streamsList) send('BOOKMARK', endMarkOf(request, state.store.version))
  } else if (Number(from) < state.store.compacted) {
    const message = 'The resourceVersion for the provided watch is too old.'
    send('ERROR', status(410, 'Expired', message).body as JsonObject)
    listener.end()
    return { stop: () => {}, bookmark: () => {} }
  } else for (const event of state.store.since(Number(from))) follow(event)
  return { stop: state.store.subscribe(follow), bookmark }
}

/** Refuses a version that is none, and a streamed list that does not say which version it may begin at. */
export function assertMatch(query: URLSearchParams): void {
  const from = query.get('resourceVersion') ?? ''
  if (!/^\d*$/.test(from)) {
    const why = `Invalid value: "${from}": strconv.ParseUint: parsing "${from}": invalid syntax`
    throw refusal(status(500, '', `resourceVersion: ${why}`))
  }
  if (query.get('sendInitialEvents') !== 'true' || query.get('resourceVersionMatch') === 'NotOlderThan') return
  const subject = { group: 'meta.k8s.io', resource: 'listoptions', kind: 'ListOptions', name: '' }
  const message = 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'
  throw invalid(subject, [{ field: 'resourceVersionMatch', reason: 'FieldValueForbidden', message }])
}

function initial(state: ServerState, request: Request): JsonObject[] {
  const { kind, namespace } = request
  return state.store.list(kind, namespace === '' ? undefined : namespace).filter(matcherOf(request))
}

/** What an event is to this listener: an object that stops to match is gone, one that begins to match is new. */
function filterOf(request: Request): (event: StoreEvent) => StoreEvent['type'] | undefined {
  const collection = collectionOf(request.kind)
  const matches = matcherOf(request)
  const prefix = keyOf(request.namespace, '')
  return ({ type, collection: changed, object, before }) => {
    const { namespace, name } = metadataOf(object)
    if (changed !== collection) return undefined
    if (request.namespace !== '' && !keyOf(textOf(namespace), textOf(name)).startsWith(prefix)) return undefined
    const [did, does] = [before !== undefined && matches(before), type !== 'DELETED' && matches(object)]
    if (did && does) return 'MODIFIED'
    if (did) return 'DELETED'
    return does ? 'ADDED' : undefined
  }
}

/** Who stops to see an object sees it as it was, in the version in which it went. */
function shownAs(seen: StoreEvent['type'], { type, object, before }: StoreEvent): JsonObject {
  if (seen !== 'DELETED' || type === 'DELETED' || before === undefined) return object
  return withMetadata(before, { resourceVersion: metadataOf(object)['resourceVersion'] })
}

function markOf({ kind }: Request, version: number): JsonObject {
  return {
    kind: kind.kind,
    apiVersion: kind.apiVersion,
    metadata: { resourceVersion: String(version) },
  }
}

function endMarkOf(request: Request, version: number): JsonObject {
  return withMetadata(markOf(request, version), { annotations: { 'k8s.io/initial-events-end': 'true' } })
}
