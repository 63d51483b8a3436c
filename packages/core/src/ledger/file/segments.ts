import { join } from 'node:path'
import type { Files } from './files.ts'
import { corrupt } from './problems.ts'

/** One line of a log. */
export interface Line {
  /** Rises by one with each line. */
  readonly sequence: number
}

/** An append-only log in files of limited size. */
export interface Segments<L extends Line> {
  /** The last line; absent while the log is empty. */
  last(): L | undefined
  /** Appends lines. On disk when it resolves. */
  append(lines: readonly L[]): Promise<void>
  /** Lines with a larger sequence, oldest first. */
  forward(after: number): AsyncIterable<L>
  /** All lines, newest first. */
  backward(): AsyncIterable<L>
}

/** How a log is kept. */
export interface SegmentOptions<L extends Line> {
  /** A new file is begun when one has this size. */
  readonly segmentBytes: number
  /** Files that are kept; the oldest go first. */
  readonly maxSegments: number
  /** Says what is wrong with a line, if anything. */
  readonly check: (line: L) => string | undefined
  /** Cut off what a crash left of an unfinished append. */
  readonly repair: boolean
}

const SUFFIX = '.jsonl'

/** Opens the log in `folder`. */
export async function openSegments<L extends Line>(
  files: Files,
  folder: string,
  options: SegmentOptions<L>,
): Promise<Segments<L>> {
  // Named after the sequence of their first line, so that the names sort.
  const names = (await files.list(folder)).filter((name) => name.endsWith(SUFFIX)).sort()
  const pathOf = (name: string): string => join(folder, name)
  let sizeBytes = await whole(files, pathOf, names.at(-1), options.repair)
  let last = await lastLine()

  async function lastLine(): Promise<L | undefined> {
    for (const name of names.toReversed()) {
      // Only the line that is continued has to be good: damage further up is for whoever reads it.
      const texts = await textsOf(name)
      const text = texts.at(-1)
      if (text !== undefined) return parseLine(text, placeOf(pathOf(name), texts.length), options.check)
    }
    return undefined
  }
  async function textsOf(name: string): Promise<readonly string[]> {
    const bytes = (await files.read(pathOf(name))) ?? new Uint8Array()
    const known = name === names.at(-1) ? bytes.subarray(0, sizeBytes) : bytes
    return Buffer.from(known).toString('utf8').split('\n').slice(0, -1)
  }
  async function linesOf(name: string): Promise<readonly L[]> {
    const texts = await textsOf(name)
    return texts.map((text, index) => parseLine(text, placeOf(pathOf(name), index + 1), options.check))
  }
  async function begin(sequence: number): Promise<void> {
    names.push(`${String(sequence).padStart(16, '0')}${SUFFIX}`)
    sizeBytes = 0
    while (names.length > options.maxSegments) await files.remove(pathOf(names.shift() ?? ''))
  }

  return {
    last: () => last,
    append: async (lines) => {
      const [first] = lines
      if (first === undefined) return
      const isNew = names.length === 0 || sizeBytes >= options.segmentBytes
      if (isNew) await begin(first.sequence)
      const content = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      await files.append(pathOf(names.at(-1) ?? ''), content)
      if (isNew) await files.syncFolder(folder)
      sizeBytes += content.byteLength
      last = lines.at(-1)
    },
    forward: async function* (after) {
      for (const name of names.filter((_, index) => firstOf(names[index + 1]) > after + 1)) {
        for (const line of await linesOf(name)) if (line.sequence > after) yield line
      }
    },
    backward: async function* () {
      for (const name of names.toReversed()) yield* (await linesOf(name)).toReversed()
    },
  }
}

/** The sequence that a file begins with. */
function firstOf(name: string | undefined): number {
  return name === undefined ? Infinity : Number(name.slice(0, -SUFFIX.length))
}

/** The size of the last file without what a crash left of an unfinished append: it was never acknowledged. */
async function whole(
  files: Files,
  pathOf: (name: string) => string,
  name: string | undefined,
  repair: boolean,
): Promise<number> {
  if (name === undefined) return 0
  const bytes = (await files.read(pathOf(name))) ?? new Uint8Array()
  const sizeBytes = bytes.lastIndexOf(NEWLINE) + 1
  if (repair && sizeBytes < bytes.byteLength) await files.truncate(pathOf(name), sizeBytes)
  return sizeBytes
}

const NEWLINE = 10

function placeOf(path: string, line: number): string {
  return `${path}, line ${line},`
}

function parseLine<L extends Line>(text: string, place: string, check: (line: L) => string | undefined): L {
  let line: L
  try {
    line = JSON.parse(text)
  } catch {
    throw corrupt(place, 'is not JSON')
  }
  const damage = check(line)
  if (damage !== undefined) throw corrupt(place, damage)
  return line
}
