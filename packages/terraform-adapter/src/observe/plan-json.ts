import type { Json } from '@gitops-sdk/core'

/** The part of `show -json <plan>` that a verdict is made from. */
export interface PlanJson {
  readonly errored?: boolean
  /** False when only a selection was planned. */
  readonly complete?: boolean
  readonly resource_changes?: readonly ResourceChangeJson[]
  /** How the real world moved since the last apply. */
  readonly resource_drift?: readonly ResourceChangeJson[]
  readonly output_changes?: Readonly<Record<string, OutputChangeJson>>
  readonly checks?: readonly CheckJson[]
  /** Names of variables with what the module says about them. */
  readonly configuration?: {
    readonly root_module?: { readonly variables?: Readonly<Record<string, { readonly sensitive?: boolean }>> }
  }
  readonly variables?: Readonly<Record<string, { readonly value?: Json }>>
}

/** How an output changes. */
export interface OutputChangeJson {
  readonly actions: readonly string[]
  readonly before?: Json
  readonly after?: Json
  readonly before_sensitive?: Json
  readonly after_sensitive?: Json
}

/** A check, or a condition of the module. */
export interface CheckJson {
  readonly address: { readonly to_display?: string }
  readonly status: 'pass' | 'fail' | 'error' | 'unknown'
  readonly instances?: readonly { readonly problems?: readonly { readonly message?: string }[] }[]
}

/** One resource in a plan. */
export interface ResourceChangeJson {
  readonly address: string
  readonly previous_address?: string
  readonly module_address?: string
  readonly mode: 'managed' | 'data'
  readonly type: string
  readonly action_reason?: string
  readonly change: ChangeJson
}

/** Values before and after, with masks of the same shape. */
export interface ChangeJson {
  readonly actions: readonly string[]
  readonly before: Json
  readonly after: Json
  /** `true` at what is known only after the apply. */
  readonly after_unknown?: Json
  /** `true` at what is secret. */
  readonly before_sensitive?: Json
  readonly after_sensitive?: Json
  readonly importing?: { readonly id?: string }
}
