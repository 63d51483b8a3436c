import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve, sep } from 'node:path'
import { type Call, GitOpsError, type Snapshot, throwIfAborted, walk } from '@gitops-sdk/core'
import { type PrivateFolder, privateFolder } from '@gitops-sdk/core/node'

/** How much of a snapshot may be written down for a tool. */
export interface FolderLimits {
  /** @defaultValue 10_000 */
  readonly maxFiles: number
  /** @defaultValue 134_217_728 */
  readonly maxBytes: number
}

/** The limits where none are given. */
export const folderLimits: FolderLimits = { maxFiles: 10_000, maxBytes: 128 * 2 ** 20 }

/** Files of a snapshot on disk, for a tool that cannot read them elsewhere. Removed when disposed of. */
export interface WrittenFolder extends AsyncDisposable {
  readonly root: string
  /** Paths of all files, from the root of the snapshot. */
  readonly paths: ReadonlySet<string>
}

/**
 * Writes the whole snapshot into a private folder, because an overlay may refer to folders beside its
 * own. Links are refused: a tool would follow them out of the folder.
 */
export async function writeFolder(snapshot: Snapshot, limits: FolderLimits, call: Call): Promise<WrittenFolder> {
  const folder = await privateFolder()
  try {
    return { root: folder.path, paths: await writeAll(snapshot, folder, limits, call), ...disposal(folder) }
  } catch (thrown) {
    await folder[Symbol.asyncDispose]()
    throw thrown
  }
}

function disposal(folder: PrivateFolder): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

async function writeAll(
  snapshot: Snapshot,
  folder: PrivateFolder,
  limits: FolderLimits,
  call: Call,
): Promise<Set<string>> {
  const paths = new Set<string>()
  let sizeBytes = 0
  for await (const { path, type } of walk(snapshot, '', call)) {
    throwIfAborted(call)
    if (type === 'submodule') continue
    if (type === 'symlink') throw link(path)
    const bytes = await snapshot.read(path, call)
    sizeBytes += bytes.length
    paths.add(path)
    if (paths.size > limits.maxFiles || sizeBytes > limits.maxBytes) throw tooLarge(limits)
    const file = placeInside(folder.path, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, bytes, { mode: 0o600, flag: 'wx' })
  }
  return paths
}

/** The place of a path below a root. Throws `SOURCE_PATH_UNSAFE` when it would be anywhere else. */
export function placeInside(root: string, path: string): string {
  const place = resolve(join(root, path))
  if (path.includes('\0') || (place !== root && !place.startsWith(root + sep)))
    throw new GitOpsError('SOURCE_PATH_UNSAFE', `${JSON.stringify(path)} leads out of the folder it belongs to.`)
  return place
}

function link(path: string): GitOpsError {
  return new GitOpsError(
    'SOURCE_SYMLINK',
    `${path} is a link, which a renderer would follow. Put the file itself there.`,
  )
}

function tooLarge({ maxFiles, maxBytes }: FolderLimits): GitOpsError {
  const message = `The snapshot has more than ${maxFiles} files (maxFiles) or ${maxBytes} bytes (maxBytes): too much for a renderer.`
  return new GitOpsError('DECLARATION_LIMIT', message)
}
