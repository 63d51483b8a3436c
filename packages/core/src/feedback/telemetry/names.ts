import { GitOpsError } from '../../runtime/errors.ts'
import type { NameOf } from './metrics.ts'

/** How many applications are counted one by one. */
export interface CardinalityOptions {
  /** The first applications get series of their own; all further ones share the name `_other`. @defaultValue 500 */
  readonly maxApplications?: number
}

/** Where applications beyond the limit are counted. */
const OTHER = '_other'

/** Names that are few, whatever happens. */
export interface Names {
  readonly nameOf: NameOf
  /** Makes room: the application is gone, and so is what was counted of it. */
  release(application: string): void
}

/** No name is given yet. Throws `CONFIG_INVALID` for a limit that is no whole number above 0. */
export function createNames({ maxApplications = 500 }: CardinalityOptions): Names {
  if (!Number.isSafeInteger(maxApplications) || maxApplications < 1)
    throw new GitOpsError('CONFIG_INVALID', `maxApplications must be a whole number above 0, not ${maxApplications}.`)
  const given = new Set<string>()
  return {
    nameOf: (application) => {
      if (given.has(application)) return application
      if (given.size >= maxApplications) return OTHER
      given.add(application)
      return application
    },
    release: (application) => void given.delete(application),
  }
}
