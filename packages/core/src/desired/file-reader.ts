import { type RunCall, throwIfAborted } from '../runtime/call.ts'
import type { Snapshot, TreeEntry } from '../source/source.ts'

/**
 * Makes what one file declares of its bytes. Looks at nothing else: it is not asked again while path and content stay as
 * they are. What it gives is given again, so nobody may change it.
 */
export type ReadFile<T> = (bytes: Uint8Array, path: string) => T

/** Reads these entries of a snapshot, in their order. */
export type FileReader<T> = (snapshot: Snapshot, entries: Iterable<TreeEntry>, call: RunCall) => Promise<readonly T[]>

interface Known<T> {
  readonly type: TreeEntry['type']
  readonly digest: string
  readonly made: T
}

/**
 * A reader of files that reads only what is new: what a file gave the last time the same application was declared is taken
 * over where the file has the same path and content. Make one for each target; it answers as `read` would for every file.
 *
 * It knows the files of the last complete reading of each application, by `call.lifetime`, and forgets them with the
 * application. What throws is not remembered, and what was known before stays.
 */
export function fileReader<T>(read: ReadFile<T>): FileReader<T> {
  const lastRead = new WeakMap<object, ReadonlyMap<string, Known<T>>>()
  return async (snapshot, entries, call) => {
    const before = call.lifetime && lastRead.get(call.lifetime)
    const now = new Map<string, Known<T>>()
    const files: T[] = []
    for (const { path, type, digest } of entries) {
      throwIfAborted(call)
      const known = before?.get(path)
      const isSame = known !== undefined && known.digest === digest && known.type === type
      const file = isSame ? known : { type, digest, made: read(await snapshot.read(path, call), path) }
      now.set(path, file)
      files.push(file.made)
    }
    if (call.lifetime !== undefined) lastRead.set(call.lifetime, now)
    return files
  }
}
