import { GitOpsError } from '../../../runtime/errors.ts'
import type { ByteCache } from '../byte-cache.ts'
import type { GitLimits } from '../limits.ts'
import { limitError } from '../limits.ts'
import type { GitObject } from '../objects.ts'
import type { DecodedPack } from './decode.ts'
import { applyDelta, readDeltaHead } from './delta.ts'
import { readEntry } from './entry.ts'
import { LARGE_BYTES, inflate } from './inflate.ts'

/** What reading from packs needs. */
export interface ReadContext {
  readonly limits: GitLimits
  /** Keeps bases at hand, by pack and offset. */
  readonly cache: ByteCache<GitObject>
}

/** The object `oid` of `pack`, or `undefined` when it is not in it. */
export function readFromPack(pack: DecodedPack, oid: string, context: ReadContext): GitObject | undefined {
  const position = pack.index.find(oid)
  return position < 0 ? undefined : readAt(pack, pack.index.offsets[position] ?? 0, context)
}

/** The object `oid` as it is written in `pack`, or `undefined` when it is not in it or is a delta. */
export function entryFromPack(pack: DecodedPack, oid: string): Buffer | undefined {
  const position = pack.index.find(oid)
  if (position < 0) return undefined
  const start = pack.index.offsets[position] ?? 0
  const { kind, dataStart, sizeBytes } = readEntry(pack.bytes, start)
  if (kind === 'offset-delta' || kind === 'oid-delta' || sizeBytes > LARGE_BYTES) return undefined
  return pack.bytes.subarray(start, dataStart + inflate(pack.bytes, dataStart, sizeBytes).usedBytes)
}

/** Follows deltas down to a whole object, then puts them together on the way back. */
function readAt(pack: DecodedPack, start: number, context: ReadContext): GitObject {
  const deltas: { readonly offset: number; readonly delta: Buffer }[] = []
  let offset = start
  let object = context.cache.get(baseKey(pack, offset))
  while (object === undefined) {
    const entry = readEntry(pack.bytes, offset)
    if (entry.sizeBytes > context.limits.maxObjectBytes)
      throw limitError('maxObjectBytes', context.limits, `An object of ${entry.sizeBytes} bytes`)
    const { data } = inflate(pack.bytes, entry.dataStart, entry.sizeBytes)
    if (entry.kind === 'offset-delta' || entry.kind === 'oid-delta') {
      deltas.push({ offset, delta: data })
      offset = entry.baseOffset ?? offsetOf(pack, entry.baseOid ?? '')
      object = context.cache.get(baseKey(pack, offset))
      if (deltas.length > context.limits.maxDeltaDepth)
        throw limitError('maxDeltaDepth', context.limits, 'A chain of deltas')
    } else {
      object = { type: entry.kind, data }
      if (deltas.length > 0) context.cache.set(baseKey(pack, offset), object, data.length)
    }
  }
  return putTogether(pack, object, deltas, context)
}

function putTogether(
  pack: DecodedPack,
  base: GitObject,
  deltas: readonly { readonly offset: number; readonly delta: Buffer }[],
  { cache, limits }: ReadContext,
): GitObject {
  return deltas.reduceRight((object, { offset, delta }, at) => {
    const head = readDeltaHead(delta)
    if (head.resultBytes > limits.maxObjectBytes)
      throw limitError('maxObjectBytes', limits, `An object of ${head.resultBytes} bytes`)
    const next: GitObject = { type: object.type, data: applyDelta(object.data, delta, head) }
    if (at > 0) cache.set(baseKey(pack, offset), next, next.data.length)
    return next
  }, base)
}

function baseKey(pack: DecodedPack, offset: number): string {
  return `${pack.checksum}:${offset}`
}

function offsetOf(pack: DecodedPack, oid: string): number {
  const position = pack.index.find(oid)
  if (position < 0)
    throw new GitOpsError('SOURCE_CORRUPT', 'A delta of a kept pack builds on an object that is not in it.')
  return pack.index.offsets[position] ?? 0
}
