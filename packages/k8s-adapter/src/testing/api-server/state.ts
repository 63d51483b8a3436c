import type { JsonObject } from '@gitops-sdk/core'
import type { User } from './access.ts'
import { type Kind, type Kinds } from './kinds.ts'
import type { Store } from './store.ts'

/** Everything a server in memory is. */
export interface ServerState {
  readonly kinds: Kinds
  readonly store: Store
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly admit: Admission | undefined
  /** Lists that somebody is in the middle of reading, by their token. */
  readonly pages: Map<string, readonly JsonObject[]>
}

/** One request for objects of a kind. */
export interface Request {
  readonly method: string
  readonly kind: Kind
  /** Empty for what has none, and for all of them. */
  readonly namespace: string
  /** Empty for a collection. */
  readonly name: string
  readonly subresource: string
  readonly query: URLSearchParams
  readonly body: string
  readonly contentType: string
  readonly user: User
  /** The name of who writes, where the request does not give one. */
  readonly agent: string
}

/** What somebody is about to write. */
export interface AdmissionReview {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE'
  readonly kind: string
  readonly apiVersion: string
  readonly namespace: string
  readonly name: string
  readonly user: string
  readonly dryRun: boolean
  /** As it would be stored; as it is for a deletion. */
  readonly object: JsonObject
}

/**
 * Stands for the webhooks and policies of a cluster. Returns nothing to accept, another object to change what is
 * stored, or why it is denied.
 */
export type Admission = (review: AdmissionReview) => JsonObject | AdmissionDenial | undefined

/** A write that is not accepted. */
export interface AdmissionDenial {
  readonly denied: string
  /** @defaultValue 403 */
  readonly code?: number
}
