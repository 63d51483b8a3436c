import { type Call, throwIfAborted } from '../runtime/call.ts'
import type { Snapshot, TreeEntry } from './source.ts'

/** Every entry below `path` that is not a folder, depth first, in sorted order. */
export async function* walk(snapshot: Snapshot, path: string, call: Call): AsyncIterable<TreeEntry> {
  for await (const entry of snapshot.list(path, call)) {
    throwIfAborted(call)
    if (entry.type === 'folder') yield* walk(snapshot, entry.path, call)
    else yield entry
  }
}
