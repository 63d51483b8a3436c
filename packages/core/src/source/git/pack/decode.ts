import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Call } from '../../../runtime/call.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import type { ByteCache } from '../byte-cache.ts'
import { type GitLimits, limitError } from '../limits.ts'
import { type GitObject, OID_BYTES, hashLater, hashObject } from '../objects.ts'
import { protocolError } from '../protocol/pkt-line.ts'
import { OBJECT_COST, type Slicer, createSlicer } from '../slice.ts'
import { type OutsideBases, appendBases, missingBases } from './complete.ts'
import { type DeltaHead, applyDelta, applyDeltaLater, readDeltaHead } from './delta.ts'
import { MAX_ENTRY_HEAD, type PackEntry, readEntry } from './entry.ts'
import { type EntryTable, createEntryTable, oidAt, positionOf } from './entry-table.ts'
import { type GrowingBuffer, createGrowingBuffer } from './growing-buffer.ts'
import { type InflatedEntry, LARGE_BYTES, inflate, inflateLater } from './inflate.ts'
import { type PackIndex, sortIndex } from './pack-index.ts'

/** What decoding needs from its surroundings. */
export interface DecodeContext extends OutsideBases {
  readonly limits: GitLimits
  /** Keeps inflated objects at hand, by id. */
  readonly cache: ByteCache<GitObject>
  /** Told of each folder when its id is known, while the rest of the pack is on its way. */
  readonly onTree?: (oid: string, data: Buffer) => void
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
/** What parsing a byte of a folder costs, in bytes that are inflated. */
const TREE_COST = 5
/** Larger objects are inflated when they are certain to be here. */
const MAX_EARLY_BYTES = 2 ** 13

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
    if (isWhole(work)) break
  }
  await decodeAvailable(work, true)
  checkTrailer(work)
  await resolveWaiting(work)
  return finish(work)
}

/**
 * A pack says itself where it ends. That the server has finished comes a moment later, and nobody waits for it: a pack
 * whose checksum matches is not made better by it.
 */
function isWhole({ table, expected, buffer, position }: Work): boolean {
  return table?.count === expected && buffer.length - position >= TRAILER_BYTES
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
  /** Where an entry began that was not yet here when it was tried. */
  triedEarly: number
  /** Deltas below an object of this pack that was put together, by its id: another may build on it by that. */
  readonly depths: Map<string, number>
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
    triedEarly: -1,
    depths: new Map(),
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
    const inflated = isHere(work, entry) || ended ? inflateEntry(work, entry) : inflateEarly(work, entry)
    if (inflated === undefined) break
    const { data, usedBytes } = inflated instanceof Promise ? await inflated : inflated
    work.inflatedBytes += data.length
    const at = take(work, table, entry.dataStart + usedBytes)
    if (!placeAtOnce(work, table, at, entry, data)) await place(work, table, at, entry, data)
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
  return entry
}

function isHere({ buffer }: Work, { dataStart, sizeBytes }: PackEntry): boolean {
  return buffer.length - dataStart >= deflateBound(sizeBytes)
}

/**
 * What is compressed takes less than it may, so that a small object is often here before that is certain: all of a small
 * pack is, while the server has yet to say that it is complete. Each is tried once; `undefined` when it is not here.
 */
function inflateEarly(work: Work, { dataStart, sizeBytes }: PackEntry): InflatedEntry | undefined {
  if (sizeBytes > MAX_EARLY_BYTES || work.triedEarly === work.position) return undefined
  work.triedEarly = work.position
  try {
    return inflate(work.buffer.bytes, dataStart, sizeBytes)
  } catch {
    // Cut off or damaged. It is inflated again when it is certain to be here, and what is damaged is an error then.
    return undefined
  }
}

function inflateEntry(work: Work, entry: PackEntry): InflatedEntry | Promise<InflatedEntry> {
  const { bytes } = work.buffer
  return entry.sizeBytes > LARGE_BYTES
    ? inflateLater(bytes, entry.dataStart, entry.sizeBytes)
    : inflate(bytes, entry.dataStart, entry.sizeBytes)
}

/** Notes the entry that ends at `end`, and gives its position in the table. */
function take(work: Work, table: EntryTable, end: number): number {
  const at = table.count++
  table.offsets[at] = work.position
  table.checksums[at] = crc32(work.buffer.bytes.subarray(work.position, end))
  work.position = end
  return at
}

/** The most bytes that zlib makes out of `sizeBytes`: what is stored, not compressed, with its frames. */
function deflateBound(sizeBytes: number): number {
  return sizeBytes + Math.ceil(sizeBytes / 1000) + 64
}

