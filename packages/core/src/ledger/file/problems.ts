import { GitOpsError } from '../../runtime/errors.ts'
import { codeOf } from './files.ts'

/** Runs file operations; a failure of the system becomes `LEDGER_UNAVAILABLE` that names `place`. */
export async function onDisk<T>(place: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw cause instanceof GitOpsError ? cause : unavailable(place, cause)
  }
}

/** Damage that has no good copy. */
export function corrupt(path: string, problem: string): GitOpsError {
  const message = `${path} ${problem}. Restore it from a backup; the ledger never guesses what an application owns.`
  return new GitOpsError('LEDGER_CORRUPT', message, { details: { path } })
}

function unavailable(place: string, cause: unknown): GitOpsError {
  const code = codeOf(cause) ?? 'unknown'
  const message = `The ledger in ${place} cannot be used: ${reasons[code] ?? `the system says ${code}`}. Nothing that was stored is lost.`
  return new GitOpsError('LEDGER_UNAVAILABLE', message, { cause, details: { code } })
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
  EROFS: 'the disk is read-only',
  EACCES: 'this process may not write there',
  EPERM: 'this process may not write there',
  ENOTDIR: 'something on its path is not a folder',
  EIO: 'the disk fails',
  EMFILE: 'this process has too many open files',
}
