import type { RunCall, Seal } from '@gitops-sdk/core'
import type { StateServer } from '../backend/managed.ts'
import type { Cli } from '../cli/cli.ts'
import type { Environment } from '../cli/environment.ts'
import type { BlobStore } from '../store/blobs.ts'
import type { ModuleFiles } from './module.ts'
import type { ResolvedVariables } from './variables.ts'

/** Where the state of an application is kept. */
export type Backend =
  /** By this package, which serves it to the binary on loopback: versions, fencing and proven locks included. */
  | { readonly kind: 'managed'; readonly keepVersions: number }
  /** By what the module declares; `config` completes it as `-backend-config` does. Its locks are never forced. */
  | { readonly kind: 'module'; readonly config: Readonly<Record<string, string>> }

/** What everything in this package works with: the options of a target, checked and with their defaults. */
export interface Kit {
  readonly cli: Cli
  /** Private and durable: working folders, journals of runs, and the store where no other is given. */
  readonly folder: string
  readonly backend: Backend
  readonly workspace: string
  readonly environment: (call: RunCall) => Environment | Promise<Environment>
  readonly server: StateServer
  readonly store: () => Promise<Store>
  readonly graceMs: number
  readonly lockTimeoutMs: number
  readonly parallelism: number
  readonly lockFile: 'readonly' | 'update'
  /** Folders of providers under development, by address. */
  readonly providerOverrides?: Readonly<Record<string, string>>
  /** An unpacked mirror of providers that nobody writes: the safe way to share them. */
  readonly providerMirror?: string
  /** A cache of providers that inits fill, one at a time. */
  readonly providerCache?: string
}

/** Encrypted blobs, and the key of this installation. */
export interface Store {
  readonly blobs: BlobStore
  /** Makes versions and digests of what may be secret. */
  readonly seal: Seal
}

/** What one declaration asks for. The payload of a desired state. */
export interface Module extends ModuleFiles {
  readonly variables: ResolvedVariables
  /** Identifies the files alone. */
  readonly filesDigest: string
}
