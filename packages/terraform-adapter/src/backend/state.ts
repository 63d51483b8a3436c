import { GitOpsError, type Json, type Random, randomId } from '@gitops-sdk/core'

/** The part of a state that is read here. Everything in it may be secret. */
export interface StateJson {
  readonly lineage: string
  readonly serial: number
  readonly outputs?: Readonly<Record<string, { readonly value: Json; readonly sensitive?: boolean }>>
  readonly resources?: readonly StateResource[]
  readonly check_results?: readonly CheckResult[] | null
}

/** All instances of one resource block. */
interface StateResource {
  readonly mode: 'managed' | 'data'
  readonly type: string
  readonly name: string
  readonly module?: string
  readonly instances: readonly (SavedResource & { readonly index_key?: string | number; readonly deposed?: string })[]
}

/** One resource as a state holds it. */
export interface SavedResource {
  readonly attributes?: Readonly<Record<string, Json>>
  readonly status?: string
}

/** What a check, or a condition of the module, found. */
export interface CheckResult {
  readonly config_addr: string
  readonly status: 'pass' | 'fail' | 'error' | 'unknown'
  readonly objects?: readonly { readonly failure_messages?: readonly string[] }[] | null
}

/** Reads a state. Throws `LEDGER_CORRUPT` for one that is none. */
export function parseState(bytes: Uint8Array | string, name: string): StateJson {
  try {
    // Checked below as far as decisions depend on it.
    const state = JSON.parse(Buffer.from(bytes).toString()) as StateJson
    if (typeof state.lineage === 'string' && Number.isSafeInteger(state.serial)) return state
  } catch {
    // Told below, without the text: it may hold secrets.
  }
  throw new GitOpsError('LEDGER_CORRUPT', `${name} is not a Terraform state. Restore it from an earlier version.`)
}

/** Everything the state manages, by address. */
export function resourcesIn({ resources = [] }: StateJson): ReadonlyMap<string, SavedResource> {
  const managed = resources.filter(({ mode }) => mode === 'managed')
  const entries = managed.flatMap((each) =>
    each.instances
      .filter(({ deposed }) => deposed === undefined)
      .map((one): [string, SavedResource] => [addressOf(each, one), one]),
  )
  return new Map(entries)
}

function addressOf(
  { module, type, name }: StateResource,
  { index_key: key }: { readonly index_key?: string | number },
): string {
  const index = key === undefined ? '' : `[${JSON.stringify(key)}]`
  return `${module === undefined ? '' : `${module}.`}${type}.${name}${index}`
}

/** A state that holds nothing, of a lineage of its own. Any binary that is supported can read it. */
export function emptyState(random: Random): Uint8Array {
  const digits = randomId(random) + randomId(random)
  const lineage = [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20, 32),
  ].join('-')
  return Buffer.from(
    JSON.stringify({ version: 4, terraform_version: '1.5.0', serial: 1, lineage, outputs: {}, resources: [] }),
  )
}
