import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { crc32, deflate } from 'node:zlib'
import type { Call } from '../../../runtime/call.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import type { ByteCache } from '../byte-cache.ts'
import { type GitLimits, limitError } from '../limits.ts'
import { type GitObject, OID_BYTES, hashLater, hashObject } from '../objects.ts'
import { protocolError } from '../protocol/pkt-line.ts'
import { OBJECT_COST, type Slicer, createSlicer } from '../slice.ts'
import { deflate as deflateOne } from './deflate.ts'
import { applyDelta, applyDeltaLater, readDeltaHead } from './delta.ts'
import { MAX_ENTRY_HEAD, type PackEntry, entryHead, readEntry } from './entry.ts'
import { type EntryTable, createEntryTable, enlarge, oidAt, positionOf } from './entry-table.ts'
import { type GrowingBuffer, createGrowingBuffer } from './growing-buffer.ts'
import { type InflatedEntry, LARGE_BYTES, inflate, inflateLater } from './inflate.ts'
import { type PackIndex, sortIndex } from './pack-index.ts'

/** What decoding needs from its surroundings. */
export interface DecodeContext {
  readonly limits: GitLimits
  /** Objects that are here already: a thin pack builds on them. */
  readonly readBase: (oid: string) => Promise<GitObject | undefined>
  /** Such an object as it is written in a pack, where it is whole there: to copy it instead of compressing it again. */
  readonly writtenBase: (oid: string) => Promise<Buffer | undefined>
  /** Keeps inflated objects at hand, by id. */
  readonly cache: ByteCache<GitObject>
}

/** A pack of which every byte was checked. It needs no other pack. */
export interface DecodedPack {
  readonly bytes: Buffer
  readonly index: PackIndex
  /** The checksum at its end, which names it. */
  readonly checksum: string
}

const HEAD_BYTES = 12
const TRAILER_BYTES = OID_BYTES
const HASH_STEP_BYTES = 2 ** 22

const deflateLater = promisify<Buffer, { level: number }, Buffer>(deflate)

/**
 * Decodes a pack while it arrives: every object is inflated, put together, checked against the
 * limits and named by its hash; the checksum of the whole and the count are compared. Throws
 * `SOURCE_CORRUPT`, `SOURCE_PROTOCOL` or `SOURCE_LIMIT`; nothing outside changes before it resolves,
 * except that whole objects, whose ids are true, may be in the cache.
 */
export async function decodePack(
  chunks: AsyncIterable<Buffer>,
  context: DecodeContext,
  call: Call,
): Promise<DecodedPack> {
  const work = createWork(context, call)
  for await (const chunk of chunks) {
    work.buffer.append(chunk)
    await decodeAvailable(work, false)
  }
  await decodeAvailable(work, true)
  checkTrailer(work)
  await resolveWaiting(work)
  return finish(work)
}

interface Work {
  readonly context: DecodeContext
  readonly call: Call
  readonly slicer: Slicer
  readonly buffer: GrowingBuffer
  readonly hash: ReturnType<typeof createHash>
  hashedBytes: number
  inflatedBytes: number
  table: EntryTable | undefined
  expected: number
  position: number
  /** Entries whose base was not known when they arrived, with their delta. */
  waiting: Map<number, Buffer>
}

function createWork(context: DecodeContext, call: Call): Work {
  return {
    context,
    call,
    slicer: createSlicer(call),
    buffer: createGrowingBuffer(),
    hash: createHash('sha1'),
    hashedBytes: 0,
    inflatedBytes: 0,
    table: undefined,
    expected: 0,
    position: HEAD_BYTES,
    waiting: new Map(),
  }
}