function checkSize(work: Work, sizeBytes: number): void {
  const { limits } = work.context
  if (sizeBytes > limits.maxObjectBytes) throw limitError('maxObjectBytes', limits, `An object of ${sizeBytes} bytes`)
  if (work.inflatedBytes + sizeBytes > limits.maxInflatedBytes)
    throw limitError('maxInflatedBytes', limits, 'The content of the pack')
}

/**
 * As `place`, without waiting, where the object is small and whole, or its base is at hand: nearly always. Waiting at
 * each step takes as long as all the steps together. Tells whether it did it.
 */
function placeAtOnce(work: Work, table: EntryTable, at: number, entry: PackEntry, data: Buffer): boolean {
  if (data.length > LARGE_BYTES) return false
  if (entry.kind !== 'offset-delta' && entry.kind !== 'oid-delta') {
    note(work, table, at, { type: entry.kind, data }, hashObject(entry.kind, data), 0)
    return true
  }
  const base = baseAtHand(work, table, entry)
  const head = readDeltaHead(data)
  if (base === undefined || head.resultBytes > LARGE_BYTES) return false
  checkDelta(work, base, head)
  const { type } = base.object
  const result = applyDelta(base.object.data, data, head)
  note(work, table, at, { type, data: result }, hashObject(type, result), base.depth + 1)
  return true
}

function baseAtHand(
  { context, depths }: Work,
  table: EntryTable,
  { baseOid, baseOffset }: PackEntry,
): Base | undefined {
  const position = baseOid === undefined ? positionOf(table, baseOffset ?? -1) : -1
  if (baseOid === undefined && table.resolved[position] !== 1) return undefined
  const oid = baseOid ?? oidAt(table, position)
  const object = context.cache.get(oid)
  return object === undefined ? undefined : { object, depth: depths.get(oid) ?? 0 }
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
    return object === undefined ? undefined : { object, depth: work.depths.get(entry.baseOid) ?? 0 }
  }
  const at = positionOf(table, entry.baseOffset ?? -1)
  if (at < 0) return fail('A delta of the pack builds on something that is not an object.')
  if (table.resolved[at] !== 1) return undefined
  return { object: await objectAt(work, table, at), depth: table.depths[at] ?? 0 }
}

async function combine(work: Work, table: EntryTable, at: number, base: Base, delta: Buffer): Promise<void> {
  checkDelta(work, base, readDeltaHead(delta))
  await name(work, table, at, await applyTo(work, base.object, delta), base.depth + 1)
}

function checkDelta(work: Work, base: Base, { resultBytes }: DeltaHead): void {
  const { limits } = work.context
  if (base.depth >= limits.maxDeltaDepth) throw limitError('maxDeltaDepth', limits, 'A chain of deltas')
  checkSize(work, resultBytes)
  work.inflatedBytes += resultBytes
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
  note(work, table, at, object, oid, depth)
}

function note(work: Work, table: EntryTable, at: number, object: GitObject, oid: string, depth: number): void {
  table.oids.write(oid, at * OID_BYTES, 'hex')
  table.depths[at] = depth
  table.resolved[at] = 1
  if (depth > 0) work.depths.set(oid, depth)
  work.context.cache.set(oid, object, object.data.length)
  if (object.type === 'tree') tellOfTree(work, oid, object.data)
}

/** What is made of it is a part of the slice as well. */
function tellOfTree({ context, slicer }: Work, oid: string, data: Buffer): void {
  if (context.onTree === undefined) return
  context.onTree(oid, data)
  slicer.isFull(data.length * TREE_COST)
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

async function finish(work: Work): Promise<DecodedPack> {
  const { table, buffer, context, slicer } = work
  if (table === undefined) return fail('The pack ended before it began.')
  const missing = missingBases(buffer.bytes, table)
  const complete =
    missing.length === 0
      ? { bytes: buffer.finished(), table }
      : await appendBases({ bytes: buffer.bytes, table }, missing, context, slicer)
  const { bytes } = complete
  const index = await sortIndex(complete.table, slicer)
  return { bytes, index, checksum: bytes.toString('hex', bytes.length - TRAILER_BYTES) }
}

function fail(message: string): never {
  throw new GitOpsError('SOURCE_CORRUPT', message)
}

function positionsByOid(table: EntryTable): ReadonlyMap<string, number> {
  const positions = new Map<string, number>()
  for (let at = 0; at < table.count; at++) if (table.resolved[at] === 1) positions.set(oidAt(table, at), at)
  return positions
}
