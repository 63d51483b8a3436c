import { GitOpsError } from '../../runtime/errors.ts'

/** Budgets for what a server may make this process receive, keep and compute. */
export interface GitLimits {
  /** Bytes of one response: a pack or a list of refs. @defaultValue 512 MiB */
  readonly maxPackBytes: number
  /** Objects of one pack. @defaultValue 1_000_000 */
  readonly maxObjects: number
  /** Bytes of one object, inflated. @defaultValue 64 MiB */
  readonly maxObjectBytes: number
  /** Bytes of all objects of one pack, inflated. @defaultValue 4 GiB */
  readonly maxInflatedBytes: number
  /** Deltas that may build on each other. @defaultValue 4_095, the most that git writes */
  readonly maxDeltaDepth: number
  /** Refs in one answer. @defaultValue 65_536 */
  readonly maxRefs: number
  /** Folders inside each other. @defaultValue 256 */
  readonly maxPathDepth: number
  /** Files and folders of one revision. @defaultValue 1_000_000 */
  readonly maxEntries: number
  /** Bytes of inflated objects, parsed trees and pieces of files that are kept at hand. @defaultValue 64 MiB */
  readonly cacheBytes: number
}

const MIB = 2 ** 20

/** The limits where nothing else is given. */
export const defaultLimits: GitLimits = {
  maxPackBytes: 512 * MIB,
  maxObjects: 1_000_000,
  maxObjectBytes: 64 * MIB,
  maxInflatedBytes: 4096 * MIB,
  maxDeltaDepth: 4095,
  maxRefs: 65_536,
  maxPathDepth: 256,
  maxEntries: 1_000_000,
  cacheBytes: 64 * MIB,
}

/** The error for a budget that was used up; names the budget. */
export function limitError(limit: keyof GitLimits, limits: GitLimits, what: string): GitOpsError {
  return new GitOpsError('SOURCE_LIMIT', `${what} exceeds limits.${limit} (${limits[limit]}).`, {
    details: { limit, allowed: limits[limit] },
  })
}

/** The most objects that the index of a pack can sort. */
const MOST_OBJECTS = 2 ** 21

/** `given` over the defaults. Throws `CONFIG_INVALID` for what is not a positive whole number. */
export function completeLimits(given: Partial<GitLimits> = {}): GitLimits {
  const limits = { ...defaultLimits, ...given }
  for (const [name, value] of Object.entries(limits))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new GitOpsError('CONFIG_INVALID', `limits.${name} must be a positive whole number.`)
  if (limits.maxObjects > MOST_OBJECTS || limits.maxPackBytes >= 2 ** 32)
    throw new GitOpsError(
      'CONFIG_INVALID',
      `limits.maxObjects can be at most ${MOST_OBJECTS} and limits.maxPackBytes below 4 GiB.`,
    )
  return limits
}
