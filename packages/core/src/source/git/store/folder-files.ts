import { open, rename } from 'node:fs/promises'

/** The files of a folder: how packs are read, and how files get their names. */
export interface FolderFiles {
  /** Up to `sizeBytes` bytes from `start`; fewer only where the file ends. Rejects with the error of the system. */
  readPart(path: string, start: number, sizeBytes: number): Promise<Buffer>
  /** Gives a file another name, in place of what has it now. */
  rename(from: string, to: string): Promise<void>
}

/** The code of an error of the system, such as `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

/**
 * The disk. A file is open only while it is read: a thousand repositories of forty packs each do not use up what a
 * process may open, and nobody is kept from removing one.
 */
export const diskFiles: FolderFiles = {
  rename: (from, to) => rename(from, to),
  readPart: async (path, start, sizeBytes) => {
    const file = await open(path, 'r')
    try {
      const buffer = Buffer.allocUnsafeSlow(sizeBytes)
      let end = 0
      while (end < sizeBytes) {
        const { bytesRead } = await file.read(buffer, end, sizeBytes - end, start + end)
        if (bytesRead === 0) break
        end += bytesRead
      }
      return buffer.subarray(0, end)
    } finally {
      await file.close()
    }
  },
}
