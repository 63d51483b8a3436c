import type { HealthStatus, JsonObject, ResourceHealth } from '@gitops-sdk/core'
import type { Condition } from './read.ts'

/** The health of one object, without its ref. */
export type Verdict = Omit<ResourceHealth, 'ref'>

/** A health check of your own. `undefined` leaves the object to the rules. */
export type HealthCheck = (object: JsonObject) => Verdict | HealthStatus | undefined

/** What kstatus says about an object. */
export interface KStatus {
  readonly status: 'InProgress' | 'Failed' | 'Current' | 'Terminating' | 'Unknown'
  /** For a program; empty where kstatus gives none. */
  readonly reason: string
  readonly message: string
}

/** Variants where the field does not agree. */
export interface KStatusOptions {
  /**
   * `flux`: a Job is in progress until it has completed. `upstream`: a Job that has started is current.
   * @defaultValue 'flux'
   */
  readonly jobs?: 'flux' | 'upstream'
  /** Epoch milliseconds, for the 15 seconds a Pod may wait for a node. */
  readonly now: number
}

/** What a rule of one kind may look at. */
export interface RuleInput extends KStatusOptions {
  readonly object: JsonObject
  readonly conditions: readonly Condition[]
}

/** The rule of one kind. */
export type Rule = (input: RuleInput) => KStatus

/** A result of a rule. */
export const current = (message: string): KStatus => ({ status: 'Current', reason: '', message })
export const inProgress = (reason: string, message: string): KStatus => ({ status: 'InProgress', reason, message })
export const failed = (reason: string, message: string): KStatus => ({ status: 'Failed', reason, message })
export const unknown = (message: string): KStatus => ({ status: 'Unknown', reason: 'Malformed', message })
