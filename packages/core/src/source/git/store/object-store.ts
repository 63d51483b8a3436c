import { createByteCache } from '../byte-cache.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import type { GitLimits } from '../limits.ts'
import type { GitObject, ObjectType } from '../objects.ts'
import type { ByteCache } from '../byte-cache.ts'
import type { DecodedPack } from '../pack/decode.ts'
import { readEntry } from '../pack/entry.ts'
import { LARGE_BYTES, inflateLater } from '../pack/inflate.ts'
import { findPrefix } from '../pack/pack-index.ts'
import { entryFromPack, readFromPack } from '../pack/read.ts'
import { type GitTree, parseTree } from '../tree.ts'

/** Objects by id, out of the packs that were received. */
export interface ObjectStore {
  readonly packs: readonly DecodedPack[]
  /** Recently used objects, shared with the decoder so that what just arrived is not inflated again. */
  readonly cache: ByteCache<GitObject>
  has(oid: string): boolean
  read(oid: string): GitObject | undefined
  /** An object as it is written in one of the packs, where it is whole and not large. */
  written(oid: string): Buffer | undefined
  /** A parsed folder. Throws `SOURCE_CORRUPT` when it is not here or not a folder. */
  tree(oid: string): GitTree
  /** An object that must be here and of this type. */
  expect(oid: string, type: ObjectType): Buffer
  /** The content of a file that must be here; a large one is inflated beside the event loop. */
  blob(oid: string): Promise<Buffer>
  /** Ids that start with these hexadecimal digits; at most a few. */
  startingWith(prefix: string): readonly string[]
  add(pack: DecodedPack): void
  /** Puts `packs` in place of all that are here. */
  replace(packs: readonly DecodedPack[]): void
}

/** Bytes that one parsed entry of a folder takes. */
const TREE_ENTRY_BYTES = 250

/** A store in memory over received packs; the newest pack is asked first. */
export function createObjectStore(limits: GitLimits): ObjectStore {
  const cache = createByteCache<GitObject>(limits.cacheBytes * 0.75)
  const trees = createByteCache<GitTree>(limits.cacheBytes * 0.25)
  let packs: readonly DecodedPack[] = []
  const context = { limits, cache }
  const read = (oid: string): GitObject | undefined => {
    const known = cache.get(oid)
    if (known !== undefined) return known
    for (const pack of packs) {
      const object = readFromPack(pack, oid, context)
      if (object === undefined) continue
      cache.set(oid, object, object.data.length)
      return object
    }
    return undefined
  }
  const expect = (oid: string, type: ObjectType): Buffer => {
    const object = read(oid)
    if (object?.type !== type) throw missing(oid, type, object)
    return object.data
  }
  return {
    cache,
    get packs() {
      return packs
    },
    has: (oid) => packs.some((pack) => pack.index.find(oid) >= 0),
    read,
    written: (oid) => firstOf(packs, (pack) => entryFromPack(pack, oid)),
    expect,
    tree: (oid) => {
      const known = trees.get(oid)
      if (known !== undefined) return known
      const tree = parseTree(expect(oid, 'tree'))
      trees.set(oid, tree, tree.size * TREE_ENTRY_BYTES)
      return tree
    },
    blob: async (oid) => {
      const large = cache.get(oid) === undefined ? largeEntry(packs, oid) : undefined
      return large === undefined
        ? expect(oid, 'blob')
        : (await inflateLater(large.bytes, large.start, large.sizeBytes)).data
    },
    startingWith: (prefix) => [...new Set(packs.flatMap((pack) => findPrefix(pack.index, prefix)))],
    add: (pack) => {
      packs = [pack, ...packs]
    },
    replace: (next) => {
      packs = next
    },
  }
}

function firstOf<T>(packs: readonly DecodedPack[], look: (pack: DecodedPack) => T | undefined): T | undefined {
  for (const pack of packs) {
    const found = look(pack)
    if (found !== undefined) return found
  }
  return undefined
}

interface LargeEntry {
  readonly bytes: Buffer
  readonly start: number
  readonly sizeBytes: number
}

/** A whole file that is so large that inflating it would keep the event loop busy. */
function largeEntry(packs: readonly DecodedPack[], oid: string): LargeEntry | undefined {
  for (const { index, bytes } of packs) {
    const position = index.find(oid)
    if (position < 0) continue
    const { kind, sizeBytes, dataStart } = readEntry(bytes, index.offsets[position] ?? 0)
    return kind === 'blob' && sizeBytes > LARGE_BYTES ? { bytes, start: dataStart, sizeBytes } : undefined
  }
  return undefined
}

function missing(oid: string, type: ObjectType, found: GitObject | undefined): GitOpsError {
  const what = found === undefined ? 'was not sent by the server' : `is a ${found.type}`
  return new GitOpsError('SOURCE_CORRUPT', `The ${type} ${oid} ${what}.`, { details: { oid, type } })
}
