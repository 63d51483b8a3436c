import {
  type ActualResource,
  type ActualState,
  actualState,
  type DesiredState,
  type GitOpsError,
  type Inventory,
  type JsonObject,
  refKey,
  type Resource,
  type ResourceRef,
} from '@gitops-sdk/core'
import type { KubePayload } from '../declare/declare.ts'
import type { Sight, Wanted } from './cache.ts'
import type { IsStranger } from './extras.ts'
import { fingerprintText } from './field-set.ts'
import type { Seen } from './seen.ts'

/** An object as `observe` gives it: its body holds who it is, and its health is known. */
interface KubeResource extends ActualResource {
  readonly seen: Seen
}

/** The resource with what was seen of it. */
export function seenOf(resource: ActualResource | undefined): Seen | undefined {
  return resource !== undefined && 'seen' in resource ? (resource as KubeResource).seen : undefined
}

/** Everything declared and owned, once each; declared ones in the version they are declared in. */
export function wantedFor(desired: DesiredState, owned: Inventory): Wanted[] {
  const wanted = new Map<string, Wanted>()
  for (const { ref } of owned.values()) wanted.set(refKey(ref), { ref })
  for (const { ref, body } of desired.resources)
    wanted.set(refKey(ref), { ref, apiVersion: body['apiVersion'] as string })
  return [...wanted.values()]
}

/** What is remembered of comparisons: an object that was found to be as declared needs no second look. */
export type Verified = Map<string, string>

/** What one state of an object was found to be equal to. */
export function verifiedText(declared: Resource, seen: Seen, isStranger?: IsStranger): string {
  const proof = seen.fingerprint === undefined ? `v${seen.version}` : fingerprintText(seen.fingerprint)
  return `${seen.uid} ${declared.digest} ${proof}${strangersIn(seen, isStranger).map(String).join(' ')}`
}

/** What strangers own of an object, in strict mode. */
function strangersIn({ extras }: Seen, isStranger: IsStranger | undefined): readonly (readonly [string, string])[] {
  if (isStranger === undefined || extras === undefined) return []
  return [...extras].filter(([manager]) => isStranger(manager))
}

/** What an application makes of what was seen. */
export interface Viewer {
  readonly owner: string
  readonly verified: Verified
  readonly observedAt: number
  /** Present in strict mode. */
  readonly isStranger?: IsStranger | undefined
}

/** The actual state from what was seen, without asking anybody anything. */
export function actualFrom(desired: DesiredState, owned: Inventory, sight: Sight, viewer: Viewer): ActualState {
  const declared = new Map(desired.resources.map((each) => [refKey(each.ref), each]))
  const refs = new Map([...declared.values(), ...owned.values()].map(({ ref }) => [refKey(ref), ref]))
  const resources: KubeResource[] = []
  const unknown: { ref: ResourceRef; error: GitOpsError }[] = []
  const { createOnly } = (desired.payload ?? { createOnly: new Set() }) as KubePayload
  for (const [key, ref] of refs) {
    const error = sight.unknown.get(key)
    const seen = sight.seen.get(key)
    if (error !== undefined) unknown.push({ ref, error })
    if (seen === undefined) continue
    const wanted = declared.get(key)
    const same = wanted !== undefined && (createOnly.has(key) || isInSync(wanted, owned, seen, viewer))
    resources.push(asActual(ref, seen, viewer.owner, same ? wanted.digest : undefined))
  }
  return actualState({ resources, unknown, observedAt: viewer.observedAt })
}

/** Whether the object is as the declaration left it: what we own is unchanged, and so is what is declared. */
function isInSync(declared: Resource, owned: Inventory, seen: Seen, viewer: Viewer): boolean {
  const key = refKey(declared.ref)
  const record = owned.get(key)
  if (record?.state !== 'applied' || record.uid !== seen.uid) return false
  const { verified, isStranger } = viewer
  if (verified.get(key) === verifiedText(declared, seen, isStranger)) return true
  if (strangersIn(seen, isStranger).length > 0) return false
  if (record.digest !== declared.digest || seen.fingerprint === undefined) return false
  return record.note === fingerprintText(seen.fingerprint)
}

function asActual(ref: ResourceRef, seen: Seen, owner: string, digest: string | undefined): KubeResource {
  const claimant = ownerIn(seen.claim, ref, owner)
  return {
    ref,
    body: identityOf(seen),
    uid: seen.uid,
    version: seen.version,
    ...(digest !== undefined && { digest }),
    ...(claimant !== undefined && { owner: claimant }),
    seen,
  }
}

function identityOf({ apiVersion, kind, namespace, name, uid, version }: Seen): JsonObject {
  return {
    apiVersion,
    kind,
    metadata: { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion: version },
  }
}

/** The claim of an application on an object. */
export function claimOf(owner: string, application: string, ref: ResourceRef): string {
  return `${owner}/${application} ${refKey(ref)}`
}

/** The owner and the application a claim speaks of. A claim on something else is none. */
export function claimantIn(claim: string | undefined, ref: ResourceRef): string | undefined {
  const space = claim?.indexOf(' ') ?? -1
  if (claim === undefined || space === -1 || claim.slice(space + 1) !== refKey(ref)) return undefined
  return claim.slice(0, space)
}

/** The application a claim speaks of; with its owner where that is another. */
export function ownerIn(claim: string | undefined, ref: ResourceRef, owner: string): string | undefined {
  const claimant = claimantIn(claim, ref)
  return claimant?.startsWith(`${owner}/`) ? claimant.slice(owner.length + 1) : claimant
}
