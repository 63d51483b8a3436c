import type { Actor } from '../actual/actual.ts'
import type { Inventory } from '../actual/inventory.ts'
import type { DesiredState, HookOptions, Origin, Phase, ResourceRef } from '../desired/desired.ts'
import type { ErrorRecord } from '../runtime/errors.ts'
import type { Json } from '../runtime/json.ts'
import type { Revision } from '../source/source.ts'

/**
 * What would be done, as plain data: print it, store it, send it, review it. Secrets are replaced
 * by `Redacted` values; the fingerprint covers everything that would be done.
 */
export interface Plan {
  readonly application: string
  readonly revision: Revision
  readonly mode: PlanMode
  /** `outputs-only`: nothing is written, but published outputs would change. */
  readonly effect: 'none' | 'outputs-only' | 'changes'
  /** False when something could not be read or only a selection was planned. Never taken as in sync. */
  readonly complete: boolean
  /** In the order they will be applied. */
  readonly changes: readonly Change[]
  /** How actual state moved away from what was declared, healed by this plan or not. */
  readonly drift: readonly Drift[]
  /** Differences that a rule left out, each with that rule. */
  readonly ignored: readonly Ignored[]
  /** Changes that will not be made, each with the reason. */
  readonly blocked: readonly Blocked[]
  /** Remarks for people. */
  readonly warnings: readonly string[]
  /** What the plan was made from. */
  readonly basis: { readonly digest: string; readonly version: string }
  /** Equal fingerprints mean: the same would be done. Keyed, so that it reveals no secret. */
  readonly fingerprint: string
  /** A whole-plan target's own artifact. */
  readonly handle?: ArtifactRef
}

/** `converge` makes actual equal desired; `accept-drift` records actual as it is; `destroy` removes everything owned. */
export type PlanMode = 'converge' | 'accept-drift' | 'destroy'

/** A target's own form of a plan, kept in its store. */
export interface ArtifactRef {
  readonly id: string
  /** Checked before it is used. */
  readonly digest: string
}

/** What happens to a resource. `adopt` takes over one that exists; `forget` stops managing it and leaves it there. */
export type Action = 'create' | 'update' | 'replace' | 'delete' | 'adopt' | 'move' | 'forget'

/** Why: the declaration changed, the target moved, both, or something the target says. */
export type Cause = 'revision' | 'drift' | 'both' | 'dependency' | 'requested' | 'hook'

/** One change. */
export interface Change {
  readonly ref: ResourceRef
  readonly action: Action
  readonly cause: Cause
  readonly fields: readonly FieldChange[]
  readonly origin?: Origin
  /** When it is applied. */
  readonly step: Step
  /** Present for a hook. */
  readonly hook?: HookOptions
  /** The identity the change is meant for; another one there, or none where something is written, is a conflict. */
  readonly uid?: string
  /** The version the change was planned against, for compare-and-swap. */
  readonly version?: string
  /** Why this action, where it is not obvious: `image is immutable`. */
  readonly reason?: string
  /** The ref it had before a `move`. */
  readonly from?: ResourceRef
}

/** Phase, wave and level. Changes of one step may run side by side; `stepsOf` groups them. */
export interface Step {
  readonly phase: Phase
  readonly wave: number
  /** Above 0 inside a wave for what depends on other resources of that wave. @defaultValue 0 */
  readonly level?: number
}

/** How one field changes. `before` is absent when it is added, `after` when it is removed. */
export interface FieldChange {
  /** JSON Pointer (RFC 6901). */
  readonly path: string
  readonly op: 'add' | 'remove' | 'replace'
  readonly before?: FieldValue
  readonly after?: FieldValue
  readonly cause?: Cause
  /** The value after is known only once it is applied. */
  readonly unknown?: boolean
  readonly sensitive?: boolean
  /** Who made the field differ, where the target knows. */
  readonly actor?: Actor
}

/** A value in a plan: itself, or a `Redacted` in its place. */
export type FieldValue = Json | Redacted

/** Stands for a secret: equal secrets of one installation have equal fingerprints. */
export interface Redacted {
  readonly redacted: string
}

/** How actual state moved away from the declaration. */
export interface Drift {
  readonly ref: ResourceRef
  readonly kind: DriftKind
  readonly fields: readonly FieldChange[]
  readonly actor?: Actor
  /** When it was first seen, in epoch milliseconds. Filled in by the reconciler. */
  readonly firstSeenAt?: number
  /** True when applying this plan undoes it. */
  readonly healed: boolean
  /** True when the policy accepts it as it is. */
  readonly adopted?: boolean
}

/**
 * `modified`: a field differs. `missing`: it is gone. `extraneous`: it is there and not declared.
 * `recreated`: another identity under the same name. `ownership-lost`: the values are right, but
 * somebody else owns them now.
 */
export type DriftKind = 'modified' | 'missing' | 'extraneous' | 'recreated' | 'ownership-lost'

/** A difference that a rule left out. */
export interface Ignored {
  readonly ref: ResourceRef
  readonly path: string
  /** The rule, as a person would recognise it. */
  readonly rule: string
}

/** A change that will not be made. */
export interface Blocked {
  readonly ref?: ResourceRef
  readonly action?: Action
  /** The rule or reason: `protected-kind`, `owned-by-another`, `prune-disabled`, `max-deletions`, … */
  readonly rule: string
  /** A sentence with the next step. */
  readonly message: string
  readonly error?: ErrorRecord
}

/** What the engine asks of `Target.plan`. */
export interface PlanRequest {
  readonly application: string
  readonly mode: PlanMode
  /** What the application owns: the only things that may be deleted. */
  readonly owned: Inventory
  /** Delete owned resources that are no longer declared. When false they are listed in `blocked`. */
  readonly prune: boolean
  /** What was applied last, to tell drift from a change of the declaration. Absent on the first run. */
  readonly previous?: DesiredState
  /** Plan only these. The plan is then not `complete`. */
  readonly only?: readonly ResourceRef[]
  /** Deletions that a person confirmed, of resources that are pruned only after confirmation. */
  readonly confirmed?: readonly ResourceRef[]
  /** Whether hooks run; `true` also when nothing else is changed. @defaultValue true when more than drift is changed and nothing is selected */
  readonly hooks?: boolean
  readonly ignore: readonly IgnoreRule[]
  /** Replaces secrets and makes fingerprints. */
  readonly seal: Seal
}

/** Leaves differences out of the comparison. All given parts must match. */
export interface IgnoreRule {
  /** Shown wherever the rule has an effect. */
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly namespace?: string
  /** Exact; absent matches every name. */
  readonly resource?: string
  /** JSON Pointers in which `*` matches any one segment. Covers everything below. */
  readonly paths?: readonly string[]
  /** Ignore what these actors changed. */
  readonly actors?: readonly string[]
}

/** Hides values and proves equality, with a key of this installation. */
export interface Seal {
  /** A keyed fingerprint of any JSON value: equal values, equal fingerprints. */
  fingerprint(value: Json): string
  /** The stand-in for a secret value. */
  redact(value: Json): Redacted
}
