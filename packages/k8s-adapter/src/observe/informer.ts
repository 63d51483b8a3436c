import { type Call, GitOpsError, type JsonObject, sleep, toGitOpsError } from '@gitops-sdk/core'
import type { ServedKind } from '../client/discovery.ts'
import { errorFor, refusalOf } from '../client/errors.ts'
import { collectionPath, listPages } from '../client/objects.ts'
import type { KubeClient } from '../client/port.ts'
import { type Looking, see, type Seen } from './seen.ts'

/** Keeps what there is of one kind, in one namespace or in all, by listing once and watching from then on. */
export interface Informer {
  readonly served: ServedKind
  /** `undefined`: all namespaces. */
  readonly namespace: string | undefined
  /** By `namespace/name`. */
  readonly objects: ReadonlyMap<string, Seen>
  /** Why what is kept cannot be trusted now. */
  readonly problem: GitOpsError | undefined
  /** Resolves when it is known what there is, or why not. A broken one tries again at once. */
  ready(call: Call): Promise<void>
  /** Takes the answer to a write of our own, unless the watch told first, and says what is to be kept of it. */
  put(object: JsonObject): Seen
  /** Takes a confirmed deletion of our own. */
  drop(seen: Pick<Seen, 'namespace' | 'name' | 'uid'>): void
  stop(): void
}

/** What an informer needs. */
export interface InformerOptions {
  readonly client: KubeClient
  readonly served: ServedKind
  readonly namespace: string | undefined
  readonly looking: Looking
  /** Called for everything that changes after the first list. */
  readonly changed: (seen: Seen) => void
  /** Shared between informers: whether the server can stream a list. */
  readonly streaming: { supported: boolean }
  /** Lives as long as the informer. */
  readonly call: Call
  /** @defaultValue 500 */
  readonly pageSize?: number
}

/** Bookmarks come every minute: silence for three of them is a connection that died without telling. */
const SILENCE_MS = 180_000
const WATCH_SECONDS = 300
const MAX_BACKOFF_MS = 30_000

interface State {
  readonly options: InformerOptions
  readonly call: Call
  objects: Map<string, Seen>
  /** Where the watch goes on; `undefined`: everything is read again. */
  version: string | undefined
  problem: GitOpsError | undefined
  synced: boolean
  /** Deleted by us, and not yet by the watch. */
  readonly gone: Set<string>
  waiting: (() => void)[]
  wake: () => void
}

/** Starts to list and watch. */
export function startInformer(options: InformerOptions): Informer {
  const ending = new AbortController()
  const call: Call = { ...options.call, signal: ending.signal }
  const state: State = {
    options,
    call,
    objects: new Map(),
    version: undefined,
    problem: undefined,
    synced: false,
    gone: new Set(),
    waiting: [],
    wake: () => {},
  }
  void run(state)
  return {
    served: options.served,
    namespace: options.namespace,
    get objects() {
      return state.objects
    },
    get problem() {
      return state.problem ?? (state.synced ? undefined : notRead(state))
    },
    ready: (asker) => ready(state, asker),
    put: (object) => taken(state, object),
    drop: (seen) => drop(state, seen),
    stop: () => ending.abort(),
  }
}

/** Nothing was read yet, because whoever asked gave up or the informer was stopped. Not the same as nothing there. */
function notRead({ options: { served } }: State): GitOpsError {
  return new GitOpsError('TARGET_UNREACHABLE', `What there is of ${served.resource} was not read in time.`)
}

