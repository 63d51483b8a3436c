import { setImmediate } from 'node:timers/promises'
import { GitOpsError } from '../../../runtime/errors.ts'
import type { ByteCache } from '../byte-cache.ts'
import type { GitLimits } from '../limits.ts'
import { limitError } from '../limits.ts'
import { type GitObject, hashLater, hashObject } from '../objects.ts'
import { applyDelta, applyDeltaLater, readDeltaHead } from './delta.ts'
import { type PackEntry, readEntry } from './entry.ts'
import { LARGE_BYTES, inflate, inflateLater } from './inflate.ts'
import type { KeptPack } from './kept-pack.ts'

/** What reading from packs needs. */
export interface ReadContext {
  readonly limits: GitLimits
  /** Keeps bases at hand, by pack and offset. */
  readonly cache: ByteCache<GitObject>
}

/**
 * The object `oid` of `pack`, or `undefined` when it is not in it. What is large is inflated and put together without
 * keeping the event loop busy.
 */
export async function readFromPack(pack: KeptPack, oid: string, context: ReadContext): Promise<GitObject | undefined> {
  const position = pack.index.find(oid)
  return position < 0 ? undefined : readAt(pack, pack.index.offsets[position] ?? 0, context)
}

/** The object `oid` as it is written in `pack`, or `undefined` when it is not in it, is a delta or is large. */
export async function entryFromPack(pack: KeptPack, oid: string): Promise<Buffer | undefined> {
  const position = pack.index.find(oid)
  if (position < 0) return undefined
  const { bytes, entry } = await entryAt(pack, pack.index.offsets[position] ?? 0)
  const { kind, dataStart, sizeBytes } = entry
  if (kind === 'offset-delta' || kind === 'oid-delta' || sizeBytes > LARGE_BYTES) return undefined
  const { data, usedBytes } = inflate(bytes, dataStart, sizeBytes)
  if (pack.onDisk && hashObject(kind, data) !== oid) throw changedOnDisk(pack)
  return bytes.subarray(0, dataStart + usedBytes)
}

/**
 * As `readFromPack`. What others may have changed on disk is checked against its name; throws `changedOnDisk` when it is
 * not that, cannot be read as an object any more, or is gone.
 */
export async function readChecked(pack: KeptPack, oid: string, context: ReadContext): Promise<GitObject | undefined> {
  if (!pack.onDisk) return readFromPack(pack, oid, context)
  const object = await readFromPack(pack, oid, context).catch((error: unknown) => {
    throw isDamage(error) ? changedOnDisk(pack, error) : error
  })
  if (object !== undefined && (await nameOf(object)) !== oid) throw changedOnDisk(pack)
  return object
}

function nameOf({ type, data }: GitObject): string | Promise<string> {
  return data.length > LARGE_BYTES ? hashLater(type, data, () => setImmediate()) : hashObject(type, data)
}

/** A size beyond a limit is damage as well: the pack was within all limits when it came. */
function isDamage(error: unknown): boolean {
  return error instanceof GitOpsError && (error.code === 'SOURCE_CORRUPT' || error.code === 'SOURCE_LIMIT')
}

/** The error for a pack whose file is no longer what it was when it was opened.  */
export function changedOnDisk({ checksum }: KeptPack, cause?: unknown): GitOpsError {
  return new GitOpsError('SOURCE_CORRUPT', `The kept pack ${checksum} was changed or removed on disk.`, {
    cause,
    details: { pack: checksum },
  })
}

/** The kept pack that `error` tells is no longer what it was, by its checksum. */
export function changedPack(error: unknown): string | undefined {
  if (!(error instanceof GitOpsError) || error.code !== 'SOURCE_CORRUPT') return undefined
  const pack = error.details?.['pack']
  return typeof pack === 'string' ? pack : undefined
}

/** An entry with its bytes, and perhaps some behind it. */
export interface EntryBytes {
  readonly bytes: Buffer
  /** Its head; `dataStart` counts from the start of `bytes`, `baseOffset` from the start of the pack. */
  readonly entry: PackEntry
}

/** The entry of `pack` that begins at `offset`. */
export async function entryAt(pack: KeptPack, offset: number): Promise<EntryBytes> {
  const bytes = await pack.entryAt(offset)
  return { bytes, entry: readEntry(bytes, 0, offset) }
}

interface Delta {
  readonly offset: number
  readonly delta: Buffer
}

/** Follows deltas down to a whole object, then puts them together on the way back. */
async function readAt(pack: KeptPack, start: number, context: ReadContext): Promise<GitObject> {
  const { cache, limits } = context
  const deltas: Delta[] = []
  for (let offset = start; ;) {
    const known = cache.get(baseKey(pack, offset))
    if (known !== undefined) return putTogether(pack, known, deltas, context)
    const { bytes, entry } = await entryAt(pack, offset)
    checkObjectSize(entry.sizeBytes, limits)
    const data = await inflateEntry(bytes, entry)
    if (entry.kind !== 'offset-delta' && entry.kind !== 'oid-delta') {
      const object = { type: entry.kind, data }
      if (deltas.length > 0) cache.set(baseKey(pack, offset), object, data.length)
      return putTogether(pack, object, deltas, context)
    }
    deltas.push({ offset, delta: data })
    if (deltas.length > limits.maxDeltaDepth) throw limitError('maxDeltaDepth', limits, 'A chain of deltas')
    offset = entry.baseOffset ?? offsetOf(pack, entry.baseOid ?? '')
  }
}

async function inflateEntry(bytes: Buffer, { dataStart, sizeBytes }: PackEntry): Promise<Buffer> {
  const { data } =
    sizeBytes > LARGE_BYTES ? await inflateLater(bytes, dataStart, sizeBytes) : inflate(bytes, dataStart, sizeBytes)
  return data
}

async function putTogether(
  pack: KeptPack,
  base: GitObject,
  deltas: readonly Delta[],
  { cache, limits }: ReadContext,
): Promise<GitObject> {
  let object = base
  for (const [at, { offset, delta }] of deltas.toReversed().entries()) {
    const head = readDeltaHead(delta)
    checkObjectSize(head.resultBytes, limits)
    const large = head.resultBytes > LARGE_BYTES
    const pause = (): Promise<void> => setImmediate()
    const data = large ? await applyDeltaLater(object.data, delta, head, pause) : applyDelta(object.data, delta, head)
    object = { type: object.type, data }
    if (at < deltas.length - 1) cache.set(baseKey(pack, offset), object, data.length)
  }
  return object
}

function checkObjectSize(sizeBytes: number, limits: GitLimits): void {
  if (sizeBytes > limits.maxObjectBytes) throw limitError('maxObjectBytes', limits, `An object of ${sizeBytes} bytes`)
}

function baseKey({ key }: KeptPack, offset: number): string {
  return `${key}:${offset}`
}

function offsetOf(pack: KeptPack, oid: string): number {
  const position = pack.index.find(oid)
  if (position < 0)
    throw new GitOpsError('SOURCE_CORRUPT', 'A delta of a kept pack builds on an object that is not in it.')
  return pack.index.offsets[position] ?? 0
}
