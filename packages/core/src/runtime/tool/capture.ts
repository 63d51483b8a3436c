import type { Readable } from 'node:stream'

/** What a stream said, within a number of bytes. */
export interface Capture {
  bytes(): Uint8Array
  text(): string
}

/** Keeps the first `limitBytes` of `stream`; calls `onOverflow` once when there is more. */
export function captureHead(stream: Readable, limitBytes: number, onOverflow: () => void): Capture {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  stream.on('data', (chunk: Buffer) => {
    if (sizeBytes < limitBytes) chunks.push(chunk.subarray(0, limitBytes - sizeBytes))
    const isFirst = sizeBytes <= limitBytes
    sizeBytes += chunk.length
    if (isFirst && sizeBytes > limitBytes) onOverflow()
  })
  return capture(chunks)
}

/** Keeps about the last `limitBytes` of `stream`: the end of a complaint is where the reason stands. */
export function captureTail(stream: Readable, limitBytes: number): Capture {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk.subarray(-limitBytes))
    sizeBytes += Math.min(chunk.length, limitBytes)
    while (sizeBytes - (chunks[0]?.length ?? 0) >= limitBytes) sizeBytes -= chunks.shift()?.length ?? 0
  })
  return capture(chunks)
}

function capture(chunks: readonly Buffer[]): Capture {
  return { bytes: () => Buffer.concat(chunks), text: () => Buffer.concat(chunks).toString('utf8') }
}

/** Calls `onLine` for each complete line of `stream`, cut to `limitBytes`; a last line without an end counts. */
export function readLines(stream: Readable, limitBytes: number, onLine: (line: string) => void): void {
  let rest = ''
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = (lines.pop() ?? '').slice(0, limitBytes)
    for (const line of lines) onLine(utf8(line.slice(0, limitBytes)))
  })
  stream.on('end', () => {
    if (rest !== '') onLine(utf8(rest))
  })
}

// Bytes travel as latin1 so that a character cut between two chunks is put together again.
function utf8(line: string): string {
  return Buffer.from(line, 'latin1').toString('utf8').replace(/\r$/, '')
}
