import { isAbsolute } from 'node:path'
import { GitOpsError, type RunCall, type Secret, type Variables, createSeal } from '@gitops-sdk/core'
import { type StateServer, stateServer } from '../backend/managed.ts'
import type { Cli } from '../cli/cli.ts'
import { type Environment, checkEnvironment } from '../cli/environment.ts'
import { processCli } from '../cli/process.ts'
import type { ModuleRestrictions } from '../declare/restrictions.ts'
import type { Rules } from '../plan/blocked.ts'
import { type BlobStore, fileBlobs } from '../store/blobs.ts'
import { storeKey } from '../store/key.ts'
import { sealedBlobs } from '../store/sealed.ts'
import type { Backend, Kit, Store } from '../workspace/kit.ts'

/** What a Terraform target is made of. */
export interface TerraformTargetOptions {
  /** Absolute path of `terraform` (1.5 and later) or `tofu`, or something that runs it. */
  readonly binary: string | Cli
  /** An absolute path of a folder for this target alone: working folders, journals of runs, and the store. Keep it. */
  readonly folder: string
  /** The folder of the root module in the snapshot. @defaultValue the root */
  readonly path?: string
  /** Files and folders outside of the module that it reads, for instance with `file("../../x")`. @defaultValue none */
  readonly extraPaths?: readonly string[]
  /** Separates states of one module. @defaultValue 'default' */
  readonly workspace?: string
  /**
   * `managed`: the state is kept in the store and served to the binary on loopback, with versions, fencing, and locks
   * that end with their process. `module`: by the backend the module declares, completed by `config`.
   *
   * @defaultValue managed, with 50 versions
   */
  readonly backend?: BackendOptions
  /**
   * Variables of the module. `outputOf(application, name)` stands for an output of another application; a function
   * receives all of them in `call.inputs`.
   */
  readonly variables?: Variables | ((call: RunCall) => Variables | Promise<Variables>)
  /** What providers need in their environment. Nothing else is inherited but `PATH` and the language. */
  readonly environment?: Environment | ((call: RunCall) => Environment | Promise<Environment>)
  /** Where plans, states and the last applied module are kept, encrypted. @defaultValue files in `folder` */
  readonly store?: BlobStore
  /** 32 bytes in Base64. @defaultValue a key of its own, in `folder` */
  readonly encryptionKey?: Secret
  /** Addresses that are never destroyed or replaced, also when the module no longer says so. `*` stands for any text. */
  readonly protect?: readonly string[]
  /** A plan that destroys or replaces more resources is not applied. @defaultValue no limit */
  readonly maxDeletes?: number
  /** Take over what a state holds that the ledger does not know. @defaultValue false */
  readonly adoptState?: boolean
  /** What becomes of the resources when the application is removed with them. @defaultValue 'destroy' */
  readonly onDelete?: 'destroy' | 'orphan'
  /** Between the one interrupt and the end by force, in milliseconds. @defaultValue 600_000 */
  readonly graceMs?: number
  /**
   * What one command may print on a stream, in bytes, where `binary` is a path. More ends a plan; an apply is interrupted
   * once, and ended by force after its grace or at twice as much. @defaultValue 268_435_456
   */
  readonly maxOutputBytes?: number
  /** How long a command waits for the lock of the state, in milliseconds. @defaultValue 30_000 */
  readonly lockTimeoutMs?: number
  /** Operations of the binary side by side. @defaultValue 10 */
  readonly parallelism?: number
  /** `update` lets `init` write what the lock file of the module lacks. @defaultValue 'readonly' */
  readonly lockFile?: 'readonly' | 'update'
  /** Rules for modules that others write, checked before the binary sees them. @defaultValue a module may do everything */
  readonly restrict?: ModuleRestrictions
  /** Absolute path of an unpacked mirror of providers. The only source of providers where it is given. */
  readonly providerMirror?: string
  /** Providers under development: absolute folders of their programs, by address. They need no lock file. */
  readonly providerOverrides?: Readonly<Record<string, string>>
  /** Absolute path of a cache of providers, filled by one `init` at a time. */
  readonly providerCache?: string
}

/** See `TerraformTargetOptions.backend`. */
export type BackendOptions =
  | { readonly kind: 'managed'; readonly keepVersions?: number }
  | { readonly kind: 'module'; readonly config?: Readonly<Record<string, string>> }

