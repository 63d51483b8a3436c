import { GitOpsError } from '../../../runtime/errors.ts'
import { type ByteCache, createByteCache } from '../byte-cache.ts'
import type { GitLimits } from '../limits.ts'
import type { GitObject, ObjectType } from '../objects.ts'
import type { KeptPack } from '../pack/kept-pack.ts'
import { findPrefix } from '../pack/pack-index.ts'
import { entryFromPack, readChecked } from '../pack/read.ts'
import { type GitTree, parseTree } from '../tree.ts'

/**
 * Objects by id, out of the packs that were received. Whatever reads from a pack in a folder throws `SOURCE_CORRUPT`
 * when it was changed there: `changedPack`.
 */
export interface ObjectStore {
  readonly packs: readonly KeptPack[]
  /** Recently used objects, shared with the decoder so that what just arrived is not inflated again. */
  readonly cache: ByteCache<GitObject>
  has(oid: string): boolean
  /** What is large is inflated and put together without keeping the event loop busy. */
  read(oid: string): Promise<GitObject | undefined>
  /** An object as it is written in one of the packs, where it is whole and not large. */
  written(oid: string): Promise<Buffer | undefined>
  /** A parsed folder. Throws `SOURCE_CORRUPT` when it is not here or not a folder. */
  tree(oid: string): Promise<GitTree>
  /** A parsed folder that was used lately, without waiting. */
  treeAtHand(oid: string): GitTree | undefined
  /** Parses a folder that just came, because it will be asked for when the rest of its pack is here. */
  treeCame(oid: string, data: Buffer): void
  /** An object that must be here and of this type. */
  expect(oid: string, type: ObjectType): Promise<Buffer>
  /** Ids that start with these hexadecimal digits; at most a few. */
  startingWith(prefix: string): readonly string[]
  add(pack: KeptPack): void
  /** Puts `packs` in place of all that are here. */
  replace(packs: readonly KeptPack[]): void
}

/** A larger folder is parsed when it is asked for: that would take the time of what comes behind it. */
const MAX_EARLY_BYTES = 2 ** 14
/** Bytes that one parsed entry of a folder takes. */
const TREE_ENTRY_BYTES = 250

/** A store over received packs; the newest pack is asked first. */
export function createObjectStore(limits: GitLimits): ObjectStore {
  const cache = createByteCache<GitObject>(limits.cacheBytes * 0.75)
  const trees = createByteCache<GitTree>(limits.cacheBytes * 0.25)
  let packs: readonly KeptPack[] = []
  const context = { limits, cache }
  const packOf = (oid: string): KeptPack | undefined => packs.find(({ index }) => index.find(oid) >= 0)
  const load = async (oid: string): Promise<GitObject | undefined> => {
    for (let pack = packOf(oid); pack !== undefined; pack = packOf(oid)) {
      try {
        return await readChecked(pack, oid, context)
      } catch (error) {
        // Packs that were put together meanwhile may be gone from the folder, and what they held is in another.
        if (packs.includes(pack)) throw error
      }
    }
    return undefined
  }
  const read = async (oid: string): Promise<GitObject | undefined> => {
    const known = cache.get(oid)
    if (known !== undefined) return known
    const object = await load(oid)
    if (object !== undefined) cache.set(oid, object, object.data.length)
    return object
  }
  const expect = async (oid: string, type: ObjectType): Promise<Buffer> => {
    const object = cache.get(oid) ?? (await read(oid))
    if (object?.type !== type) throw missing(oid, type, object)
    return object.data
  }
  const keepTree = (oid: string, data: Buffer): GitTree => {
    const tree = parseTree(data)
    trees.set(oid, tree, tree.size * TREE_ENTRY_BYTES)
    return tree
  }
  return {
    cache,
    get packs() {
      return packs
    },
    has: (oid) => packOf(oid) !== undefined,
    read,
    written: (oid) => writtenIn(packs, oid),
    expect,
    treeAtHand: (oid) => trees.get(oid),
    tree: async (oid) => trees.get(oid) ?? keepTree(oid, await expect(oid, 'tree')),
    treeCame: (oid, data) => {
      if (data.length > MAX_EARLY_BYTES || trees.get(oid) !== undefined) return
      try {
        keepTree(oid, data)
      } catch {
        // Whoever asks for it is told what is wrong with it; nobody may.
      }
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

async function writtenIn(packs: readonly KeptPack[], oid: string): Promise<Buffer | undefined> {
  for (const pack of packs) {
    if (pack.index.find(oid) < 0) continue
    const entry = await entryFromPack(pack, oid)
    if (entry !== undefined) return entry
  }
  return undefined
}

/** Whether `error` tells that an object is not here which should be. */
export function isMissing(error: unknown): boolean {
  return error instanceof GitOpsError && error.code === 'SOURCE_CORRUPT' && error.details?.['oid'] !== undefined
}

function missing(oid: string, type: ObjectType, found: GitObject | undefined): GitOpsError {
  const what = found === undefined ? 'was not sent by the server' : `is a ${found.type}`
  return new GitOpsError('SOURCE_CORRUPT', `The ${type} ${oid} ${what}.`, { details: { oid, type } })
}
