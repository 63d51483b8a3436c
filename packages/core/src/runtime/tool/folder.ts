import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of its own that only this user may enter, removed with everything in it when disposed. */
export interface PrivateFolder extends AsyncDisposable {
  readonly path: string
}

/** Makes a private folder in the temporary folder of the machine (mode 0700, unpredictable name). */
export async function privateFolder(prefix = 'gitops-'): Promise<PrivateFolder> {
  const path = await mkdtemp(join(tmpdir(), prefix))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}
