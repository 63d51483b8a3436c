import type { PromiseFsClient } from 'isomorphic-git'

/** A file system in memory, as much of one as isomorphic-git needs to keep a bare repository. */
export function memoryFiles(): PromiseFsClient {
  const files = new Map<string, Uint8Array>()
  const folders = new Set<string>(['/'])
  const names = (path: string): string[] => {
    const prefix = path === '/' ? '/' : `${path}/`
    const below = [...files.keys(), ...folders].filter((one) => one.startsWith(prefix) && one !== path)
    return [...new Set(below.map((one) => one.slice(prefix.length).split('/', 1)[0] ?? ''))]
  }
  const info = async (path: string): Promise<FileInfo> => {
    const bytes = files.get(path)
    if (bytes === undefined && !folders.has(path)) throw notThere(path)
    return fileInfo(bytes)
  }
  const read = async (path: string, options?: string | { encoding?: string }): Promise<Uint8Array | string> => {
    const bytes = files.get(path)
    if (bytes === undefined) throw notThere(path)
    const encoding = typeof options === 'string' ? options : options?.encoding
    return encoding === undefined ? bytes : new TextDecoder().decode(bytes)
  }
  return {
    promises: {
      readFile: read,
      writeFile: async (path: string, data: Uint8Array | string) =>
        void files.set(path, typeof data === 'string' ? new TextEncoder().encode(data) : data.slice()),
      unlink: async (path: string) => void files.delete(path),
      readdir: async (path: string) => {
        if (!folders.has(path)) throw notThere(path)
        return names(path)
      },
      mkdir: async (path: string) => void folders.add(path),
      rmdir: async (path: string) => void folders.delete(path),
      stat: info,
      lstat: info,
      readlink: (path: string) => Promise.reject(notThere(path)),
      symlink: (path: string) => Promise.reject(notThere(path)),
    },
  }
}

interface FileInfo {
  readonly type: 'file' | 'dir'
  readonly mode: number
  readonly size: number
  readonly mtimeMs: number
  readonly ctimeMs: number
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

function fileInfo(bytes: Uint8Array | undefined): FileInfo {
  const isFile = bytes !== undefined
  const type = isFile ? 'file' : 'dir'
  const kind = { isFile: () => isFile, isDirectory: () => !isFile, isSymbolicLink: () => false }
  return { type, mode: 0o644, size: bytes?.length ?? 0, mtimeMs: 0, ctimeMs: 0, ...kind }
}

function notThere(path: string): Error {
  return Object.assign(new Error(`${path} is not there`), { code: 'ENOENT' })
}
