/** A line longer than this is no event of an API server. */
const MAX_LINE_BYTES = 64 * 2 ** 20
const NEWLINE = 0x0a

/**
 * The lines of a stream of bytes, decoded only when they are whole. Throws when the stream ends in the
 * middle of a line: what was cut off is never taken for an event.
 */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  let parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of bytes) {
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = Buffer.concat([...parts, chunk.subarray(start, end)]).toString('utf8')
      parts = []
      length = 0
      start = end + 1
      if (line !== '') yield line
    }
    if (start < chunk.length) parts.push(chunk.subarray(start))
    length += chunk.length - start
    if (length > MAX_LINE_BYTES) throw new RangeError('A line of the answer is longer than 64 MiB.')
  }
  if (parts.length > 0) throw new Error('The answer was cut off in the middle of a line.')
}
