import { type BigIntStats, constants } from 'node:fs'
import { lstat, open, readdir, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { type Call, throwIfAborted } from '../runtime/call.ts'
import { GitOpsError, toGitOpsError } from '../runtime/errors.ts'
import { digestOfBytes, safeNames, type TreeFile } from './tree.ts'

/** What a folder may hold. */
export interface DirectoryLimits {
  /** @defaultValue 10_000 */
  readonly maxFiles?: number
  /** Of one file, in bytes. @defaultValue 8_388_608 */
  readonly maxFileBytes?: number
  /** Of all files together, in bytes. @defaultValue 268_435_456 */
  readonly maxTotalBytes?: number
  /** Folders inside each other. @defaultValue 64 */
  readonly maxDepth?: number
}

/** The limits that hold where none are given. */
export const defaultDirectoryLimits: Readonly<Required<DirectoryLimits>> = {
  maxFiles: 10_000,
  maxFileBytes: 8 * 2 ** 20,
  maxTotalBytes: 256 * 2 ** 20,
  maxDepth: 64,
}

/** A file as it was found: enough to tell cheaply whether it is still the same. */
export interface Found {
  readonly path: string
  /** Changes whenever the file may have: device, inode, size and times. */
  readonly stamp: string
  readonly modifiedAtMs: number
  readonly sizeBytes: number
  readonly type: 'file' | 'symlink'
}

/** What a scan works with. */
export interface Scan {
  readonly root: string
  readonly exclude: ReadonlySet<string>
  readonly limits: Required<DirectoryLimits>
}

/** Every file and link of a folder. Follows no link. Throws when a limit is exceeded or something is neither file nor folder. */
export async function scanFolder(scan: Scan, call: Call): Promise<Found[]> {
  const found: Found[] = []
  let totalBytes = 0
  for await (const each of scanBelow(scan, '', 0, call)) {
    found.push(each)
    totalBytes += each.sizeBytes
    if (found.length > scan.limits.maxFiles)
      throw tooLarge(`more than ${scan.limits.maxFiles} files (maxFiles)`, scan.root)
    if (each.sizeBytes > scan.limits.maxFileBytes) {
      throw tooLarge(`more than ${scan.limits.maxFileBytes} bytes (maxFileBytes)`, join(scan.root, each.path))
    }
    if (totalBytes > scan.limits.maxTotalBytes) {
      throw tooLarge(`more than ${scan.limits.maxTotalBytes} bytes (maxTotalBytes)`, scan.root)
    }
  }
  return found
}

async function* scanBelow(scan: Scan, path: string, depth: number, call: Call): AsyncIterable<Found> {
  if (depth > scan.limits.maxDepth)
    throw tooLarge(`folders more than ${scan.limits.maxDepth} deep (maxDepth)`, scan.root)
  for (const name of await namesIn(scan.root, path)) {
    throwIfAborted(call)
    if (scan.exclude.has(name)) continue
    const below = path === '' ? name : `${path}/${name}`
    safeNames(below)
    const stats = await atEdge(join(scan.root, below), (file) => lstat(file, { bigint: true }))
    if (stats.isDirectory()) yield* scanBelow(scan, below, depth + 1, call)
    else yield foundAt(below, stats)
  }
}

/** The names in a folder, if it is still a folder of the tree and not a link that took its place. */
async function namesIn(root: string, path: string): Promise<string[]> {
  const folder = join(root, path)
  const names = await atEdge(folder, (at) => readdir(at))
  if ((await atEdge(folder, (at) => realpath(at))) !== folder) throw linkAt(path)
  return names
}

function foundAt(path: string, stats: BigIntStats): Found {
  if (!stats.isFile() && !stats.isSymbolicLink()) {
    throw new GitOpsError(
      'SOURCE_PATH_UNSAFE',
      `"${path}" is neither a file nor a folder. Remove it from the folder, or exclude it.`,
    )
  }
  return {
    path,
    stamp: [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(' '),
    modifiedAtMs: Number(stats.mtimeMs),
    sizeBytes: Number(stats.size),
    type: stats.isFile() ? 'file' : 'symlink',
  }
}

/** What was found as an entry of a tree, with the digest of what it holds now. */
export async function treeFileOf(scan: Scan, found: Found): Promise<TreeFile> {
  const { path, type } = found
  if (type === 'symlink') {
    const target = await atEdge(join(scan.root, path), (at) => readlink(at, { encoding: 'buffer' }))
    return { type, digest: digestOfBytes(target), sizeBytes: target.length, read: () => Promise.reject(linkAt(path)) }
  }
  const bytes = await readBytes(scan, path)
  const digest = digestOfBytes(bytes)
  return { digest, sizeBytes: bytes.length, read: () => readSame(scan, path, digest) }
}

/** The bytes of a file, if they are still those of the revision. */
async function readSame(scan: Scan, path: string, digest: string): Promise<Uint8Array> {
  const bytes = await readBytes(scan, path)
  if (digestOfBytes(bytes) === digest) return bytes
  const message = `"${path}" changed since the revision was made; a folder keeps only what it holds now. It is read again.`
  throw new GitOpsError('REVISION_NOT_FOUND', message, { retryable: true })
}

async function readBytes({ root, limits }: Scan, path: string): Promise<Uint8Array> {
  return atEdge(join(root, path), async (at) => {
    await using file = await openFile(at)
    const { size } = await file.handle.stat()
    if (size > limits.maxFileBytes) throw tooLarge(`more than ${limits.maxFileBytes} bytes (maxFileBytes)`, at)
    return new Uint8Array(await file.handle.readFile())
  })
}

/** Opens without following a link in the last place, and without waiting for a writer of a pipe. */
async function openFile(path: string): Promise<AsyncDisposable & { handle: Awaited<ReturnType<typeof open>> }> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  return { handle, [Symbol.asyncDispose]: () => handle.close() }
}

/** Runs a file operation and says in our words what the system answers. */
export async function atEdge<T>(path: string, operate: (path: string) => Promise<T>): Promise<T> {
  try {
    return await operate(path)
  } catch (cause) {
    throw translate(cause, path)
  }
}

function translate(cause: unknown, path: string): GitOpsError {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new GitOpsError('SOURCE_NOT_FOUND', `${path} is not there. Check the path of the folder.`, {
      cause,
      retryable: true,
    })
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new GitOpsError('SOURCE_AUTH', `${path} may not be read by this process.`, { cause })
  }
  if (code === 'ELOOP') return linkAt(path)
  if (typeof code === 'string')
    return new GitOpsError('SOURCE_UNREACHABLE', `${path} cannot be read (${code}).`, { cause })
  return toGitOpsError(cause, `Reading ${path}`)
}

function linkAt(path: string): GitOpsError {
  return new GitOpsError('SOURCE_SYMLINK', `"${path}" is a link, and links are not followed. Replace it by the file.`)
}

function tooLarge(what: string, path: string): GitOpsError {
  return new GitOpsError('SOURCE_LIMIT', `${path} holds ${what}.`)
}
