// How our side reads, wherever it is measured.
import { type Call, GitOpsError, type Snapshot, walk } from '@gitops-sdk/core'
import { gitSource } from '@gitops-sdk/core/git'

/** Fetches a repository and reads every file below `path`. */
export async function readAll(url: string, path: string, call: Call): Promise<void> {
  await using source = gitSource({ url, ref: 'main', path })
  const snapshot = await source.snapshot(await source.resolve(call), call)
  for await (const entry of walk(snapshot, '', call))
    if (entry.type === 'file') await readContent(snapshot, entry.path, call)
}

/** The content, or `undefined` for what stands for content that is elsewhere: git reads the pointer. */
export async function readContent(snapshot: Snapshot, path: string, call: Call): Promise<Uint8Array | undefined> {
  return snapshot.read(path, call).catch((error: unknown) => {
    if (error instanceof GitOpsError && elsewhere.has(error.code)) return undefined
    throw error
  })
}

const elsewhere: ReadonlySet<string> = new Set(['SOURCE_LFS_POINTER', 'SOURCE_SYMLINK', 'SOURCE_SUBMODULE'])
