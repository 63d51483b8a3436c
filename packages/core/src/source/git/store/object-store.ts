import { createByteCache } from '../byte-cache.ts'
import { GitOpsError } from '../../../runtime/errors.ts'
import type { GitLimits } from '../limits.ts'
import type { GitObject, ObjectType } from '../objects.ts'
import type { ByteCache } from '../byte-cache.ts'
import type { DecodedPack } from '../pack/decode.ts'
import { findPrefix } from '../pack/pack-index.ts'
import { entryFromPack, readFromPack, readFromPackLater } from '../pack/read.ts'
import { type GitTree, parseTree } from '../tree.ts'

/** Objects by id, out of the packs that were received. */
export interface ObjectStore {
  readonly packs: readonly DecodedPack[]
  /** Recently used objects, shared with the decoder so that what just arrived is not inflated again. */
  readonly cache: ByteCache<GitObject>
  has(oid: string): boolean
  read(oid: string): GitObject | undefined
  /** As `read`; what is large is inflated and put together without keeping the event loop busy. */
  readLater(oid: string): Promise<GitObject | undefined>
  /** An object as it is written in one of the packs, where it is whole and not large. */
  written(oid: string): Buffer | undefined
  /** A parsed folder. Throws `SOURCE_CORRUPT` when it is not here or not a folder. */
  tree(oid: string): GitTree
  /** An object that must be here and of this type. */
  expect(oid: string, type: ObjectType): Buffer
  /** The content of a file that must be here, as `readLater`. */
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
  const keep = (oid: string, object: GitObject): GitObject => {
    cache.set(oid, object, object.data.length)
    return object
  }
  const read = (oid: string): GitObject | undefined => {
    const known = cache.get(oid)
    if (known !== undefined) return known
    const object = firstOf(packs, (pack) => readFromPack(pack, oid, context))
    return object === undefined ? undefined : keep(oid, object)
  }
  const readLater = async (oid: string): Promise<GitObject | undefined> => {
    const known = cache.get(oid)
    if (known !== undefined) return known
    const pack = packs.find(({ index }) => index.find(oid) >= 0)
    const object = pack === undefined ? undefined : await readFromPackLater(pack, oid, context)
    return object === undefined ? undefined : keep(oid, object)
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
    readLater,
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
      const object = await readLater(oid)
      if (object?.type !== 'blob') throw missing(oid, 'blob', object)
      return object.data
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

function missing(oid: string, type: ObjectType, found: GitObject | undefined): GitOpsError {
  const what = found === undefined ? 'was not sent by the server' : `is a ${found.type}`
  return new GitOpsError('SOURCE_CORRUPT', `The ${type} ${oid} ${what}.`, { details: { oid, type } })
}
