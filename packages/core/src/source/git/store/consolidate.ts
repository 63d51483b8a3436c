import { crc32 } from 'node:zlib'
import type { Call } from '../../../runtime/call.ts'
import { parseCommit } from '../commit.ts'
import type { DecodedPack } from '../pack/decode.ts'
import { type WrittenEntry, encodePack } from '../pack/encode.ts'
import { deflate } from '../pack/deflate.ts'
import { type PackEntry, deltaHead, entryHead } from '../pack/entry.ts'
import { inflate } from '../pack/inflate.ts'
import type { KeptPack } from '../pack/kept-pack.ts'
import { type EntryBytes, changedOnDisk, entryAt } from '../pack/read.ts'
import { OBJECT_COST, type Slicer, createSlicer } from '../slice.ts'
import type { ObjectStore } from './object-store.ts'

/** More packs than this slow every look-up down. */
const MAX_PACKS = 40
/** Stores that are smaller than this are left alone. */
const MIN_WASTE_BYTES = 2 ** 13
/** What an index takes: its head and tail, and each object. */
const INDEX_BYTES = 1_072
const INDEX_ENTRY_BYTES = 28

/** Whether so many packs came, or so much of them is no longer needed, that they should become one. */
export function shouldConsolidate(store: ObjectStore, lastBytes: number): boolean {
  const bytes = packBytes(store)
  return store.packs.length > MAX_PACKS || bytes > lastBytes * 1.5 + MIN_WASTE_BYTES
}

/** Bytes of all packs with their indexes, as they are on disk. */
export function packBytes({ packs }: Pick<ObjectStore, 'packs'>): number {
  return packs.reduce((sum, pack) => sum + bytesOf(pack), 0)
}

/** Bytes of one pack with its index. */
export function bytesOf({ sizeBytes, index }: KeptPack): number {
  return sizeBytes + INDEX_BYTES + index.count * INDEX_ENTRY_BYTES
}

/** What consolidating gives. */
export interface Consolidated {
  readonly pack: DecodedPack
  /** The folders in it. */
  readonly trees: ReadonlySet<string>
}

/**
 * One pack of everything that `commits` refer to. Entries are copied as they are, deltas included, so that next to nothing is
 * inflated or compressed again.
 */
export async function consolidate(store: ObjectStore, commits: readonly string[], call: Call): Promise<Consolidated> {
  const slicer = createSlicer(call)
  const trees = new Set<string>()
  const wanted = new Set<string>()
  for (const commit of commits) {
    wanted.add(commit)
    await collect(parseCommit(await store.expect(commit, 'commit')).tree, store, trees, wanted, slicer)
  }
  const places = await locate(store, [...trees, ...wanted], slicer)
  return { pack: await encodePack(entriesOf(places), places.size, call), trees }
}

async function collect(
  oid: string,
  store: ObjectStore,
  trees: Set<string>,
  wanted: Set<string>,
  slicer: Slicer,
): Promise<void> {
  if (trees.has(oid)) return
  trees.add(oid)
  const tree = await store.tree(oid)
  if (slicer.isFull(tree.size * 200 + OBJECT_COST)) await slicer.pause()
  for (const entry of tree.values()) {
    if (entry.type === 'folder') await collect(entry.oid, store, trees, wanted, slicer)
    else if (entry.type !== 'submodule') wanted.add(entry.oid)
  }
}

/** Where an object is written down. */
interface Place {
  readonly pack: KeptPack
  readonly position: number
}

type Places = ReadonlyMap<string, Place>

/** Files that were never fetched have no place and are left out. */
async function locate(store: ObjectStore, oids: readonly string[], slicer: Slicer): Promise<Places> {
  const { packs } = store
  const places = new Map<string, Place>()
  for (const oid of oids) {
    for (const pack of packs) {
      const position = pack.index.find(oid)
      if (position < 0) continue
      places.set(oid, { pack, position })
      break
    }
  }
  return withBases(places, slicer)
}

/** A delta is copied only together with its base, out of the same pack: so no chain can run in a circle. */
async function withBases(places: Places, slicer: Slicer): Promise<Places> {
  const all = new Map(places)
  for (const place of places.values()) {
    await addBases(place, all)
    if (slicer.isFull(OBJECT_COST)) await slicer.pause()
  }
  return all
}

async function addBases(place: Place, all: Map<string, Place>): Promise<void> {
  for (let current = place; ;) {
    const base = baseOf(current.pack, (await read(current)).entry)
    if (base === undefined || all.get(base)?.pack === current.pack) return
    current = { pack: current.pack, position: current.pack.index.find(base) }
    all.set(base, current)
  }
}

function read({ pack, position }: Place): Promise<EntryBytes> {
  return entryAt(pack, pack.index.offsets[position] ?? 0)
}

function baseOf(pack: KeptPack, { baseOid, baseOffset }: PackEntry): string | undefined {
  return baseOid ?? (baseOffset === undefined ? undefined : pack.order().oidAt(baseOffset))
}

async function* entriesOf(places: Places): AsyncGenerator<WrittenEntry> {
  for (const [oid, place] of places) yield { oid, bytes: await copyEntry(place) }
}

/** An entry as it is, its base named by id instead of by where it stands. */
async function copyEntry(place: Place): Promise<Buffer> {
  const { pack, position } = place
  const start = pack.index.offsets[position] ?? 0
  const { bytes, entry } = await read(place)
  const written = bytes.subarray(0, pack.order().endOf(start) - start)
  if (pack.onDisk && crc32(written) !== pack.index.checksums[position]) throw changedOnDisk(pack)
  if (isStored(written, entry)) return compressed(written, entry)
  if (entry.baseOffset === undefined) return written
  const base = Buffer.from(baseOf(pack, entry) ?? '', 'hex')
  return Buffer.concat([deltaHead(base, entry.sizeBytes), written.subarray(entry.dataStart)])
}

/** Small folders that completed a pack were written as they are, because somebody waited. Here nobody does. */
function isStored(written: Buffer, { kind, dataStart }: PackEntry): boolean {
  const firstBlock = written[dataStart + 2] ?? 0
  return kind === 'tree' && (firstBlock & 0b110) === 0
}

function compressed(written: Buffer, { dataStart, sizeBytes }: PackEntry): Buffer {
  return Buffer.concat([entryHead('tree', sizeBytes), deflate(inflate(written, dataStart, sizeBytes).data)])
}
