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
    const afterReading = turnsBetween(call)
    for (const { path, type, digest } of entries) {
      throwIfAborted(call)
      let file = before?.get(path)
      if (file?.digest !== digest || file.type !== type) {
        const bytes = await snapshot.read(path, call)
        file = { type, digest, made: read(bytes, path) }
        await afterReading(bytes)
      }
      now.set(path, file)
      files.push(file.made)
    }
    if (call.lifetime !== undefined) lastRead.set(call.lifetime, now)
    return files
  }
}

/** Bytes of new files after which others have a turn: about 10 ms where a parser is needed. */
const TURN_BYTES = 2 ** 16

/**
 * Reading thousands of new files takes seconds, and others of this process would wait meanwhile. Measured in bytes, not in
 * time: the same files are cut at the same places under every clock.
 */
function turnsBetween({ clock }: RunCall): (bytes: Uint8Array) => Promise<void> {
  let sizeBytes = 0
  return async ({ length }) => {
    sizeBytes += length
    if (sizeBytes < TURN_BYTES) return
    sizeBytes = 0
    await clock.turn?.()
  }
}