function ready(state: State, { signal }: Call): Promise<void> {
  if (state.synced && state.problem === undefined) return Promise.resolve()
  return new Promise((resolve) => {
    state.waiting.push(resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
    state.wake()
  })
}

function settle(state: State, problem: GitOpsError | undefined): void {
  state.problem = problem
  for (const resolve of state.waiting.splice(0)) resolve()
}

async function run(state: State): Promise<void> {
  let failures = 0
  while (!state.call.signal.aborted) {
    const began = state.version
    try {
      await follow(state)
      failures = 0
      // A watch that ended without a word may follow a version from before a restore: look again.
      if (began !== undefined && state.version === began) state.version = undefined
    } catch (thrown) {
      if (state.call.signal.aborted) return settle(state, undefined)
      if (isExpired(thrown)) state.version = undefined
      // The first failure after a good watch is tried again at once, and nobody needs to know.
      if (failures++ === 0 && state.synced) continue
      settle(state, toGitOpsError(thrown, `Watching ${state.options.served.resource}`))
      await pause(state, Math.min(MAX_BACKOFF_MS, 250 * 2 ** Math.min(failures, 10)))
    }
  }
}

async function pause(state: State, delayMs: number): Promise<void> {
  const waking = new AbortController()
  state.wake = () => waking.abort()
  const signal = AbortSignal.any([waking.signal, state.call.signal])
  await sleep(delayMs * (0.5 + state.call.random.next() / 2), { ...state.call, signal }).catch(() => {})
  state.wake = () => {}
}

async function follow(state: State): Promise<void> {
  const { streaming } = state.options
  if (state.version !== undefined) return watchFrom(state, { resourceVersion: state.version })
  if (streaming.supported) {
    try {
      return await watchFrom(state, { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' })
    } catch (thrown) {
      if (state.version !== undefined || !isUnsupported(thrown)) throw thrown
      streaming.supported = false
    }
  }
  await list(state)
}

async function list(state: State): Promise<void> {
  const { client, served, namespace, pageSize = 500 } = state.options
  const fresh = new Map<string, Seen>()
  let version: string | undefined
  for await (const page of listPages(client, collectionPath(served, namespace), pageSize, state.call)) {
    for (const item of page.items) add(fresh, look(state, item))
    version = page.version
  }
  replaceAll(state, fresh, version)
}

function replaceAll(state: State, fresh: Map<string, Seen>, version: string | undefined): void {
  const before = state.objects
  const first = !state.synced
  state.objects = fresh
  state.version = version
  state.synced = true
  settle(state, undefined)
  if (first) return
  for (const [key, seen] of before) if (fresh.get(key)?.uid !== seen.uid) state.options.changed(seen)
  for (const [key, seen] of fresh) if (before.get(key)?.version !== seen.version) state.options.changed(seen)
}

async function watchFrom(state: State, how: Readonly<Record<string, string>>): Promise<void> {
  const { client, served, namespace } = state.options
  const watchdog = createWatchdog(state.call)
  const seconds = Math.round(WATCH_SECONDS * (1 + state.call.random.next()))
  const query = { watch: '1', allowWatchBookmarks: 'true', timeoutSeconds: String(seconds), ...how }
  const request = { method: 'GET', path: collectionPath(served, namespace), query } as const
  const initial = 'sendInitialEvents' in how ? new Map<string, Seen>() : undefined
  const taking: Taking = { initial }
  const opened = (): void => {
    if (initial === undefined) settle(state, undefined)
  }
  try {
    for await (const event of client.stream(request, { ...state.call, signal: watchdog.signal }, opened)) {
      watchdog.feed()
      take(state, taking, event)
    }
    if (taking.initial !== undefined)
      throw new GitOpsError('TARGET_INTERNAL', 'A streamed list ended before it was complete.')
  } finally {
    watchdog.stop()
  }
}

interface Taking {
  /** Collects the events of a streamed list until its end is marked. */
  initial: Map<string, Seen> | undefined
}

function take(state: State, taking: Taking, event: JsonObject): void {
  const object = event['object'] as JsonObject
  if (event['type'] === 'ERROR') throw errorOf(state, object)
  const version = versionOf(object)
  if (event['type'] === 'BOOKMARK') {
    if (taking.initial !== undefined && marksTheEnd(object)) {
      replaceAll(state, taking.initial, version)
      taking.initial = undefined
    }
  } else if (taking.initial !== undefined) {
    add(taking.initial, look(state, object))
  } else if (event['type'] === 'DELETED') {
    remove(state, look(state, object))
  } else {
    taken(state, object)
  }
  if (taking.initial === undefined && version !== undefined) state.version = version
}

/** What is kept of exactly this version of an object. */
function knownOf({ objects }: State, object: JsonObject): Seen | undefined {
  const { namespace, name } = object['metadata'] as { readonly namespace?: string; readonly name: string }
  const known = objects.get(keyOf({ namespace, name }))
  return known !== undefined && known.version === versionOf(object) ? known : undefined
}

function errorOf(state: State, status: JsonObject): GitOpsError {
  const code = status['code']
  const path = collectionPath(state.options.served, state.options.namespace)
  return errorFor({ method: 'WATCH', path, status: typeof code === 'number' ? code : 500, body: status })
}

function marksTheEnd(object: JsonObject): boolean {
  const metadata = object['metadata'] as JsonObject | undefined
  return (metadata?.['annotations'] as JsonObject | undefined)?.['k8s.io/initial-events-end'] === 'true'
}

function versionOf(object: JsonObject): string | undefined {
  const version = (object['metadata'] as JsonObject | undefined)?.['resourceVersion']
  return typeof version === 'string' ? version : undefined
}

function look({ options: { served, looking } }: State, object: JsonObject): Seen {
  return see(object, served, looking)
}

function add(objects: Map<string, Seen>, seen: Seen): void {
  objects.set(keyOf(seen), seen)
}

/** Whoever tells second, the watch or the answer, tells nothing new: looking twice would cost twice. */
function taken(state: State, object: JsonObject): Seen {
  const known = knownOf(state, object)
  if (known !== undefined) return known
  const seen = look(state, object)
  put(state, seen)
  return seen
}

function put(state: State, seen: Seen): void {
  const before = state.objects.get(keyOf(seen))
  if (state.gone.has(seen.uid) || (before !== undefined && !isNewer(seen.version, before.version))) return
  add(state.objects, seen)
  state.options.changed(seen)
}

function remove(state: State, seen: Seen): void {
  state.gone.delete(seen.uid)
  if (state.objects.get(keyOf(seen))?.uid !== seen.uid) return
  state.objects.delete(keyOf(seen))
  state.options.changed(seen)
}

function drop(state: State, seen: Pick<Seen, 'namespace' | 'name' | 'uid'>): void {
  const found = state.objects.get(keyOf(seen))
  if (found?.uid !== seen.uid) return
  state.gone.add(seen.uid)
  state.objects.delete(keyOf(seen))
  state.options.changed(found)
}

/** Versions are numbers in every server there is; where one is not, the later arrival counts. */
function isNewer(left: string, right: string): boolean {
  const digits = /^\d+$/
  return digits.test(left) && digits.test(right) ? BigInt(left) > BigInt(right) : left !== right
}

/** The key of an object inside its kind. */
export function keyOf({ namespace, name }: Pick<Seen, 'namespace' | 'name'>): string {
  return `${namespace ?? ''}/${name}`
}

function isExpired(thrown: unknown): boolean {
  const status = refusalOf(thrown)?.status
  return status === 410 || status === 504
}

/** A server that cannot stream lists refuses the request, or says so inside the stream. */
function isUnsupported(thrown: unknown): boolean {
  const status = refusalOf(thrown)?.status
  return status === 400 || status === 422 || status === 500
}

interface Watchdog {
  readonly signal: AbortSignal
  feed(): void
  stop(): void
}

function createWatchdog({ clock, signal }: Call): Watchdog {
  const controller = new AbortController()
  const onAbort = (): void => controller.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const silent = (): void =>
    controller.abort(new GitOpsError('TARGET_UNREACHABLE', 'A watch was silent for too long and is opened again.'))
  let fedAt = clock.monotonic()
  let timer = clock.setTimer(SILENCE_MS, check)
  // One timer for many events: it looks at the time of the last one when it fires.
  function check(): void {
    const leftMs = SILENCE_MS - (clock.monotonic() - fedAt)
    if (leftMs <= 0) silent()
    else timer = clock.setTimer(leftMs, check)
  }
  return {
    signal: controller.signal,
    feed: () => {
      fedAt = clock.monotonic()
    },
    stop: () => {
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
    },
  }
}
