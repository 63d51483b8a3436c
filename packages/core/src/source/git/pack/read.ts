import { setImmediate } from 'node:timers/promises'
import { GitOpsError } from '../../../runtime/errors.ts'
import type { ByteCache } from '../byte-cache.ts'
import type { GitLimits } from '../limits.ts'
import { limitError } from '../limits.ts'
import type { GitObject } from '../objects.ts'
import type { DecodedPack } from './decode.ts'
import { type DeltaHead, applyDelta, applyDeltaLater, readDeltaHead } from './delta.ts'
import { readEntry } from './entry.ts'
import { LARGE_BYTES, inflate, inflateLater } from './inflate.ts'

/** What reading from packs needs. */
export interface ReadContext {
  readonly limits: GitLimits
  /** Keeps bases at hand, by pack and offset. */
  readonly cache: ByteCache<GitObject>
}

/** The object `oid` of `pack`, or `undefined` when it is not in it. */
export function readFromPack(pack: DecodedPack, oid: string, context: ReadContext): GitObject | undefined {
  const steps = stepsTo(pack, oid, context)
  if (steps === undefined) return undefined
  let step = steps.next()
  while (step.done !== true) step = steps.next(takeStep(step.value))
  return step.value
}

/** As `readFromPack`, without keeping the event loop busy with what is large. */
export async function readFromPackLater(
  pack: DecodedPack,
  oid: string,
  context: ReadContext,
): Promise<GitObject | undefined> {
  const steps = stepsTo(pack, oid, context)
  if (steps === undefined) return undefined
  let step = steps.next()
  while (step.done !== true)
    step = steps.next(isLarge(step.value) ? await takeStepLater(step.value) : takeStep(step.value))
  return step.value
}

/** What reading an object consists of; each step gives bytes. */
type Step =
  | { readonly kind: 'inflate'; readonly bytes: Buffer; readonly start: number; readonly sizeBytes: number }
  | { readonly kind: 'apply'; readonly base: Buffer; readonly delta: Buffer; readonly head: DeltaHead }

type Steps = Generator<Step, GitObject, Buffer>

function isLarge(step: Step): boolean {
  return (step.kind === 'inflate' ? step.sizeBytes : step.head.resultBytes) > LARGE_BYTES
}

function takeStep(step: Step): Buffer {
  if (step.kind === 'inflate') return inflate(step.bytes, step.start, step.sizeBytes).data
  return applyDelta(step.base, step.delta, step.head)
}

async function takeStepLater(step: Step): Promise<Buffer> {
  if (step.kind === 'inflate') return (await inflateLater(step.bytes, step.start, step.sizeBytes)).data
  return applyDeltaLater(step.base, step.delta, step.head, () => setImmediate())
}

function stepsTo(pack: DecodedPack, oid: string, context: ReadContext): Steps | undefined {
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
function* readAt(pack: DecodedPack, start: number, context: ReadContext): Steps {
  const deltas: { readonly offset: number; readonly delta: Buffer }[] = []
  let offset = start
  let object = context.cache.get(baseKey(pack, offset))
  while (object === undefined) {
    const entry = readEntry(pack.bytes, offset)
    if (entry.sizeBytes > context.limits.maxObjectBytes)
      throw limitError('maxObjectBytes', context.limits, `An object of ${entry.sizeBytes} bytes`)
    const data = yield { kind: 'inflate', bytes: pack.bytes, start: entry.dataStart, sizeBytes: entry.sizeBytes }
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
  return yield* putTogether(pack, object, deltas, context)
}

function* putTogether(
  pack: DecodedPack,
  base: GitObject,
  deltas: readonly { readonly offset: number; readonly delta: Buffer }[],
  { cache, limits }: ReadContext,
): Steps {
  let object = base
  for (const [at, { offset, delta }] of deltas.toReversed().entries()) {
    const head = readDeltaHead(delta)
    if (head.resultBytes > limits.maxObjectBytes)
      throw limitError('maxObjectBytes', limits, `An object of ${head.resultBytes} bytes`)
    const data = yield { kind: 'apply', base: object.data, delta, head }
    object = { type: object.type, data }
    if (at < deltas.length - 1) cache.set(baseKey(pack, offset), object, data.length)
  }
  return object
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
