import { GitOpsError, type ReconcilerOptions } from '@gitops-sdk/core'
import { createJiti } from 'jiti'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What `gitops.config.ts` exports as its default: the options of a reconciler, or a function that makes them. */
export type GitOpsConfig =
  | ReconcilerOptions
  | ((request: ConfigRequest) => ReconcilerOptions | Promise<ReconcilerOptions>)

/** What a configuration is asked for. */
export interface ConfigRequest {
  /** The name of the command. */
  readonly command: string
  /** True for a command that only looks. A ledger opened for reading can be used beside the process that writes it. */
  readonly readOnly: boolean
}

/** Gives an editor the types of a configuration. */
export function defineConfig<C extends GitOpsConfig>(config: C): C {
  return config
}

/** Where a configuration is looked for when none is named. */
const usualNames = ['gitops.config.ts', 'gitops.config.mts', 'gitops.config.js', 'gitops.config.mjs']

/** Reads the configuration. It is code of the operator's and runs as such. Throws `CONFIG_INVALID`. */
export async function loadConfig(
  cwd: string,
  given: string | undefined,
  request: ConfigRequest,
): Promise<ReconcilerOptions> {
  const path = findConfig(cwd, given)
  const loaded = await load(path)
  const options: unknown = typeof loaded === 'function' ? await loaded(request) : loaded
  if (isOptions(options)) return options
  const message = `${path} has no configuration as its default export. Write: export default defineConfig({ applications: [ … ] })`
  throw new GitOpsError('CONFIG_INVALID', message)
}

function isOptions(value: unknown): value is ReconcilerOptions {
  return typeof value === 'object' && value !== null && 'applications' in value
}

function findConfig(cwd: string, given: string | undefined): string {
  const candidates = given === undefined ? usualNames : [given]
  const found = candidates.map((name) => resolve(cwd, name)).find((path) => existsSync(path))
  if (found !== undefined) return found
  const message = `There is no ${given ?? 'gitops.config.ts'} in ${cwd}. Write one (see: gitops --help), or name it with --config.`
  throw new GitOpsError('CONFIG_INVALID', message)
}

async function load(path: string): Promise<unknown> {
  try {
    return await importDefault(path)
  } catch (cause) {
    if (cause instanceof GitOpsError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new GitOpsError('CONFIG_INVALID', `${path} cannot be loaded: ${reason}`, { cause })
  }
}

/** Node reads TypeScript itself where it can; jiti does it where it cannot. */
async function importDefault(path: string): Promise<unknown> {
  try {
    const loaded: { readonly default?: unknown } = await import(pathToFileURL(path).href)
    return loaded.default
  } catch (error) {
    if (!cannotReadTypeScript(error)) throw error
    return createJiti(import.meta.url).import(path, { default: true })
  }
}

function cannotReadTypeScript(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ERR_UNKNOWN_FILE_EXTENSION' || code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX'
}
