import { mkdir, open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { GitOpsError } from '@gitops-sdk/core'

/**
 * Where plan artifacts, states and the last applied module are kept: a folder, an object store, a database. What
 * arrives here is encrypted already.
 */
export interface BlobStore {
  /**
   * Durable when it resolves; replaces what had that name. A `fleeting` blob may be lost with the power of the machine,
   * though not with the process.
   */
  put(name: string, bytes: Uint8Array, options?: PutOptions): Promise<void>
  get(name: string): Promise<Uint8Array | undefined>
  /** Harmless when there is none. */
  remove(name: string): Promise<void>
  /** Names in the folder of `prefix` that begin with it, sorted. */
  list(prefix: string): Promise<readonly string[]>
}

/** How a blob is kept. */
export interface PutOptions {
  /** @defaultValue false */
  readonly fleeting?: boolean
}

/** Blobs as files that only this user may read. */
export function fileBlobs(root: string): BlobStore {
  const pathOf = (name: string): string => join(root, ...segmentsOf(name))
  return {
    put: async (name, bytes, { fleeting = false } = {}) => {
      const path = pathOf(name)
      const write = (): Promise<void> => (fleeting ? writeWhole(path, bytes) : writeDurably(path, bytes))
      const isWritten = await write().then(() => true, whenAbsent(false))
      if (isWritten) return
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await write()
    },
    get: (name) => readFile(pathOf(name)).catch(whenAbsent(undefined)),
    remove: (name) => rm(pathOf(name), { force: true }),
    list: async (prefix) => {
      const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1)
      const entries = await readdir(join(root, folder), { withFileTypes: true }).catch(whenAbsent([]))
      return entries
        .filter((entry) => entry.isFile() && !entry.name.endsWith('.new'))
        .map(({ name }) => `${folder}${name}`)
        .filter((name) => name.startsWith(prefix))
        .toSorted()
    },
  }
}

/** Blobs in memory, for tests and for whoever keeps nothing. */
export function memoryBlobs(): BlobStore {
  const blobs = new Map<string, Uint8Array>()
  return {
    put: async (name, bytes) => void blobs.set(name, Uint8Array.from(bytes)),
    get: async (name) => blobs.get(name),
    remove: async (name) => void blobs.delete(name),
    list: async (prefix) =>
      [...blobs.keys()]
        .filter((name) => name.startsWith(prefix) && !name.slice(prefix.length).includes('/'))
        .toSorted(),
  }
}

/** Writes beside and renames, so that a reader never sees half of it and a power cut leaves the old or the new. */
export async function writeDurably(path: string, bytes: Uint8Array | string): Promise<void> {
  const unfinished = `${path}.new`
  const file = await open(unfinished, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(unfinished, path)
}

/** A reader never sees half of it; what is not on the disk yet goes with the power. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const unfinished = `${path}.new`
  await writeFile(unfinished, bytes, { mode: 0o600 })
  await rename(unfinished, path)
}

function segmentsOf(name: string): string[] {
  const segments = name.split('/')
  if (segments.every((segment) => /^[A-Za-z0-9._-]+$/.test(segment) && !/^\.+$/.test(segment))) return segments
  throw new GitOpsError('INTERNAL', `${JSON.stringify(name)} is no name of a blob.`)
}

/** Only what is not there is absent; any other failure stays one. */
export function whenAbsent<T>(answer: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return answer
    throw error
  }
}
