import { type Call, throwIfAborted } from '../runtime/call.ts'
import type { Snapshot, TreeEntry } from './source.ts'

/** Every entry below `path` that is not a folder, depth first, in sorted order. */
export async function* walk(snapshot: Snapshot, path: string, call: Call): AsyncIterable<TreeEntry> {
  // One generator for all depths: an entry that passes through one for each folder above it costs as many turns.
  const open = [snapshot.list(path, call)[Symbol.asyncIterator]()]
  try {
    for (let folder = open.at(-1); folder !== undefined; folder = open.at(-1)) {
      throwIfAborted(call)
      const next = await folder.next()
      if (next.done === true) open.pop()
      else if (next.value.type === 'folder') open.push(snapshot.list(next.value.path, call)[Symbol.asyncIterator]())
      else yield next.value
    }
  } finally {
    for (const folder of open) await folder.return?.()
  }
}
