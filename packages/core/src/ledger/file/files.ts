import { type FileHandle, mkdir, open, readFile, readdir, rename, rm, truncate } from 'node:fs/promises'

/** The few operations on files that the ledger needs, so that tests can make each of them fail. */
export interface Files {
  /** The content of a file; absent when there is none. */
  read(path: string): Promise<Uint8Array | undefined>
  /** Creates or replaces a file. On disk when it resolves. */
  write(path: string, content: Uint8Array): Promise<void>
  /** Creates a file; `false` when it exists. On disk when it resolves. */
  create(path: string, content: Uint8Array): Promise<boolean>
  /** Adds to the end of a file, creating it if need be. On disk when it resolves. */
  append(path: string, content: Uint8Array): Promise<void>
  /** Cuts a file off. */
  truncate(path: string, sizeBytes: number): Promise<void>
  /** Renames a file over whatever has the other name. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file; harmless when there is none. */
  remove(path: string): Promise<void>
  /** The names in a folder. */
  list(folder: string): Promise<readonly string[]>
  /** Makes a folder and those above it; harmless when it exists. */
  makeFolder(folder: string): Promise<void>
  /** Brings what was created, renamed and removed in a folder to the disk. */
  syncFolder(folder: string): Promise<void>
}

/** The files of the machine. */
export const nodeFiles: Files = {
  read: async (path) => {
    try {
      return await readFile(path)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  },
  write: (path, content) => writeWith(path, 'w', content),
  create: async (path, content) => {
    try {
      await writeWith(path, 'wx', content)
      return true
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      // Half a file would be taken for one that somebody made.
      await rm(path, { force: true }).catch(() => {})
      throw error
    }
  },
  append: (path, content) => writeWith(path, 'a', content),
  truncate: (path, sizeBytes) => truncate(path, sizeBytes),
  rename: (from, to) => rename(from, to),
  remove: (path) => rm(path, { force: true }),
  list: (folder) => readdir(folder),
  makeFolder: async (folder) => void (await mkdir(folder, { recursive: true, mode: 0o700 })),
  syncFolder,
}

/** The same files for a process that makes no folder: one that is not there holds nothing yet. */
export function forReading(files: Files): Files {
  const list = async (folder: string): Promise<readonly string[]> => {
    try {
      return await files.list(folder)
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  }
  return { ...files, list }
}

/** The code of a failed system call, such as `ENOSPC`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

async function writeWith(path: string, flag: string, content: Uint8Array): Promise<void> {
  await using file = disposable(await open(path, flag, 0o600))
  await file.handle.writeFile(content)
  await file.handle.sync()
}

async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open a folder, and makes renames durable by itself.
  if (process.platform === 'win32') return
  await using file = disposable(await open(folder, 'r'))
  await file.handle.sync()
}

function disposable(handle: FileHandle): AsyncDisposable & { readonly handle: FileHandle } {
  return { handle, [Symbol.asyncDispose]: () => handle.close() }
}
