import { gunzipSync } from 'node:zlib'
import { GitOpsError } from '@gitops-sdk/core'

/** How much a packed chart may hold. */
export interface ArchiveLimits {
  /** @defaultValue 10_000 */
  readonly maxFiles: number
  /** Unpacked. @defaultValue 134_217_728 */
  readonly maxBytes: number
}

const BLOCK_BYTES = 512
/** More of a name than any path has. */
const MAX_NAME_BYTES = 64 * 1024

/** One member of an archive. */
interface Entry {
  readonly name: string
  readonly type: string
  readonly mode: number
  readonly content: Buffer
}

/**
 * Looks through a packed chart (`.tgz`) before a tool unpacks it. Nothing is written. Throws `RENDER_FAILED` for
 * members that would be placed elsewhere or are no plain files, and `DECLARATION_LIMIT` for one that holds too much.
 */
export function checkArchive(bytes: Uint8Array, path: string, limits: ArchiveLimits): void {
  const tar = unpack(bytes, path, limits)
  let count = 0
  let given: string | undefined
  for (const entry of entriesOf(tar, path)) {
    if (++count > limits.maxFiles) throw tooMuch(path, limits)
    if (entry.type === 'g' && paxPath(entry, path) === undefined) continue
    if (entry.type === 'x' || entry.type === 'L') given = longName(entry, path)
    else {
      checkEntry({ ...entry, name: given ?? entry.name }, path)
      given = undefined
    }
  }
}

function unpack(bytes: Uint8Array, path: string, limits: ArchiveLimits): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.maxBytes })
  } catch (cause) {
    if (cause instanceof RangeError) throw tooMuch(path, limits)
    throw refused(path, 'it is no gzip archive, or a damaged one', cause)
  }
}

function* entriesOf(tar: Buffer, path: string): Generator<Entry> {
  for (let at = 0; at + BLOCK_BYTES <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK_BYTES)
    if (header.every((byte) => byte === 0)) return
    checkSum(header, path)
    const sizeBytes = numberAt(header, 124, 12, path)
    const start = at + BLOCK_BYTES
    if (start + sizeBytes > tar.length) throw refused(path, 'it is cut off')
    yield {
      name: nameOf(header),
      type: header[156] === 0 ? '0' : String.fromCharCode(header[156] ?? 0),
      mode: numberAt(header, 100, 8, path),
      content: tar.subarray(start, start + sizeBytes),
    }
    at = start + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
  }
}

function checkSum(header: Buffer, path: string): void {
  const blank = Buffer.from(header).fill(0x20, 148, 156)
  const sum = blank.reduce((total, byte) => total + byte, 0)
  if (sum !== numberAt(header, 148, 8, path)) throw refused(path, 'it is damaged')
}

function nameOf(header: Buffer): string {
  const isUstar = header.toString('latin1', 257, 262) === 'ustar'
  const prefix = isUstar ? textAt(header, 345, 155) : ''
  const name = textAt(header, 0, 100)
  return prefix === '' ? name : `${prefix}/${name}`
}

function textAt(header: Buffer, start: number, length: number): string {
  return header.toString('utf8', start, start + length).replace(/\0.*$/s, '')
}

/** Octal digits. The binary form, for files of more than 8 GB, is refused with everything else. */
function numberAt(header: Buffer, start: number, length: number, path: string): number {
  const text = textAt(header, start, length).trim()
  if (!/^[0-7]*$/.test(text)) throw refused(path, 'a number in it cannot be read')
  return Number.parseInt(text === '' ? '0' : text, 8)
}

function longName(entry: Entry, path: string): string {
  if (entry.content.length > MAX_NAME_BYTES) throw refused(path, 'a name in it is too long')
  if (entry.type === 'L') return entry.content.toString('utf8').replace(/\0.*$/s, '')
  return paxPath(entry, path) ?? entry.name
}

/** The path an extended header gives to the member that follows. Anything else that it may change is refused. */
function paxPath({ content }: Entry, path: string): string | undefined {
  if (content.length > MAX_NAME_BYTES) throw refused(path, 'an extended header in it is too long')
  const records = content.toString('utf8').split('\n')
  const fields = records.map((record) => /^\d+ ([^=]+)=(.*)$/.exec(record)).filter((match) => match !== null)
  const steering = fields.find(([, key]) => key === 'size' || key === 'linkpath' || key?.startsWith('GNU.sparse'))
  if (steering !== undefined) throw refused(path, `an extended header in it sets ${steering[1]}`)
  return fields.find(([, key]) => key === 'path')?.[2]
}

const kinds: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '6': 'a pipe',
}

function checkEntry({ name, type, mode }: Entry, path: string): void {
  const shown = JSON.stringify(name.slice(0, 200))
  if (type !== '0' && type !== '5') throw refused(path, `${shown} is ${kinds[type] ?? 'of an unknown kind'}`)
  if ((mode & 0o7000) !== 0) throw refused(path, `${shown} would run with the rights of somebody else`)
  const parts = name.split(/[/\\]/)
  const isElsewhere = name === '' || parts[0] === '' || parts.includes('..') || /^[a-z]:/i.test(name)
  if (isElsewhere || name.includes('\0')) throw refused(path, `${shown} leads out of the chart`)
}

function refused(path: string, why: string, cause?: unknown): GitOpsError {
  const message = `The packed chart ${path} is refused: ${why}. Unpack it into the repository, or pack it again.`
  return new GitOpsError('RENDER_FAILED', message, { details: { path }, ...(cause !== undefined && { cause }) })
}

function tooMuch(path: string, { maxFiles, maxBytes }: ArchiveLimits): GitOpsError {
  const message = `The packed chart ${path} holds more than ${maxFiles} files (maxFiles) or ${maxBytes} bytes (maxBytes).`
  return new GitOpsError('DECLARATION_LIMIT', message, { details: { path } })
}
