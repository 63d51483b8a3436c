import type { HealthStatus, JsonObject, ResourceOptions } from '@gitops-sdk/core'
import { metadataOf, objectAt, textOf, textsOf } from '../client/json.ts'
import { annotationsOf, optionsOfLive, OWN } from '../declare/annotations.ts'
import { extrasBy } from './extras.ts'
import { type Fingerprint, fingerprint, hash, isSecret, project } from './field-set.ts'
import { TOKEN, tokenOf } from './token.ts'

/** Claims an object for an application: `owner/application key`. A copy of the object does not claim. */
export const CLAIM: string = `${OWN}owned-by`

/** What an object carries as a claim; empty where that is none. */
export function claimOn(object: JsonObject): string {
  return textOf(objectAt(metadataOf(object), 'annotations')[CLAIM])
}

/** What is kept of an object: who it is and what proves it unchanged, not its values. */
export interface Seen {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string | undefined
  readonly name: string
  readonly uid: string
  readonly version: string
  /** Being deleted, and waiting for these finalizers. */
  readonly deleting: readonly string[] | undefined
  /** The value of the claim. */
  readonly claim: string | undefined
  /** The token of the claim under which it was last written, where processes share the applications. */
  readonly token: number | undefined
  readonly fingerprint: Fingerprint | undefined
  /** A digest of what others own and we did not apply, by the name of its manager; mostly there is nothing. */
  readonly extras: ReadonlyMap<string, string> | undefined
  readonly options: ResourceOptions
  readonly health: { readonly status: HealthStatus; readonly reason?: string; readonly message: string }
}

/** How objects are looked at. */
export interface Looking {
  readonly manager: string
  /** Judges the health of an object at the moment it is seen. */
  readonly judge: (object: JsonObject) => Seen['health']
}

const noOptions: ResourceOptions = {}
/** Annotations of ours that ask for nothing. */
const marks: readonly string[] = [CLAIM, TOKEN]
/** Equal verdicts are one object: ten thousand healthy ones cost nothing. */
const verdicts = new WeakMap<Looking, Map<string, Seen['health']>>()

/** What is kept of an object that was read. */
export function see(object: JsonObject, kind: Pick<Seen, 'apiVersion' | 'kind'>, looking: Looking): Seen {
  const metadata = object['metadata'] as JsonObject
  const annotations = annotationsOf(object)
  const claim = annotations.get(CLAIM)
  const isOnlyMarked = annotations.size === marks.filter((mark) => annotations.has(mark)).length
  // Items of a list have no kind of their own.
  const full = object['kind'] === undefined ? { ...object, ...kind } : object
  return {
    ...kind,
    namespace: textOf(metadata['namespace']) || undefined,
    name: textOf(metadata['name']),
    uid: textOf(metadata['uid']),
    version: textOf(metadata['resourceVersion']),
    deleting: metadata['deletionTimestamp'] === undefined ? undefined : textsOf(metadata['finalizers']),
    claim,
    token: annotations.has(TOKEN) ? tokenOf(object, looking.manager) : undefined,
    fingerprint: fingerprint(full, looking.manager),
    extras: extrasSeen(full, looking.manager),
    options: isOnlyMarked ? noOptions : shared(optionsOfLive(object)),
    health: sharedVerdict(looking, looking.judge(full)),
  }
}

function extrasSeen(object: JsonObject, self: string): Seen['extras'] {
  const found = extrasBy(object, self)
  if (found.size === 0) return undefined
  const version = isSecret(object) ? textOf(metadataOf(object)['resourceVersion']) : ''
  return new Map(
    [...found].map(([{ manager }, set]) => [manager, version || hash([set, project(object, set) ?? null])]),
  )
}

function shared(options: ResourceOptions): ResourceOptions {
  return Object.keys(options).length === 0 ? noOptions : options
}

function sharedVerdict(looking: Looking, verdict: Seen['health']): Seen['health'] {
  const known = verdicts.get(looking) ?? new Map<string, Seen['health']>()
  verdicts.set(looking, known)
  const key = `${verdict.status} ${verdict.reason ?? ''} ${verdict.message}`
  const same = known.get(key)
  if (same !== undefined) return same
  if (known.size < 1000) known.set(key, verdict)
  return verdict
}
