import { inflateSync } from 'node:zlib'
import { GitOpsError } from '../../../runtime/errors.ts'

/** What `inflateSync` gives with `info: true`, which its types leave out. */
interface Inflated {
  readonly buffer: Buffer
  readonly engine: { readonly bytesWritten: number }
}

/** The smallest output buffer that zlib accepts. */
const MIN_CHUNK = 64

/**
 * Inflates the stream at the start of `bytes`, which may go on behind it, to exactly `sizeBytes`.
 * Never allocates more than that. Throws `SOURCE_CORRUPT` when the stream is damaged or says less or more.
 */
export function inflate(bytes: Buffer, sizeBytes: number): { readonly data: Buffer; readonly usedBytes: number } {
  try {
    const options = {
      info: true,
      maxOutputLength: Math.max(1, sizeBytes),
      chunkSize: Math.max(MIN_CHUNK, sizeBytes + 1),
    }
    // The declared type ignores `info`.
    const { buffer, engine } = inflateSync(bytes, options) as unknown as Inflated
    if (buffer.length !== sizeBytes) throw new Error(`${buffer.length} bytes instead of ${sizeBytes}`)
    return { data: buffer, usedBytes: engine.bytesWritten }
  } catch (cause) {
    throw new GitOpsError('SOURCE_CORRUPT', 'An object of the pack is damaged: it cannot be inflated to its size.', {
      cause,
    })
  }
}
