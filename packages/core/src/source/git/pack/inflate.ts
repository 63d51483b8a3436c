import { inflate as inflateInSteps, inflateSync } from 'node:zlib'
import { GitOpsError } from '../../../runtime/errors.ts'

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
 * Inflates the stream at the start of `bytes`, which may go on behind it, to exactly `sizeBytes`.
 * Never allocates more than that. Throws `SOURCE_CORRUPT` when the stream is damaged or says less or more.
 */
export function inflate(bytes: Buffer, sizeBytes: number): InflatedEntry {
  try {
    // The declared type ignores `info`.
    return checked(inflateSync(bytes, options(sizeBytes)) as unknown as Inflated, sizeBytes)
  } catch (cause) {
    throw damaged(cause)
  }
}

/** As `inflate`, without keeping the event loop busy. */
export function inflateLater(bytes: Buffer, sizeBytes: number): Promise<InflatedEntry> {
  return new Promise((resolve, reject) => {
    inflateInSteps(bytes, { ...options(sizeBytes), chunkSize: LARGE_CHUNK }, (error, result) => {
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
