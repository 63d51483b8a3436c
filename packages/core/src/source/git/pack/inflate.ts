import { constants, createInflate, inflate as inflateInSteps, inflateSync } from 'node:zlib'
import { GitOpsError } from '../../../runtime/errors.ts'
import { zlibParts } from './zlib-stream.ts'

/** What `inflateSync` gives with `info: true`, which its types leave out. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

/** The smallest output buffer that zlib accepts. */
const MIN_CHUNK = 64
/** What is larger is inflated beside the event loop, piece by piece. */
export const LARGE_BYTES: number = 2 ** 21
const LARGE_CHUNK = 2 ** 20

/** An inflated object, and how much of the input it took. */
export interface InflatedEntry {
  readonly data: Buffer
  readonly usedBytes: number
}

/**
 * Inflates the stream that begins at `start` of `bytes`, which may go on behind it, to exactly `sizeBytes`.
 * Never allocates more than that. Throws `SOURCE_CORRUPT` when the stream is damaged or says less or more.
 */
export function inflate(bytes: Buffer, start: number, sizeBytes: number): InflatedEntry {
  try {
    checkStart(bytes, start)
    return inflateOne(bytes, start, sizeBytes)
  } catch (cause) {
    throw damaged(cause)
  }
}

/** Below zlib, a length under zero ends the whole process. */
function checkStart(bytes: Buffer, start: number): void {
  if (!(start >= 0 && start <= bytes.length)) throw new RangeError(`it would begin at ${start} of ${bytes.length}`)
}

/** As `inflate`, without keeping the event loop busy. */
export function inflateLater(bytes: Buffer, start: number, sizeBytes: number): Promise<InflatedEntry> {
  return new Promise((resolve, reject) => {
    inflateInSteps(bytes.subarray(start), { ...options(sizeBytes), chunkSize: LARGE_CHUNK }, (error, result) => {
      if (error !== null) return reject(damaged(error))
      try {
        // The declared type ignores `info`.
        resolve(checked(result as unknown as Inflated, sizeBytes))
      } catch (cause) {
        reject(damaged(cause))
      }
    })
  })
}

/** Inflates one stream, or throws. */
export type InflateOne = (bytes: Buffer, start: number, sizeBytes: number) => InflatedEntry

/** With a stream of zlib made and thrown away for each object. */
export const inflateAnew: InflateOne = (bytes, start, sizeBytes) =>
  // The declared type ignores `info`.
  checked(inflateSync(bytes.subarray(start), options(sizeBytes)) as unknown as Inflated, sizeBytes)

/**
 * One stream for all objects, reset in between. A pack has tens of thousands of small objects, and making a stream
 * costs as much as inflating one of them. Where Node is made otherwise than this expects, each gets its own stream.
 */
function createReusing(): InflateOne | undefined {
  const parts = zlibParts(createInflate())
  if (parts === undefined) return undefined
  const { handle, left } = parts
  let failure: string | undefined
  handle.onerror = (message) => (failure = message)
  const reuse: InflateOne = (bytes, start, sizeBytes) => {
    // One byte more than wanted shows a stream that says more.
    const room = sizeBytes + 1
    const target = Buffer.allocUnsafe(room)
    failure = undefined
    handle.reset()
    handle.writeSync(constants.Z_FINISH, bytes, start, bytes.length - start, target, 0, room)
    const [leftRoom = 0, leftBytes = 0] = left
    if (failure !== undefined || leftRoom !== 1) throw new Error(failure ?? `not ${sizeBytes} bytes`)
    return { data: target.subarray(0, sizeBytes), usedBytes: bytes.length - start - leftBytes }
  }
  return works(reuse) ? reuse : undefined
}

/** Tries what can happen to a stream: it is whole, with something behind it; it is damaged; it says more, or less. */
function works(inflateWith: InflateOne): boolean {
  const fails = (sample: Buffer, sizeBytes: number): boolean => {
    try {
      inflateWith(sample, 0, sizeBytes)
      return false
    } catch {
      return true
    }
  }
  try {
    const { data, usedBytes } = inflateWith(Buffer.concat([Buffer.from('?'), whole, Buffer.from('?')]), 1, 3)
    const right = data.toString() === 'abc' && usedBytes === whole.length
    const refuses = fails(whole.subarray(0, -2), 3) && fails(whole, 2) && fails(whole, 4) && fails(data, 3)
    return right && refuses && inflateWith(whole, 0, 3).usedBytes === whole.length
  } catch {
    return false
  }
}

/** The stream of `abc`. */
const whole = Buffer.from('789c4b4c4a0600024d0127', 'hex')

/** `undefined` where Node is made otherwise. */
export const inflateReusing: InflateOne | undefined = createReusing()

const inflateOne: InflateOne = inflateReusing ?? inflateAnew

function options(sizeBytes: number): { info: boolean; maxOutputLength: number; chunkSize: number } {
  return { info: true, maxOutputLength: Math.max(1, sizeBytes), chunkSize: Math.max(MIN_CHUNK, sizeBytes + 1) }
}

function checked({ buffer, engine }: Inflated, sizeBytes: number): InflatedEntry {
  if (buffer.length !== sizeBytes) throw new Error(`${buffer.length} bytes instead of ${sizeBytes}`)
  return { data: buffer, usedBytes: engine.bytesWritten }
}

function damaged(cause: unknown): GitOpsError {
  return new GitOpsError('SOURCE_CORRUPT', 'An object of the pack is damaged: it cannot be inflated to its size.', {
    cause,
  })
}
