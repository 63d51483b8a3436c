import { constants, createDeflate, deflateSync } from 'node:zlib'
import { inflate } from './inflate.ts'
import { zlibParts } from './zlib-stream.ts'

/** Compresses one object. */
export type DeflateOne = (data: Buffer) => Buffer

/** Fast rather than small: what is written like this is read back soon, and few objects are. */
const LEVEL = 1

/** With a stream of zlib made and thrown away for each object. */
const deflateAnew: DeflateOne = (data) => deflateSync(data, { level: LEVEL })

/** The most bytes that zlib makes out of some, with what it puts around them. */
const mostBytes = (sizeBytes: number): number => sizeBytes + Math.ceil(sizeBytes / 1_000) + 64

/**
 * One stream for all objects, reset in between. A commit of five hundred files has as many bases to complete its pack
 * with, and a stream for each takes a quarter of a mebibyte to make and throw away.
 */
function createReusing(): DeflateOne | undefined {
  const parts = zlibParts(createDeflate({ level: LEVEL }))
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
    if (failure !== undefined || leftBytes !== 0 || leftRoom === 0) return deflateAnew(data)
    return target.subarray(0, room - leftRoom)
  }
  return works(reuse) ? reuse : undefined
}

/** Tries some in a row: nothing, what compresses, what does not, and more than one block of it. */
function works(deflateWith: DeflateOne): boolean {
  const noise = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * at * 31) >> 7))
  const samples = [Buffer.alloc(0), Buffer.from('abc'), Buffer.alloc(5_000, 'ab'), noise, Buffer.from('abc')]
  try {
    return samples.every((data) => inflate(deflateWith(data), 0, data.length).data.equals(data))
  } catch {
    return false
  }
}

/** `undefined` where Node is made otherwise. */
export const deflateReusing: DeflateOne | undefined = createReusing()

/** Compresses a small object quickly. */
export const deflate: DeflateOne = deflateReusing ?? deflateAnew
