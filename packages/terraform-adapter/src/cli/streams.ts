import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Clock, Timer } from '@gitops-sdk/core'

/** How soon new lines of a file are looked for: as often as a person could read, since each look costs. */
const TAIL_MS = 100
const BLOCK_BYTES = 64 * 1024

/** How much of a file is read at its end. */
const MAX_TEXT_BYTES = 64 * 2 ** 20
/** A line beyond it says nothing that is used. */
const MAX_LINE_CHARACTERS = 16 * 2 ** 20

/** Where a process writes, and what it wrote. */
export interface Streams {
  /** For `spawn`. */
  readonly stdio: readonly ('ignore' | 'pipe' | number)[]
  /** Begins to read, and tells when there is too much. */
  follow(stdout: Readable | null, stderr: Readable | null, onExcess: (excess: Excess) => void): void
  /** Everything it wrote, once it has ended. */
  end(): Promise<{ readonly stdout: string; readonly stderr: string }>
}

/** `more`: than a stream may hold. `far`: that nothing but force ends it; what is in files may be twice as much until then. */
type Excess = 'more' | 'far'

/** The names of the files in which a command leaves its streams. */
export const streamFiles: { readonly stdout: string; readonly stderr: string } = {
  stdout: 'stdout.ndjson',
  stderr: 'stderr.txt',
}

/** Streams that are read by this process and lost with it. Of each, `maxBytes` are kept. */
export function memoryStreams(onLine: (line: string) => void, maxBytes: number): Streams {
  const chunks = { stdout: new Array<Buffer>(), stderr: new Array<Buffer>() }
  const sizes = { stdout: 0, stderr: 0 }
  const keep = (name: 'stdout' | 'stderr', chunk: Buffer, onExcess: (excess: Excess) => void): boolean => {
    const fitted = sizes[name] <= maxBytes
    sizes[name] += chunk.length
    const fits = sizes[name] <= maxBytes
    if (fits) chunks[name].push(chunk)
    else if (fitted) onExcess('far')
    return fits
  }
  const lines = splitLines(onLine)
  return {
    stdio: ['ignore', 'pipe', 'pipe'],
    follow: (stdout, stderr, onExcess) => {
      stdout?.on('data', (chunk: Buffer) => {
        if (keep('stdout', chunk, onExcess)) lines.push(chunk)
      })
      stderr?.on('data', (chunk: Buffer) => void keep('stderr', chunk, onExcess))
    },
    end: async () => {
      lines.end()
      return { stdout: Buffer.concat(chunks.stdout).toString(), stderr: Buffer.concat(chunks.stderr).toString() }
    },
  }
}

/** Streams in files: a process that writes there does not notice when this one is gone. Of each, `maxBytes` are allowed. */
export async function fileStreams(
  folder: string,
  clock: Clock,
  onLine: (line: string) => void,
  maxBytes: number,
): Promise<Streams> {
  const files = await Promise.all(
    [streamFiles.stdout, streamFiles.stderr].map((name) => open(join(folder, name), 'w+', 0o600)),
  )
  const [stdout, stderr] = files as [FileHandle, FileHandle]
  const lines = splitLines(onLine)
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  let timer: Timer | undefined
  let reading: Promise<void> | undefined
  let offset = 0
  const read = async (): Promise<void> => {
    offset = await readFrom(stdout, offset, block, lines.push)
  }
  const measure = async (onExcess: (excess: Excess) => void): Promise<void> => {
    const sizeBytes = Math.max(offset, (await stderr.stat()).size)
    if (sizeBytes > maxBytes) onExcess(sizeBytes > 2 * maxBytes ? 'far' : 'more')
  }
  const again = (onExcess: (excess: Excess) => void): void => {
    timer = clock.setTimer(TAIL_MS, () => {
      reading = read().then(() => measure(onExcess))
      reading.then(
        () => again(onExcess),
        () => {},
      )
    })
  }
  return {
    stdio: ['ignore', stdout.fd, stderr.fd],
    follow: (_stdout, _stderr, onExcess) => again(onExcess),
    end: async () => {
      timer?.cancel()
      await reading
      timer?.cancel()
      await readFrom(stdout, offset, block, lines.push)
      lines.end()
      const texts = [await textOf(stdout, block), await textOf(stderr, block)]
      await Promise.all(files.map((file) => file.close()))
      return { stdout: texts[0] ?? '', stderr: texts[1] ?? '' }
    },
  }
}

/** The end of a file: what went wrong stands there. */
async function textOf(file: FileHandle, block: Buffer): Promise<string> {
  const chunks: Buffer[] = []
  const { size } = await file.stat()
  await readFrom(file, Math.max(0, size - MAX_TEXT_BYTES), block, (chunk) => chunks.push(Buffer.from(chunk)))
  return Buffer.concat(chunks).toString()
}

/** Reads what stands after `offset`; resolves to the new one. */
async function readFrom(
  file: FileHandle,
  offset: number,
  block: Buffer,
  onChunk: (chunk: Buffer) => void,
): Promise<number> {
  for (let at = offset; ;) {
    const { bytesRead } = await file.read(block, 0, block.length, at)
    if (bytesRead > 0) onChunk(block.subarray(0, bytesRead))
    at += bytesRead
    if (bytesRead < block.length) return at
  }
}

interface Lines {
  readonly push: (chunk: Buffer) => void
  readonly end: () => void
}

/** Cuts chunks into lines. Bytes travel as latin1, so that a character cut in two is put together again. */
function splitLines(onLine: (line: string) => void): Lines {
  let rest = ''
  const tell = (line: string): void => {
    if (line !== '') onLine(Buffer.from(line, 'latin1').toString('utf8'))
  }
  return {
    push: (chunk) => {
      const lines = (rest + chunk.toString('latin1')).split('\n')
      rest = (lines.pop() ?? '').slice(0, MAX_LINE_CHARACTERS)
      for (const line of lines) tell(line)
    },
    end: () => {
      tell(rest)
      rest = ''
    },
  }
}