async function decodeAvailable(work: Work, ended: boolean): Promise<void> {
  if (work.table === undefined) readHead(work)
  const { table } = work
  if (table === undefined) return ended ? fail('The pack ended before it began.') : undefined
  while (table.count < work.expected) {
    const entry = nextEntry(work, ended)
    if (entry === undefined) break
    const { data, usedBytes } = await inflateEntry(work, entry)
    take(work, table, entry, entry.dataStart + usedBytes)
    await place(work, table, table.count - 1, entry, data)
    if (work.slicer.isFull(data.length + OBJECT_COST)) await work.slicer.pause()
  }
  hashSoFar(work)
  work.call.progress?.({ activity: 'receiving objects', done: table.count, total: work.expected, unit: 'objects' })
}

function readHead(work: Work): void {
  const { limits } = work.context
  if (work.buffer.length < HEAD_BYTES) return
  const head = work.buffer.bytes
  if (head.toString('latin1', 0, 4) !== 'PACK' || head.readUInt32BE(4) !== 2)
    throw protocolError('What came is not a pack of version 2.')
  work.expected = head.readUInt32BE(8)
  if (work.expected > limits.maxObjects) throw limitError('maxObjects', limits, `A pack of ${work.expected} objects`)
  work.table = createEntryTable(work.expected)
}

/** The head of the next entry, or `undefined` while it may not have arrived completely. */
function nextEntry(work: Work, ended: boolean): PackEntry | undefined {
  const available = work.buffer.length - work.position
  if (!ended && available < MAX_ENTRY_HEAD) return undefined
  if (available <= TRAILER_BYTES) return fail('The pack ended too early.')
  const entry = readEntry(work.buffer.bytes, work.position)
  checkSize(work, entry.sizeBytes)
  const here = work.buffer.length - entry.dataStart >= deflateBound(entry.sizeBytes)
  if (here || ended) return entry
  work.inflatedBytes -= entry.sizeBytes
  return undefined
}

function inflateEntry(work: Work, entry: PackEntry): InflatedEntry | Promise<InflatedEntry> {
  const { bytes } = work.buffer
  return entry.sizeBytes > LARGE_BYTES
    ? inflateLater(bytes, entry.dataStart, entry.sizeBytes)
    : inflate(bytes, entry.dataStart, entry.sizeBytes)
}

function take(work: Work, table: EntryTable, entry: PackEntry, end: number): void {
  table.offsets[table.count] = work.position
  table.checksums[table.count] = crc32(work.buffer.bytes.subarray(work.position, end))
  table.count++
  work.position = end
}

/** The most bytes that zlib makes out of `sizeBytes`: what is stored, not compressed, with its frames. */
function deflateBound(sizeBytes: number): number {
  return sizeBytes + Math.ceil(sizeBytes / 1000) + 64
}

function checkSize(work: Work, sizeBytes: number): void {
  const { limits } = work.context
  if (sizeBytes > limits.maxObjectBytes) throw limitError('maxObjectBytes', limits, `An object of ${sizeBytes} bytes`)
  work.inflatedBytes += sizeBytes
  if (work.inflatedBytes > limits.maxInflatedBytes)
    throw limitError('maxInflatedBytes', limits, 'The content of the pack')
}

/** Names a whole object; puts a delta together, or lets it wait for its base. */
async function place(work: Work, table: EntryTable, at: number, entry: PackEntry, data: Buffer): Promise<void> {
  if (entry.kind !== 'offset-delta' && entry.kind !== 'oid-delta')
    return name(work, table, at, { type: entry.kind, data }, 0)
  const base = await baseOf(work, table, entry)
  if (base === undefined) work.waiting.set(at, data)
  else await combine(work, table, at, base, data)
}

interface Base {
  readonly object: GitObject
  readonly depth: number
}

async function baseOf(work: Work, table: EntryTable, entry: PackEntry): Promise<Base | undefined> {
  if (entry.baseOid !== undefined) {
    const object = await work.context.readBase(entry.baseOid)
    return object === undefined ? undefined : { object, depth: 0 }
  }
  const at = positionOf(table, entry.baseOffset ?? -1)
  if (at < 0) return fail('A delta of the pack builds on something that is not an object.')
  if (table.resolved[at] !== 1) return undefined
  return { object: await objectAt(work, table, at), depth: table.depths[at] ?? 0 }
}

