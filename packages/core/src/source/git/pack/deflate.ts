import { constants, createDeflate, deflateSync } from 'node:zlib'
import { inflate } from './inflate.ts'
import { zlibParts } from './zlib-stream.ts'

/** Makes one object a stream of zlib. */
export type DeflateOne = (data: Buffer) => Buffer

/** With a stream of zlib made and thrown away for each object. */
const deflateAnew =
  (level: number): DeflateOne =>
  (data) =>
    deflateSync(data, { level })

/** The most bytes that zlib makes out of some, with what it puts around them. */
const mostBytes = (sizeBytes: number): number => sizeBytes + Math.ceil(sizeBytes / 1_000) + 64

/**
 * One stream for all objects, reset in between. A commit of five hundred files has as many bases to complete its pack
 * with, and a stream for each takes a quarter of a mebibyte to make and throw away.
 */
function createReusing(level: number): DeflateOne | undefined {
  const parts = zlibParts(createDeflate({ level }))
  if (parts === undefined) return undefined
  const { handle, left } = parts
  let failure: string | undefined
  handle.onerror = (message) => (failure = message)
  const reuse: DeflateOne = (data) => {
    const room = mostBytes(data.length)
    const target = Buffer.allocUnsafe(room)
    failure = undefined
    handle.reset()
    handle.writeSync(constants.Z_FINISH, data, 0, data.length, target, 0, room)
    const [leftRoom = 0, leftBytes = 0] = left
    if (failure !== undefined || leftBytes !== 0 || leftRoom === 0) return deflateAnew(level)(data)
    return target.subarray(0, room - leftRoom)
  }
  return works(reuse) ? reuse : undefined
}

/** Tries some in a row: nothing, what compresses, what does not, and more than one block of it. */
function works(deflateWith: DeflateOne): boolean {
  const samples = [Buffer.alloc(0), Buffer.from('abc'), Buffer.alloc(5_000, 'ab'), noise(70_000), Buffer.from('abc')]
  try {
    return samples.every((data) => inflate(deflateWith(data), 0, data.length).data.equals(data))
  } catch {
    return false
  }
}

function noise(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  for (let at = 0; at < sizeBytes; at++) bytes[at] = (at * at * 31) >> 7
  return bytes
}

/** Fast rather than small: few objects are compressed here, and what is written like this is read back soon. */
const FAST_LEVEL = 1
/** Copied, with a checksum. */
const STORED_LEVEL = 0

/** `undefined` where Node is made otherwise. */
export const deflateReusing: DeflateOne | undefined = createReusing(FAST_LEVEL)
/** As it is, not compressed. `undefined` where Node is made otherwise. */
export const storeReusing: DeflateOne | undefined = createReusing(STORED_LEVEL)

/** Compresses a small object quickly. */
export const deflate: DeflateOne = deflateReusing ?? deflateAnew(FAST_LEVEL)

/** Writes a small object down as it is: a thirtieth of the time that compressing takes. */
export const store: DeflateOne = storeReusing ?? deflateAnew(STORED_LEVEL)
