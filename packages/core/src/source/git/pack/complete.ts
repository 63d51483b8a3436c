import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { crc32, deflate as deflateAside } from 'node:zlib'
import { GitOpsError } from '../../../runtime/errors.ts'
import { type GitObject, OID_BYTES } from '../objects.ts'
import type { Slicer } from '../slice.ts'
import { deflate, store } from './deflate.ts'
import { entryHead, readEntry } from './entry.ts'
import { type EntryTable, enlarge, oidAt } from './entry-table.ts'
import { LARGE_BYTES } from './inflate.ts'

/** Objects that a thin pack builds on and does not hold. */
export interface OutsideBases {
  /** Objects that are here already. */
  readonly readBase: (oid: string) => Promise<GitObject | undefined>
  /** Such an object as it is written in a pack, where it is whole there: to copy it instead of compressing it again. */
  readonly writtenBase: (oid: string) => Promise<Buffer | undefined>
}

/** A pack and what is in it, before its ids are sorted. */
export interface UnsortedPack {
  readonly bytes: Buffer
  readonly table: EntryTable
}

const HASH_STEP_BYTES = 2 ** 22
/** Where compressing a folder begins to save more than it takes. */
const MAX_STORED_BYTES = 2 ** 11

/** Ids of what the deltas of a thin pack build on, and it does not hold. */
export function missingBases(bytes: Buffer, table: EntryTable): readonly string[] {
  const wanted = new Set<string>()
  for (let at = 0; at < table.count; at++) {
    if (table.depths[at] !== 1) continue
    const { baseOid } = readEntry(bytes, table.offsets[at] ?? 0)
    if (baseOid !== undefined) wanted.add(baseOid)
  }
  if (wanted.size === 0) return []
  for (let at = 0; at < table.count; at++) wanted.delete(oidAt(table, at))
  return [...wanted]
}

/** The pack with the bases that it left out behind its own entries, so that it can be read alone. */
export async function appendBases(
  thin: UnsortedPack,
  missing: readonly string[],
  outside: OutsideBases,
  slicer: Slicer,
): Promise<UnsortedPack> {
  const table = enlarge(thin.table, missing.length)
  const own = thin.bytes.subarray(0, -OID_BYTES)
  const parts: Buffer[] = [own]
  let offset = own.length
  for (const oid of missing) {
    const entry = await writeBase(oid, outside)
    const at = table.count++
    table.oids.write(oid, at * OID_BYTES, 'hex')
    table.offsets[at] = offset
    table.checksums[at] = crc32(entry)
    table.resolved[at] = 1
    offset += entry.length
    parts.push(entry)
  }
  const bytes = Buffer.concat([...parts, Buffer.alloc(OID_BYTES)])
  bytes.writeUInt32BE(table.count, 8)
  await writeTrailer(bytes, slicer)
  return { bytes, table }
}

/** Writes the checksum of all that comes before into the last bytes. */
async function writeTrailer(bytes: Buffer, slicer: Slicer): Promise<void> {
  const end = bytes.length - OID_BYTES
  const hash = createHash('sha1')
  for (let at = 0; at < end; at += HASH_STEP_BYTES) {
    const piece = bytes.subarray(at, Math.min(at + HASH_STEP_BYTES, end))
    hash.update(piece)
    if (slicer.isFull(piece.length)) await slicer.pause()
  }
  bytes.set(hash.digest(), end)
}

const deflateLater = promisify<Buffer, { level: number }, Buffer>(deflateAside)

/** Small folders are written as they are: half of them are ids, which do not compress. */
async function writeBase(oid: string, { readBase, writtenBase }: OutsideBases): Promise<Buffer> {
  const object = await readBase(oid)
  if (object === undefined)
    throw new GitOpsError('SOURCE_CORRUPT', 'The base of a delta vanished while the pack was read.')
  const { type, data } = object
  const head = entryHead(type, data.length)
  if (type === 'tree' && data.length <= MAX_STORED_BYTES) return Buffer.concat([head, store(data)])
  const written = await writtenBase(oid)
  if (written !== undefined) return written
  const large = data.length > LARGE_BYTES
  return Buffer.concat([head, large ? await deflateLater(data, { level: 1 }) : deflate(data)])
}