/** The options of a target as everything else in this package reads them. Throws `CONFIG_INVALID`. */
export function kitOf(options: TerraformTargetOptions): Kit {
  checkOptions(options)
  const { binary, folder, environment = {}, workspace = 'default' } = options
  const server: StateServer = stateServer()
  let store: Promise<Store> | undefined
  const kit: Kit = {
    cli: typeof binary === 'string' ? processCli(binary, options) : binary,
    folder,
    backend: backendOf(options.backend),
    workspace,
    server,
    store: () => (store ??= openStore(options)),
    environment: typeof environment === 'function' ? environment : () => environment,
    graceMs: options.graceMs ?? 600_000,
    lockTimeoutMs: options.lockTimeoutMs ?? 30_000,
    parallelism: options.parallelism ?? 10,
    lockFile: options.lockFile ?? 'readonly',
    ...(options.providerMirror !== undefined && { providerMirror: options.providerMirror }),
    ...(options.providerOverrides !== undefined && { providerOverrides: options.providerOverrides }),
    ...(options.providerCache !== undefined && { providerCache: options.providerCache }),
  }
  return { ...kit, environment: (call) => checkedEnvironment(kit, call) }
}

/** What the target never does. */
export function rulesOf({
  protect = [],
  maxDeletes = Infinity,
  adoptState = false,
  onDelete = 'destroy',
}: TerraformTargetOptions): Rules {
  return { protect, maxDeletes, adoptState, onDelete }
}

async function checkedEnvironment(kit: Kit, call: RunCall): Promise<Environment> {
  const environment = await kit.environment(call)
  checkEnvironment(environment)
  return environment
}

async function openStore({ folder, store, encryptionKey }: TerraformTargetOptions): Promise<Store> {
  const key = await storeKey(folder, encryptionKey)
  return { blobs: sealedBlobs(store ?? fileBlobs(`${folder}/store`), key), seal: createSeal(key) }
}

function backendOf(backend: BackendOptions = { kind: 'managed' }): Backend {
  if (backend.kind === 'managed') return { kind: 'managed', keepVersions: backend.keepVersions ?? 50 }
  return { kind: 'module', config: backend.config ?? {} }
}

function checkOptions(options: TerraformTargetOptions): void {
  for (const name of ['folder', 'providerMirror', 'providerCache'] as const) {
    const path = options[name]
    if (path !== undefined && !isAbsolute(path)) throw invalid(name, 'must be an absolute path')
  }
  for (const [address, path] of Object.entries(options.providerOverrides ?? {}))
    if (!isAbsolute(path)) throw invalid(`providerOverrides.${address}`, 'must be an absolute path')
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,89}$/.test(options.workspace ?? 'default'))
    throw invalid('workspace', 'must be 1 to 90 letters, digits, dots, dashes and underscores')
  for (const name of ['graceMs', 'lockTimeoutMs', 'maxDeletes'] as const) {
    const value = options[name]
    if (value !== undefined && !(value >= 0)) throw invalid(name, 'must not be negative')
  }
  if (!((options.maxOutputBytes ?? 1) >= 1)) throw invalid('maxOutputBytes', 'must be above 0')
  if (!Number.isSafeInteger(options.parallelism ?? 1) || (options.parallelism ?? 1) < 1)
    throw invalid('parallelism', 'must be a whole number above 0')
  if (typeof options.environment === 'object') checkEnvironment(options.environment)
  if (options.restrict !== undefined && options.lockFile === 'update')
    throw invalid('lockFile', 'must be readonly beside `restrict`: the lock file says which providers are used')
  if (options.backend?.kind === 'module') checkBackendConfig(options.backend.config ?? {})
}

function checkBackendConfig(config: Readonly<Record<string, string>>): void {
  const bad = Object.keys(config).find((name) => !/^[a-z_][a-z0-9_]*$/.test(name))
  if (bad !== undefined) throw invalid(`backend.config.${bad}`, 'is no name of a setting of a backend')
}

function invalid(name: string, what: string): GitOpsError {
  return new GitOpsError('CONFIG_INVALID', `${name} of a Terraform target ${what}.`)
}
