import { createHash } from 'node:crypto'
import { GitOpsError } from '../../../runtime/errors.ts'
import { OID_BYTES } from '../objects.ts'
import { type PackIndex, createIndex } from './pack-index.ts'

const MAGIC = 0xff744f63
const FANOUT_BYTES = 256 * 4
const HEAD_BYTES = 8

/** The index as git writes it beside a pack (version 2). */
export function writeIndexFile(index: PackIndex, packChecksum: string): Buffer {
  const { count } = index
  const head = Buffer.alloc(HEAD_BYTES + FANOUT_BYTES)
  head.writeUInt32BE(MAGIC, 0)
  head.writeUInt32BE(2, 4)
  for (let byte = 0, at = 0; byte < 256; byte++) {
    while (at < count && (index.oids[at * OID_BYTES] ?? 0) <= byte) at++
    head.writeUInt32BE(at, HEAD_BYTES + byte * 4)
  }
  const parts = [
    head,
    index.oids.subarray(0, count * OID_BYTES),
    numbers(index.checksums, count),
    numbers(index.offsets, count),
  ]
  const body = Buffer.concat([...parts, Buffer.from(packChecksum, 'hex')])
  return Buffer.concat([body, createHash('sha1').update(body).digest()])
}

function numbers(values: Uint32Array, count: number): Buffer {
  const bytes = Buffer.alloc(count * 4)
  for (let at = 0; at < count; at++) bytes.writeUInt32BE(values[at] ?? 0, at * 4)
  return bytes
}

/** Reads an index file. Throws `SOURCE_CORRUPT` unless every byte of it is as it was written. */
export function readIndexFile(bytes: Buffer, packChecksum: string): PackIndex {
  const count = bytes.length < HEAD_BYTES + FANOUT_BYTES ? -1 : bytes.readUInt32BE(HEAD_BYTES + FANOUT_BYTES - 4)
  const oidsAt = HEAD_BYTES + FANOUT_BYTES
  const checksumsAt = oidsAt + count * OID_BYTES
  const offsetsAt = checksumsAt + count * 4
  const end = offsetsAt + count * 4
  if (count < 0 || bytes.length !== end + 2 * OID_BYTES || bytes.readUInt32BE(0) !== MAGIC) throw damaged()
  if (bytes.toString('hex', end, end + OID_BYTES) !== packChecksum) throw damaged()
  if (!createHash('sha1').update(bytes.subarray(0, -OID_BYTES)).digest().equals(bytes.subarray(-OID_BYTES)))
    throw damaged()
  return createIndex({
    count,
    oids: Buffer.from(bytes.subarray(oidsAt, checksumsAt)),
    checksums: readNumbers(bytes, checksumsAt, count),
    offsets: readNumbers(bytes, offsetsAt, count),
  })
}

function readNumbers(bytes: Buffer, start: number, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, at) => bytes.readUInt32BE(start + at * 4))
}

function damaged(): GitOpsError {
  return new GitOpsError('SOURCE_CORRUPT', 'The index of a kept pack is damaged.')
}