async function combine(work: Work, table: EntryTable, at: number, base: Base, delta: Buffer): Promise<void> {
  const { limits } = work.context
  if (base.depth >= limits.maxDeltaDepth) throw limitError('maxDeltaDepth', limits, 'A chain of deltas')
  checkSize(work, readDeltaHead(delta).resultBytes)
  await name(work, table, at, await applyTo(work, base.object, delta), base.depth + 1)
}

async function applyTo(work: Work, { type, data: base }: GitObject, delta: Buffer): Promise<GitObject> {
  const head = readDeltaHead(delta)
  const large = head.resultBytes > LARGE_BYTES
  const pause = (): Promise<void> => work.slicer.pause()
  return { type, data: large ? await applyDeltaLater(base, delta, head, pause) : applyDelta(base, delta, head) }
}

async function name(work: Work, table: EntryTable, at: number, object: GitObject, depth: number): Promise<void> {
  const { type, data } = object
  const large = data.length > LARGE_BYTES
  const oid = large ? await hashLater(type, data, () => work.slicer.pause()) : hashObject(type, data)
  table.oids.write(oid, at * OID_BYTES, 'hex')
  table.depths[at] = depth
  table.resolved[at] = 1
  work.context.cache.set(oid, object, data.length)
}

/** An object decoded before: from the cache, or once more from the pack, along its deltas. */
async function objectAt(work: Work, table: EntryTable, position: number): Promise<GitObject> {
  const deltas: Buffer[] = []
  for (let at = position; ;) {
    const known: GitObject | undefined = work.context.cache.get(oidAt(table, at))
    if (known !== undefined) return applyAll(work, known, deltas)
    const entry = readEntry(work.buffer.bytes, table.offsets[at] ?? 0)
    const { data } = await inflateEntry(work, entry)
    if (entry.kind !== 'offset-delta' && entry.kind !== 'oid-delta')
      return applyAll(work, { type: entry.kind, data }, deltas)
    deltas.push(data)
    const outside = entry.baseOid === undefined ? undefined : await work.context.readBase(entry.baseOid)
    if (outside !== undefined) return applyAll(work, outside, deltas)
    at = entry.baseOid === undefined ? positionOf(table, entry.baseOffset ?? -1) : positionOfOid(table, entry.baseOid)
  }
}

async function applyAll(work: Work, base: GitObject, deltas: readonly Buffer[]): Promise<GitObject> {
  let object = base
  for (const delta of deltas.toReversed()) object = await applyTo(work, object, delta)
  return object
}

function positionOfOid(table: EntryTable, oid: string): number {
  const wanted = Buffer.from(oid, 'hex')
  for (let at = 0; at < table.count; at++)
    if (table.resolved[at] === 1 && wanted.equals(table.oids.subarray(at * OID_BYTES, (at + 1) * OID_BYTES))) return at
  return fail('A delta of the pack builds on an object that is nowhere.')
}

function hashSoFar(work: Work): void {
  const end = work.buffer.length - TRAILER_BYTES
  if (end <= work.hashedBytes) return
  work.hash.update(work.buffer.bytes.subarray(work.hashedBytes, end))
  work.hashedBytes = end
}

function checkTrailer(work: Work): void {
  const rest = work.buffer.length - work.position
  if (rest < TRAILER_BYTES) fail('The pack ended too early.')
  if (rest > TRAILER_BYTES) fail('The pack goes on after its last object.')
  if (!work.hash.copy().digest().equals(work.buffer.bytes.subarray(work.position)))
    fail('The pack was damaged on its way: its checksum does not match.')
}

