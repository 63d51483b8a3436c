import { GitOpsError } from '../../../runtime/errors.ts'

/** Sizes that a delta states before its instructions. */
export interface DeltaHead {
  readonly baseBytes: number
  readonly resultBytes: number
  /** Where the instructions begin. */
  readonly start: number
}

/** Reads the sizes, so that a budget can refuse them before anything is allocated. */
export function readDeltaHead(delta: Buffer): DeltaHead {
  const base = readSize(delta, 0)
  const result = readSize(delta, base.next)
  return { baseBytes: base.value, resultBytes: result.value, start: result.next }
}

function readSize(delta: Buffer, start: number): { readonly value: number; readonly next: number } {
  let value = 0
  let factor = 1
  for (let at = start; at < delta.length && at < start + 8; at++) {
    const byte = delta[at] ?? 0
    value += (byte & 0x7f) * factor
    factor *= 128
    if (byte < 0x80) return { value, next: at + 1 }
  }
  throw damaged('its sizes cannot be read')
}

/** The object that `delta` makes out of `base`. Every instruction is checked against both sizes. */
export function applyDelta(base: Buffer, delta: Buffer, head: DeltaHead): Buffer {
  const work = beginDelta(base, delta, head)
  followInstructions(work, Number.POSITIVE_INFINITY)
  return resultOf(work)
}

const STEP_BYTES = 2 ** 22

/** As `applyDelta`, pausing between pieces of a large result. */
export async function applyDeltaLater(
  base: Buffer,
  delta: Buffer,
  head: DeltaHead,
  pause: () => Promise<void>,
): Promise<Buffer> {
  const work = beginDelta(base, delta, head)
  while (work.at < delta.length) {
    followInstructions(work, work.written + STEP_BYTES)
    await pause()
  }
  return resultOf(work)
}

interface DeltaWork {
  readonly base: Buffer
  readonly delta: Buffer
  readonly result: Buffer
  /** Where the next instruction is. */
  at: number
  written: number
}

function beginDelta(base: Buffer, delta: Buffer, head: DeltaHead): DeltaWork {
  if (base.length !== head.baseBytes) throw damaged('it belongs to another base')
  return { base, delta, result: Buffer.allocUnsafe(head.resultBytes), at: head.start, written: 0 }
}

function resultOf({ result, written }: DeltaWork): Buffer {
  if (written !== result.length) throw damaged('it makes less than it states')
  return result
}

/** Follows instructions until `stopAt` bytes are written or none is left. */
function followInstructions(work: DeltaWork, stopAt: number): void {
  const { base, delta, result } = work
  let { at, written } = work
  while (at < delta.length && written < stopAt) {
    const instruction = delta[at++] ?? 0
    if (instruction === 0) throw damaged('an instruction is unknown')
    let from = 0
    let size = instruction
    if (instruction >= 0x80) {
      if (instruction & 0x01) from = delta[at++] ?? 0
      if (instruction & 0x02) from += (delta[at++] ?? 0) * 0x100
      if (instruction & 0x04) from += (delta[at++] ?? 0) * 0x10000
      if (instruction & 0x08) from += (delta[at++] ?? 0) * 0x1000000
      size = 0
      if (instruction & 0x10) size = delta[at++] ?? 0
      if (instruction & 0x20) size += (delta[at++] ?? 0) * 0x100
      if (instruction & 0x40) size += (delta[at++] ?? 0) * 0x10000
      if (size === 0) size = 0x10000
    }
    const source = instruction >= 0x80 ? base : delta
    if (source === delta) {
      from = at
      at += size
    }
    if (from + size > source.length || written + size > result.length || at > delta.length)
      throw damaged('an instruction reaches beyond its data')
    source.copy(result, written, from, from + size)
    written += size
  }
  work.at = at
  work.written = written
}

function damaged(what: string): GitOpsError {
  return new GitOpsError('SOURCE_CORRUPT', `A delta of the pack is damaged: ${what}.`)
}
