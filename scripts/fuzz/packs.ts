import { createHash } from 'node:crypto'
import { createCall, seededRandom } from '@gitops-sdk/core'
import { createByteCache } from '../../packages/core/src/source/git/byte-cache.ts'
import { defaultLimits } from '../../packages/core/src/source/git/limits.ts'
import { hashObject } from '../../packages/core/src/source/git/objects.ts'
import { decodePack } from '../../packages/core/src/source/git/pack/decode.ts'
import { type Read, createReader } from './shape.ts'

const call = createCall({ random: seededRandom(1) })
const limits = { ...defaultLimits, maxObjects: 1_000, maxObjectBytes: 65_536, maxInflatedBytes: 262_144 }

/** Bytes in two pieces, as a connection may bring them. */
export async function* chunked(bytes: Uint8Array): AsyncGenerator<Buffer> {
  const middle = bytes.length >> 1
  yield Buffer.from(bytes.subarray(0, middle))
  yield Buffer.from(bytes.subarray(middle))
}

/** Decodes `bytes` as a pack whose last part is its checksum: a wrong one would hide everything before it. */
export async function readPack(bytes: Uint8Array): Promise<void> {
  const context = {
    limits,
    cache: createByteCache<never>(65_536),
    readBase: async () => undefined,
    writtenBase: async () => undefined,
  }
  await decodePack(chunked(sealed(bytes.subarray(0, Math.max(0, bytes.length - 20)))), context, call)
}

/** Small packs as they should be. */
export function validPacks(): readonly Uint8Array[] {
  const blob = entry(3, Buffer.from('hello world, hello world'))
  const delta = Buffer.from([24, 12, 0x90, 12])
  const offsetDelta = entry(6, delta, distanceBytes(blob.length))
  const commit = entry(1, Buffer.from(`tree ${'4'.repeat(10)}`))
  return [pack([blob]), pack([commit, entry(2, Buffer.from('100644 a.yaml\0'))]), pack([blob, offsetDelta])]
}

/** An entry as far as others can build on it. */
interface Placed {
  readonly bytes: Buffer
  /** Of the object, once it is put together. */
  readonly sizeBytes: number
  /** Of a whole object. */
  readonly oid?: string
}

/**
 * Any bytes as a pack that is well written: what its entries say of each other is what they decide. Objects, deltas
 * on what came before, comes later or never, chains, and sizes that are mostly true.
 */
export function packFrom(bytes: Uint8Array): Uint8Array {
  const read = createReader(bytes)
  const placed: Placed[] = []
  for (let left = 1 + (read() % 8); left > 0; left--)
    placed.push(read() % 2 === 0 ? blobFrom(read) : deltaFrom(read, placed))
  return pack(placed.map((each) => each.bytes))
}

function blobFrom(read: Read): Placed {
  const content = Buffer.from(Array.from({ length: read() % 24 }, () => read() & 7))
  return { bytes: entry(3, content), sizeBytes: content.length, oid: hashObject('blob', content) }
}

function deltaFrom(read: Read, placed: readonly Placed[]): Placed {
  const back = read() % (placed.length + 1)
  const base = placed[placed.length - back]
  const { instructions, sizeBytes } = instructionsFrom(read)
  const sizes = [base?.sizeBytes ?? 0, sizeBytes].map((size) => (read() % 16 === 1 ? read() : size))
  const delta = Buffer.from([...sizes.flatMap(sizeOf), ...instructions])
  if (read() % 2 === 0) {
    const oid = base?.oid ?? hashObject('blob', Buffer.from([read() & 7]))
    return { bytes: entry(7, delta, Buffer.from(oid, 'hex')), sizeBytes }
  }
  const distance = placed.slice(placed.length - back).reduce((sum, each) => sum + each.bytes.length, 0)
  return { bytes: entry(6, delta, distanceBytes(read() % 16 === 1 ? distance + 1 : distance)), sizeBytes }
}

function instructionsFrom(read: Read): { readonly instructions: readonly number[]; readonly sizeBytes: number } {
  const instructions: number[] = []
  let sizeBytes = 0
  for (let left = read() % 6; left > 0; left--) {
    const size = 1 + (read() % 8)
    sizeBytes += size
    if (read() % 2 === 0) instructions.push(0x91, read() % 24, size)
    else instructions.push(size, ...Array.from({ length: size }, read))
  }
  return { instructions, sizeBytes }
}

/** A number in a delta, the lowest seven bits first. */
function sizeOf(size: number): readonly number[] {
  return size < 128 ? [size] : [0x80 | (size & 0x7f), size >> 7]
}

/** As a pack writes how far back a base is: seven bits in each byte, none of them with two spellings. */
function distanceBytes(distance: number): Buffer {
  const bytes = [distance & 0x7f]
  for (let rest = distance >> 7; rest > 0; rest >>= 7) bytes.unshift(0x80 | (--rest & 0x7f))
  return Buffer.from(bytes)
}

/** An entry of a pack; `base` is how a delta names what it builds on. */
function entry(type: number, content: Buffer, base: Buffer = Buffer.alloc(0)): Buffer {
  const size = content.length
  const head = size < 16 ? [(type << 4) | size] : [0x80 | (type << 4) | (size & 15), size >> 4]
  return Buffer.concat([Buffer.from(head), base, stored(content)])
}

/** As zlib writes what it does not compress. Making a stream of zlib for each entry takes most of the time of a run. */
function stored(content: Buffer): Buffer {
  let [low, high] = [1, 0]
  for (const byte of content) {
    low = (low + byte) % 65_521
    high = (high + low) % 65_521
  }
  const frame = Buffer.from([0x78, 0x01, 0x01, 0, 0, 0, 0])
  frame.writeUInt16LE(content.length, 3)
  frame.writeUInt16LE(~content.length & 0xffff, 5)
  const checksum = Buffer.from([high >> 8, high & 255, low >> 8, low & 255])
  return Buffer.concat([frame, content, checksum])
}

function pack(entries: readonly Buffer[]): Uint8Array {
  return sealed(Buffer.concat([Buffer.from('PACK\0\0\0\u0002\0\0\0'), Buffer.from([entries.length]), ...entries]))
}

function sealed(body: Uint8Array): Buffer {
  return Buffer.concat([body, createHash('sha1').update(body).digest()])
}