/** Deltas whose base came later, or builds on such a one: rounds until none is left. */
async function resolveWaiting(work: Work): Promise<void> {
  const { table } = work
  if (table === undefined) return
  while (work.waiting.size > 0) {
    const before = work.waiting.size
    const known = positionsByOid(table)
    for (const [at, delta] of work.waiting) {
      const entry = readEntry(work.buffer.bytes, table.offsets[at] ?? 0)
      const baseAt = entry.baseOid === undefined ? positionOf(table, entry.baseOffset ?? -1) : known.get(entry.baseOid)
      if (baseAt === undefined || table.resolved[baseAt] !== 1) continue
      const base = { object: await objectAt(work, table, baseAt), depth: table.depths[baseAt] ?? 0 }
      await combine(work, table, at, base, delta)
      work.waiting.delete(at)
      if (work.slicer.isFull(delta.length + OBJECT_COST)) await work.slicer.pause()
    }
    if (work.waiting.size === before) fail('A delta of the pack builds on an object that is nowhere.')
  }
}

/** Appends the bases that a thin pack left out, so that the pack can be read alone. */
async function finish(work: Work): Promise<DecodedPack> {
  const { table } = work
  if (table === undefined) return fail('The pack ended before it began.')
  const missing = missingBases(work, table)
  const bytes = missing.length === 0 ? work.buffer.finished() : await appendBases(work, table, missing)
  const index = await sortIndex(work.table ?? table, work.slicer)
  return { bytes, index, checksum: bytes.toString('hex', bytes.length - TRAILER_BYTES) }
}

function missingBases(work: Work, table: EntryTable): string[] {
  const wanted = new Set<string>()
  for (let at = 0; at < table.count; at++) {
    if (table.depths[at] !== 1) continue
    const { baseOid } = readEntry(work.buffer.bytes, table.offsets[at] ?? 0)
    if (baseOid !== undefined) wanted.add(baseOid)
  }
  if (wanted.size === 0) return []
  for (let at = 0; at < table.count; at++) wanted.delete(oidAt(table, at))
  return [...wanted]
}

async function appendBases(work: Work, table: EntryTable, missing: readonly string[]): Promise<Buffer> {
  const larger = enlarge(table, missing.length)
  const parts: Buffer[] = [work.buffer.bytes.subarray(0, -TRAILER_BYTES)]
  let offset = parts[0]?.length ?? 0
  for (const oid of missing) {
    const entry = (await work.context.writtenBase(oid)) ?? (await writeBase(work, oid))
    const at = larger.count++
    larger.oids.write(oid, at * OID_BYTES, 'hex')
    larger.offsets[at] = offset
    larger.checksums[at] = crc32(entry)
    larger.resolved[at] = 1
    offset += entry.length
    parts.push(entry)
  }
  parts[0]?.writeUInt32BE(larger.count, 8)
  work.table = larger
  const hash = createHash('sha1')
  for (const part of parts) {
    for (let at = 0; at < part.length; at += HASH_STEP_BYTES) {
      const piece = part.subarray(at, at + HASH_STEP_BYTES)
      hash.update(piece)
      if (work.slicer.isFull(piece.length)) await work.slicer.pause()
    }
  }
  return Buffer.concat([...parts, hash.digest()])
}

async function writeBase(work: Work, oid: string): Promise<Buffer> {
  const object = (await work.context.readBase(oid)) ?? fail('The base of a delta vanished while the pack was read.')
  const { type, data } = object
  const large = data.length > LARGE_BYTES
  const compressed = large ? await deflateLater(data, { level: 1 }) : deflateOne(data)
  return Buffer.concat([entryHead(type, data.length), compressed])
}

function fail(message: string): never {
  throw new GitOpsError('SOURCE_CORRUPT', message)
}

function positionsByOid(table: EntryTable): ReadonlyMap<string, number> {
  const positions = new Map<string, number>()
  for (let at = 0; at < table.count; at++) if (table.resolved[at] === 1) positions.set(oidAt(table, at), at)
  return positions
}
