import {
  type Call,
  type Change,
  type Fence,
  GitOpsError,
  type JsonObject,
  label,
  type ResourceRef,
  type RunCall,
} from '@gitops-sdk/core'
import { refusalOf } from '../client/errors.ts'
import { metadataOf, objectAt } from '../client/json.ts'
import { getObject, type ObjectPlace } from '../client/objects.ts'
import type { KubeClient } from '../client/port.ts'
import { claimOf } from '../observe/observe.ts'
import { claimOn, type Seen } from '../observe/seen.ts'
import { TOKEN, tokenOf } from '../observe/token.ts'

/** What a write carries so that the server itself refuses it when it comes too late. Empty where a single process runs. */
export interface Guard {
  /** The version the object has to be at. */
  readonly version?: string
  /** The token of the claim under which it is written, left on the object for those that come later. */
  readonly token?: number
}

/** The right to write that the server checks as well. Lost for good once it was found lost; never where a single process runs. */
export interface WriteFence extends Pick<Fence, 'assertHeld'> {
  /** Throws `LEDGER_FENCED` when the object was written under a later claim of this application. */
  check(object: JsonObject, ref: ResourceRef): void
  /** Sends a write on condition that nobody wrote since; again when somebody did who is no later holder. */
  send<T>(write: (guard: Guard) => Promise<T>, place: ObjectPlace, change: Change, call: Call): Promise<T>
}

/** Whose writes are fenced, and where. */
export interface Fencing {
  readonly client: KubeClient
  readonly manager: string
  readonly owner: string
}

/** No object was ever at this version: who is at it must not exist yet. */
const NONE = '1'

/** How often an object that others keep changing is tried. */
const ATTEMPTS = 6

const unfenced: WriteFence = { assertHeld: () => {}, check: () => {}, send: (write) => write({}) }

/** The fence of a call as the server checks it. */
export function writeFence(run: RunCall, { client, manager, owner }: Fencing): WriteFence {
  const { fence } = run
  if (fence === undefined) return unfenced
  const { token } = fence
  let lost: GitOpsError | undefined
  const check = (object: JsonObject, ref: ResourceRef): void => {
    const mark = { claim: claimOn(object), token: tokenOf(object, manager) }
    const found = overtaken(mark, ref, run, owner)
    if (found === undefined) return
    lost = found
    throw lost
  }
  return {
    check,
    assertHeld: () => {
      if (lost !== undefined) throw lost
      fence.assertHeld()
    },
    send: async (write, place, change, call) => {
      let version = change.action === 'create' ? NONE : change.version
      for (let attempt = 1; ; attempt++) {
        try {
          return await write({ token, ...(version !== undefined && { version }) })
        } catch (thrown) {
          if (!isModified(thrown) || attempt === ATTEMPTS) throw thrown
          const live = await getObject(client, place, call)
          if (live === undefined || !isMeant(live, change)) throw thrown
          check(live, change.ref)
          version = versionOf(live)
        }
      }
    },
  }
}

/** A body with what it carries. */
export function carrying(body: JsonObject, { version, token }: Guard): JsonObject {
  if (version === undefined && token === undefined) return body
  const metadata = {
    ...(body['metadata'] as JsonObject),
    ...(version !== undefined && { resourceVersion: version }),
    ...(token !== undefined && { annotations: { ...annotationsOf(body), [TOKEN]: String(token) } }),
  }
  return { ...body, metadata }
}

/** The error of a writer that a later one of its application has overtaken, by what stands on an object; `undefined` where none has. */
export function overtaken(
  { claim, token: found }: Pick<Seen, 'claim' | 'token'>,
  ref: ResourceRef,
  { fence, application }: RunCall,
  owner: string,
): GitOpsError | undefined {
  if (fence === undefined || found === undefined || found <= fence.token) return undefined
  if (claim !== claimOf(owner, application, ref)) return undefined
  const message = `${label(ref)} was written under a later claim (token ${found}, ours is ${fence.token}). Nothing more is written; another process goes on. If there is none, remove its annotation ${TOKEN}.`
  return new GitOpsError('LEDGER_FENCED', message, { details: { token: fence.token, current: found } })
}

/** The object is at another version than the one that was named: not changed. Fields of another manager are another matter. */
function isModified(thrown: unknown): boolean {
  const refusal = refusalOf(thrown)
  return refusal?.status === 409 && refusal.reason === 'Conflict'
}

function isMeant({ metadata }: JsonObject, { uid, action }: Change): boolean {
  return uid === undefined || action === 'create' || (metadata as JsonObject)['uid'] === uid
}

function versionOf({ metadata }: JsonObject): string {
  return String((metadata as JsonObject)['resourceVersion'] as string)
}

function annotationsOf(object: JsonObject): JsonObject {
  return objectAt(metadataOf(object), 'annotations')
}
