import { open } from 'node:fs/promises'

/** The files of a folder, as far as packs are read from them. */
export interface FolderFiles {
  /** Up to `sizeBytes` bytes from `start`; fewer only where the file ends. Rejects with the error of the system. */
  readPart(path: string, start: number, sizeBytes: number): Promise<Buffer>
}

/**
 * The disk. A file is open only while it is read: a thousand repositories of forty packs each do not use up what a
 * process may open, and nobody is kept from removing one.
 */
export const diskFiles: FolderFiles = {
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
