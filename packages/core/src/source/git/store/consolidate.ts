import type { Call } from '../../../runtime/call.ts'
import { parseCommit } from '../commit.ts'
import type { CheckedTrees } from '../completeness.ts'
import type { DecodedPack } from '../pack/decode.ts'
import { type WrittenEntry, encodePack } from '../pack/encode.ts'
import { deltaHead, readEntry } from '../pack/entry.ts'
import { lowerBound } from '../pack/pack-index.ts'
import { OBJECT_COST, type Slicer, createSlicer } from '../slice.ts'
import type { ObjectStore } from './object-store.ts'

/** More packs than this slow every look-up down. */
const MAX_PACKS = 40
/** Stores that are smaller than this are left alone. */
const MIN_WASTE_BYTES = 2 ** 14
/** What an index takes: its head and tail, and each object. */
const INDEX_BYTES = 1_072
const INDEX_ENTRY_BYTES = 28

/** Whether so many packs came, or so much of them is no longer needed, that they should become one. */
export function shouldConsolidate(store: ObjectStore, lastBytes: number): boolean {
  const bytes = packBytes(store)
  return store.packs.length > MAX_PACKS || bytes > lastBytes * 1.5 + MIN_WASTE_BYTES
}

/** Bytes of all packs with their indexes, as they are on disk. */
export function packBytes({ packs }: ObjectStore): number {
  return packs.reduce((sum, { bytes, index }) => sum + bytes.length + INDEX_BYTES + index.count * INDEX_ENTRY_BYTES, 0)
}

/**
 * One pack of everything that `commits` refer to. Entries are copied as they are, deltas included,
 * so that nothing is inflated or compressed again. `checked` is left with the folders that stay.
 */
export async function consolidate(
  store: ObjectStore,
  commits: readonly string[],
  checked: CheckedTrees,
  call: Call,
): Promise<DecodedPack> {
  const slicer = createSlicer(call)
  const trees = new Set<string>()
  const wanted = new Set<string>()
  for (const commit of commits) {
    wanted.add(commit)
    await collect(parseCommit(store.expect(commit, 'commit')).tree, store, trees, wanted, slicer)
  }
  const places = locate(store, [...trees, ...wanted])
  const pack = await encodePack(entriesOf(places), places.size, call)
  checked.clear()
  for (const tree of trees) checked.add(tree)
  return pack
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
  const tree = store.tree(oid)
  if (slicer.isFull(tree.size * 200 + OBJECT_COST)) await slicer.pause()
  for (const entry of tree.values()) {
    if (entry.type === 'folder') await collect(entry.oid, store, trees, wanted, slicer)
    else if (entry.type !== 'submodule') wanted.add(entry.oid)
  }
}

/** Where an object is written down. */
interface Place {
  readonly pack: DecodedPack
  readonly position: number
}

/** Files that were never fetched have no place and are left out. */
function locate(store: ObjectStore, oids: readonly string[]): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>()
  for (const oid of oids) {
    for (const pack of store.packs) {
      const position = pack.index.find(oid)
      if (position < 0) continue
      places.set(oid, { pack, position })
      break
    }
  }
  return withBases(places)
}

/** A delta is copied only together with its base, out of the same pack: so no chain can run in a circle. */
function withBases(places: Map<string, Place>): ReadonlyMap<string, Place> {
  const all = new Map(places)
  const outlines = new Map<DecodedPack, Outline>()
  for (const [oid, place] of places) addBases(oid, place, all, outlines)
  return all
}

function addBases(oid: string, place: Place, all: Map<string, Place>, outlines: Map<DecodedPack, Outline>): void {
  let current = { oid, place }
  for (;;) {
    const base = baseOf(current.place, outlines)
    if (base === undefined || all.get(base)?.pack === current.place.pack) return
    const position = current.place.pack.index.find(base)
    current = { oid: base, place: { pack: current.place.pack, position } }
    all.set(base, current.place)
  }
}

/** The entries of a pack in the order they are written. */
interface Outline {
  readonly offsets: Uint32Array
  readonly positions: Uint32Array
}

function outlineOf(pack: DecodedPack, outlines: Map<DecodedPack, Outline>): Outline {
  const known = outlines.get(pack)
  if (known !== undefined) return known
  const keys = Float64Array.from(
    pack.index.offsets.subarray(0, pack.index.count),
    (offset, at) => offset * 2 ** 21 + at,
  ).sort()
  const outline = {
    offsets: Uint32Array.from(keys, (key) => Math.floor(key / 2 ** 21)),
    positions: Uint32Array.from(keys, (key) => key % 2 ** 21),
  }
  outlines.set(pack, outline)
  return outline
}

function baseOf({ pack, position }: Place, outlines: Map<DecodedPack, Outline>): string | undefined {
  const entry = readEntry(pack.bytes, pack.index.offsets[position] ?? 0)
  if (entry.baseOid !== undefined) return entry.baseOid
  if (entry.baseOffset === undefined) return undefined
  const { offsets, positions } = outlineOf(pack, outlines)
  const at = positions[lowerBound(offsets, entry.baseOffset)] ?? 0
  return pack.index.oids.toString('hex', at * 20, at * 20 + 20)
}

function* entriesOf(places: ReadonlyMap<string, Place>): Generator<WrittenEntry> {
  const outlines = new Map<DecodedPack, Outline>()
  for (const [oid, place] of places) yield { oid, bytes: copyEntry(place, outlines) }
}

function copyEntry(place: Place, outlines: Map<DecodedPack, Outline>): Buffer {
  const { pack, position } = place
  const start = pack.index.offsets[position] ?? 0
  const { offsets } = outlineOf(pack, outlines)
  const end = offsets[lowerBound(offsets, start + 1)] ?? pack.bytes.length - 20
  const entry = readEntry(pack.bytes, start)
  if (entry.baseOffset === undefined) return pack.bytes.subarray(start, end)
  const base = Buffer.from(baseOf(place, outlines) ?? '', 'hex')
  return Buffer.concat([deltaHead(base, entry.sizeBytes), pack.bytes.subarray(entry.dataStart, end)])
}
