import type { ResourceRef } from '../../desired/desired.ts'
import type { IgnoreRule, Plan } from '../../plan/plan.ts'

/** What may be done for an application, when, and how often it is looked at. Every member has a default. */
export interface Policy {
  /**
   * `observe` detects and reports only. `approve` applies a plan once somebody approved its exact
   * fingerprint. `automatic` applies what the rest of the policy allows.
   *
   * @defaultValue 'automatic'
   */
  readonly mode: PolicyMode
  /** Delete owned resources that are no longer declared. @defaultValue false */
  readonly prune: boolean
  /**
   * What happens to drift: `true` heals it, `false` only reports it, `'adopt'` accepts the actual
   * state until the declaration changes.
   *
   * @defaultValue true
   */
  readonly selfHeal: boolean | 'adopt'
  /** Permits a declaration without any resource to remove everything that is owned. @defaultValue false */
  readonly allowEmpty: boolean
  /** What is never deleted or replaced without an approval. @defaultValue nothing */
  readonly protect: Protection
  /** A plan with more changes than this needs an approval. @defaultValue no limit */
  readonly maxChanges?: number
  /** A plan that deletes or replaces more resources than this needs an approval. @defaultValue no limit */
  readonly maxDeletions?: number
  /** When changes may be made. @defaultValue always */
  readonly windows: readonly Window[]
  /** Asked about every plan before it is applied. @defaultValue none */
  readonly guards: readonly Guard[]
  /** How long all guards together may take; the plan is denied after that. @defaultValue 10_000 */
  readonly guardTimeoutMs: number
  /** Differences that are left out of the comparison, and shown as ignored. @defaultValue none */
  readonly ignore: readonly IgnoreRule[]
  /** When a failed run is tried again. */
  readonly retry: RetryPolicy
  /** How often the source is asked for a new revision; 0 leaves it to pushes. @defaultValue 120_000 */
  readonly intervalMs: number
  /** At most this part of the interval is added at random, so that applications spread out. @defaultValue 0.5 */
  readonly jitter: number
  /**
   * How often the actual state is read while the revision stays the same; 0 leaves it to the target's watch.
   *
   * @defaultValue `intervalMs` for a target that is cheap to observe, one hour for an expensive one
   */
  readonly driftIntervalMs?: number
  /** How long a step, and the application at the end, may take to become healthy. @defaultValue 300_000 */
  readonly healthTimeoutMs: number
  /** How long an approval stays valid that names no end itself. @defaultValue 86_400_000 */
  readonly approvalLifetimeMs: number
  /** After healing the same field from the same value this often, healing it stops until the declaration changes. @defaultValue 5 */
  readonly oscillationLimit: number
}

/** See `Policy.mode`. */
export type PolicyMode = 'observe' | 'approve' | 'automatic'

/** A policy as it is written: what is left out takes its default. */
export type PolicyOptions = Partial<Omit<Policy, 'retry'>> & { readonly retry?: Partial<RetryPolicy> }

/** Resources that are never deleted or replaced without an approval. Any match protects. */
export interface Protection {
  /** Kinds, as `Namespace` or with their group as `apps/Deployment`. */
  readonly kinds?: readonly string[]
  /** Single resources. An absent `group` or `namespace` matches any. */
  readonly resources?: readonly ResourceRef[]
}

/**
 * A repeating span of time. With at least one `allow` window, changes are made only inside one;
 * an open `deny` window wins over every `allow`.
 */
export interface Window {
  /** Shown in every decision it takes part in. */
  readonly name?: string
  readonly kind: 'allow' | 'deny'
  /** When it opens: five cron fields (minute, hour, day of month, month, day of week) in `timeZone`. */
  readonly cron: string
  /** How long it stays open, in elapsed milliseconds: a change to or from summer time does not stretch it. */
  readonly durationMs: number
  /** An IANA name such as `Europe/Berlin`. @defaultValue 'UTC' */
  readonly timeZone?: string
  /** Runs that a person asked for may go ahead although the window forbids it. @defaultValue false */
  readonly allowManual?: boolean
}

/**
 * A function that is asked about a plan before it is applied. One that throws, rejects or takes too
 * long denies. Its function name is shown with its answer.
 */
export type Guard = (plan: Plan, context: GuardContext) => GuardAnswer | Promise<GuardAnswer>

/** `ask` stops until the plan is approved by a person, `deny` stops for good. */
export type GuardAnswer = 'allow' | { readonly ask: string } | { readonly deny: string }

/** What a guard may want to know besides the plan. */
export interface GuardContext {
  readonly application: string
  readonly labels: Readonly<Record<string, string>>
  /** Why the run was started. */
  readonly trigger: string
  /** Epoch milliseconds. */
  readonly now: number
  readonly signal: AbortSignal
}

/** Exponential back-off. A new revision starts over. */
export interface RetryPolicy {
  /** Delay before the first retry. @defaultValue 5_000 */
  readonly baseMs: number
  /** @defaultValue 2 */
  readonly factor: number
  /** No delay is longer, unless the server asked for it. @defaultValue 180_000 */
  readonly maxMs: number
  /** At most this part of the delay is taken off at random. @defaultValue 0.1 */
  readonly jitter: number
  /** Retries in a row at one revision; after that it waits for a new one. @defaultValue no limit */
  readonly limit?: number
}

/** The policy of an application that says nothing. */
export const defaultPolicy: Policy = {
  mode: 'automatic',
  prune: false,
  selfHeal: true,
  allowEmpty: false,
  protect: {},
  windows: [],
  guards: [],
  guardTimeoutMs: 10_000,
  ignore: [],
  retry: { baseMs: 5_000, factor: 2, maxMs: 180_000, jitter: 0.1 },
  intervalMs: 120_000,
  jitter: 0.5,
  healthTimeoutMs: 300_000,
  approvalLifetimeMs: 86_400_000,
  oscillationLimit: 5,
}

/** `options` with every default filled in. */
export function resolvePolicy(options: PolicyOptions = {}): Policy {
  return { ...defaultPolicy, ...options, retry: { ...defaultPolicy.retry, ...options.retry } }
}
