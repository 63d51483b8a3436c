import { watch as watchFolder } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { resolve as resolvePath } from 'node:path'
import { abortError, type Call, throwIfAborted } from '../runtime/call.ts'
import type { Timer } from '../runtime/clock.ts'
import { GitOpsError } from '../runtime/errors.ts'
import {
  atEdge,
  defaultDirectoryLimits,
  type DirectoryLimits,
  type Found,
  type Scan,
  scanFolder,
  treeFileOf,
} from './directory-scan.ts'
import { createFeed } from './feed.ts'
import type { Revision, Source } from './source.ts'
import { snapshotOfTree, type Tree, type TreeFile, treeOf } from './tree.ts'

/** Which folder, and how it is read. */
export interface DirectorySourceOptions extends DirectoryLimits {
  /** The folder that holds the declarations. */
  readonly path: string
  /** Whether changes are noticed by themselves; otherwise they are found by polling. @defaultValue true */
  readonly watch?: boolean
  /** Changes within this time are one hint, in milliseconds. @defaultValue 100 */
  readonly debounceMs?: number
  /** Names that are left out wherever they stand. @defaultValue ['.git'] */
  readonly exclude?: readonly string[]
}

/** A file that was modified this recently is read again: times of files are coarse. */
const TRUSTED_AFTER_MS = 2_000
/** A folder that changes while it is read is read again, this often. */
const MAX_ATTEMPTS = 5
/** Trees remembered, so that a snapshot of a recent revision needs no reading. */
const MAX_TREES = 8

interface Folder {
  readonly scan: Scan
  /** By path: what a file held when it had this stamp. */
  readonly known: Map<string, { readonly stamp: string; readonly file: TreeFile }>
  readonly trees: Map<string, Tree>
}

/**
 * A folder on disk as a state store. A revision is the digest of everything in it, so undoing a change
 * brings the revision back.
 *
 * A file is read again when its size, times or identity changed. Links are listed and never followed;
 * reading one throws `SOURCE_SYMLINK`. Only what the folder holds now can be read: a file that changed
 * since its revision throws `REVISION_NOT_FOUND` (retryable). An empty folder is `SOURCE_EMPTY`, since
 * a volume that is not mounted looks the same.
 */
export function directorySource(options: DirectorySourceOptions): Source {
  const path = resolvePath(options.path)
  const { watch = true, debounceMs = 100, exclude = ['.git'], path: _path, ...limits } = options
  const folder = lazyFolder(path, new Set(exclude), { ...defaultDirectoryLimits, ...limits })
  const source: Source = {
    id: `folder ${path}`,
    resolve: async (call) => (await readFolder(await folder(), call)).revision,
    snapshot: async (revision, call) => {
      throwIfAborted(call)
      return snapshotOfTree(revision, await treeAt(await folder(), revision, call), '')
    },
  }
  return watch ? { ...source, watch: (call) => watchChanges(path, debounceMs, call) } : source
}

/** The real path of the folder is found when it is first used: it may be made later. */
function lazyFolder(
  path: string,
  exclude: ReadonlySet<string>,
  limits: Required<DirectoryLimits>,
): () => Promise<Folder> {
  let folder: Folder | undefined
  return async () => {
    const root = await atEdge(path, (at) => realpath(at))
    if (folder?.scan.root !== root) folder = { scan: { root, exclude, limits }, known: new Map(), trees: new Map() }
    return folder
  }
}

async function treeAt(folder: Folder, revision: Revision, call: Call): Promise<Tree> {
  const known = folder.trees.get(revision.id)
  if (known !== undefined) return known
  const now = await readFolder(folder, call)
  if (now.revision.id === revision.id) return now.tree
  const message = `The folder ${folder.scan.root} no longer holds revision ${revision.id}; it keeps no history.`
  throw new GitOpsError('REVISION_NOT_FOUND', message)
}

interface Reading {
  readonly revision: Revision
  readonly tree: Tree
}

/** Reads the folder as it is at one moment: when something moved meanwhile, it is read again. */
async function readFolder(folder: Folder, call: Call): Promise<Reading> {
  throwIfAborted(call)
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    const found = await scanFolder(folder.scan, call)
    const files = await filesOf(folder, found, call)
    const after = await scanFolder(folder.scan, call)
    if (stampOf(found) === stampOf(after)) return remember(folder, found, files)
  }
  throw new GitOpsError(
    'SOURCE_CORRUPT',
    `The folder ${folder.scan.root} keeps changing while it is read. It is tried again.`,
  )
}

function stampOf(found: readonly Found[]): string {
  return found.map(({ path, stamp }) => `${path}\n${stamp}\n`).join('')
}

async function filesOf({ scan, known }: Folder, found: readonly Found[], call: Call): Promise<Map<string, TreeFile>> {
  const files = new Map<string, TreeFile>()
  for (const each of found) {
    throwIfAborted(call)
    const before = known.get(each.path)
    const isTrusted = call.clock.now() - each.modifiedAtMs > TRUSTED_AFTER_MS
    const file = isTrusted && before?.stamp === each.stamp ? before.file : await treeFileOf(scan, each)
    files.set(each.path, file)
    known.set(each.path, { stamp: each.stamp, file })
  }
  for (const path of known.keys()) if (!files.has(path)) known.delete(path)
  return files
}

function remember({ scan, trees }: Folder, found: readonly Found[], files: ReadonlyMap<string, TreeFile>): Reading {
  if (files.size === 0) {
    throw new GitOpsError(
      'SOURCE_EMPTY',
      `The folder ${scan.root} holds no file. Put declarations there, or check that it is mounted.`,
    )
  }
  const tree = treeOf(files)
  trees.delete(tree.digest)
  trees.set(tree.digest, tree)
  for (const id of trees.keys()) if (trees.size > MAX_TREES) trees.delete(id)
  const at = Math.max(...found.map(({ modifiedAtMs }) => modifiedAtMs))
  return { revision: { id: tree.digest, at }, tree }
}

async function* watchChanges(path: string, debounceMs: number, call: Call): AsyncIterable<void> {
  throwIfAborted(call)
  const failed = new AbortController()
  const ended = AbortSignal.any([call.signal, failed.signal])
  const feed = createFeed<void>()
  const hints = feed.listen(ended)
  let timer: Timer | undefined
  const hint = (): void => {
    timer = undefined
    feed.emit()
  }
  const watcher = watchFolder(path, { recursive: true }, () => (timer ??= call.clock.setTimer(debounceMs, hint)))
  watcher.on('error', (cause) => failed.abort(lost(path, cause)))
  try {
    yield* hints
    if (failed.signal.aborted) throw abortError(failed.signal)
  } finally {
    timer?.cancel()
    watcher.close()
  }
}

function lost(path: string, cause: Error): GitOpsError {
  return new GitOpsError('SOURCE_UNREACHABLE', `The folder ${path} can no longer be watched. It is polled instead.`, {
    cause,
  })
}
