import { randomUUID } from 'node:crypto'
import { GitOpsError } from '../../../runtime/errors.ts'
import type { ByteCache } from '../byte-cache.ts'
import { type KeptPack, orderOf } from '../pack/kept-pack.ts'
import type { PackIndex } from '../pack/pack-index.ts'
import { type FolderFiles, codeOf } from './folder-files.ts'

/** What is read of a file at once, and kept at hand: entries that are wanted together stand together. */
export const WINDOW_BYTES: number = 2 ** 16

/** Where a pack is on disk. */
export interface PackPlace {
  readonly path: string
  readonly checksum: string
  readonly sizeBytes: number
}

/** What reading packs on disk needs. */
export interface PackFiles {
  readonly files: FolderFiles
  /** Pieces of files that were read lately. */
  readonly windows: ByteCache<Buffer>
}

/** A pack of which only the index is in memory. Reading an entry throws `SOURCE_CORRUPT` when the file is not as long. */
export function packOnDisk(place: PackPlace, index: PackIndex, { files, windows }: PackFiles): KeptPack {
  const { checksum, sizeBytes } = place
  const key = `${checksum} ${randomUUID()}`
  const order = orderOf(index, sizeBytes)
  const read = (start: number, end: number): Promise<Buffer> => readExactly(files, place, start, end)
  const window = async (at: number): Promise<Buffer> => {
    const name = `${key} ${at}`
    const known = windows.get(name)
    if (known !== undefined) return known
    const bytes = await read(at, Math.min(at + WINDOW_BYTES, sizeBytes))
    windows.set(name, bytes, bytes.length)
    return bytes
  }
  const entryAt = async (start: number): Promise<Buffer> => {
    const end = order.endOf(start)
    if (end - start > WINDOW_BYTES) return read(start, end)
    const first = start - (start % WINDOW_BYTES)
    const bytes = await window(first)
    if (end <= first + WINDOW_BYTES) return bytes.subarray(start - first, end - first)
    return Buffer.concat([bytes, await window(first + WINDOW_BYTES)]).subarray(start - first, end - first)
  }
  return { checksum, key, index, order: () => order, sizeBytes, onDisk: true, entryAt }
}

/** The bytes of a pack file from `start` up to `end`. */
export async function readExactly(files: FolderFiles, place: PackPlace, start: number, end: number): Promise<Buffer> {
  const bytes = await files.readPart(place.path, start, end - start).catch((error: unknown) => {
    throw unreadable(place, error)
  })
  if (bytes.length < end - start) throw new GitOpsError('SOURCE_CORRUPT', `${place.path} was cut off.`)
  return bytes
}

/** A file that is gone is damage; that the system cannot open it now is not. */
function unreadable({ path }: PackPlace, cause: unknown): GitOpsError {
  const code = codeOf(cause) ?? 'unknown'
  if (code === 'ENOENT') return new GitOpsError('SOURCE_CORRUPT', `${path} is gone.`, { cause })
  return new GitOpsError('SOURCE_UNREACHABLE', `${path} cannot be read now (${code}).`, { cause, details: { code } })
}
