import { createHash } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'
import type { Call } from '../../../runtime/call.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import { type GitObject, OID_BYTES } from '../objects.ts'
import { OBJECT_COST, createSlicer } from '../slice.ts'
import type { DecodedPack } from './decode.ts'
import { entryHead } from './entry.ts'
import { createEntryTable } from './entry-table.ts'
import { sortIndex } from './pack-index.ts'

/** An entry as it will be written: the id it stands for and its bytes. */
export interface WrittenEntry {
  readonly oid: string
  readonly bytes: Buffer
}

/** A whole object as an entry. */
export function wholeEntry(oid: string, object: GitObject): WrittenEntry {
  return { oid, bytes: Buffer.concat([entryHead(object.type, object.data.length), deflateSync(object.data)]) }
}

/** Writes entries one after the other as a pack. `count` must be their number. */
export async function encodePack(
  entries: Iterable<WrittenEntry> | AsyncIterable<WrittenEntry>,
  count: number,
  call: Call,
): Promise<DecodedPack> {
  const slicer = createSlicer(call)
  const hash = createHash('sha1')
  const table = createEntryTable(count)
  const head = packHead(count)
  hash.update(head)
  const parts: Buffer[] = [head]
  let offset = head.length
  for await (const { oid, bytes } of entries) {
    const at = table.count++
    table.oids.write(oid, at * OID_BYTES, 'hex')
    table.offsets[at] = offset
    table.checksums[at] = crc32(bytes)
    hash.update(bytes)
    parts.push(bytes)
    offset += bytes.length
    if (slicer.isFull(bytes.length * 4 + OBJECT_COST)) await slicer.pause()
  }
  if (table.count !== count) throw new GitOpsError('INTERNAL', `A pack of ${count} objects was given ${table.count}.`)
  const trailer = hash.digest()
  return {
    bytes: Buffer.concat([...parts, trailer]),
    index: await sortIndex(table, slicer),
    checksum: trailer.toString('hex'),
  }
}

function packHead(count: number): Buffer {
  const head = Buffer.alloc(12)
  head.write('PACK', 'latin1')
  head.writeUInt32BE(2, 4)
  head.writeUInt32BE(count, 8)
  return head
}
