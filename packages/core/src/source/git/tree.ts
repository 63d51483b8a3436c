import { GitOpsError } from '../../runtime/errors.ts'
import { OID_BYTES } from './objects.ts'

/** What a name in a folder stands for. */
export type EntryType = 'file' | 'folder' | 'symlink' | 'submodule'

/** One name in a folder. */
export interface GitTreeEntry {
  readonly name: string
  readonly type: EntryType
  /** As it is written in the tree, such as `100644`. */
  readonly mode: string
  readonly oid: string
}

/** A folder, by name, in the order git keeps. */
export type GitTree = ReadonlyMap<string, GitTreeEntry>

const SPACE = 0x20
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads a tree object. Throws `SOURCE_CORRUPT` when it is damaged or names something twice, and
 * `SOURCE_PATH_UNSAFE` for a name that would leave the tree or reach `.git` on any system.
 */
export function parseTree(data: Buffer): GitTree {
  const entries = new Map<string, GitTreeEntry>()
  let at = 0
  while (at < data.length) {
    const space = nextByte(data, SPACE, at)
    const end = nextByte(data, 0, space)
    if (end + 1 + OID_BYTES > data.length) throw damaged('it is cut off')
    const name = readName(data, space + 1, end)
    if (entries.has(name)) throw damaged(`it names ${JSON.stringify(name)} twice`)
    const mode = data.toString('latin1', at, space)
    const oid = data.toString('hex', end + 1, end + 1 + OID_BYTES)
    entries.set(name, { name, type: usualModes.get(mode) ?? typeOf(mode), mode, oid })
    at = end + 1 + OID_BYTES
  }
  return entries
}

/** Where `byte` is next, or the end. Names are short: asking the platform takes longer than looking. */
function nextByte(data: Buffer, byte: number, start: number): number {
  let at = start
  while (at < data.length && data[at] !== byte) at++
  return at
}

/** What git writes today. */
const usualModes: ReadonlyMap<string, EntryType> = new Map([
  ['100644', 'file'],
  ['40000', 'folder'],
  ['100755', 'file'],
  ['120000', 'symlink'],
  ['160000', 'submodule'],
])

/** Old repositories hold modes such as 100664 and 40755; git reads them by their kind, and so does this. */
function typeOf(mode: string): EntryType {
  if (/^0?4\d{4}$/.test(mode)) return 'folder'
  if (/^100\d{3}$/.test(mode)) return 'file'
  throw damaged(`it holds the unknown mode ${JSON.stringify(mode.slice(0, 12))}`)
}

function readName(data: Buffer, start: number, end: number): string {
  const text = data.toString('utf8', start, end)
  // What is not UTF-8 becomes this character, which may also be meant.
  const name = text.includes('\ufffd') ? decodeName(data.subarray(start, end)) : text
  if (!plainName.test(name) && isUnsafeName(name))
    throw new GitOpsError('SOURCE_PATH_UNSAFE', `The tree holds the name ${JSON.stringify(name)}, which is not safe.`, {
      details: { name },
    })
  return name
}

function decodeName(bytes: Buffer): string {
  try {
    return strictUtf8.decode(bytes)
  } catch (cause) {
    const name = bytes.toString('latin1')
    throw new GitOpsError('SOURCE_PATH_UNSAFE', `The tree holds a name that is not UTF-8: ${JSON.stringify(name)}.`, {
      cause,
    })
  }
}

/** Nearly every name: nothing in it could make it unsafe. */
const plainName = /^[a-fh-z0-9_][a-z0-9_.-]*$/i

/** Characters that some file systems leave out of names, so that `.g\u200cit` is `.git` there. */
const ignorable = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g

/** Whether `name` could leave the folder it is in, or stand for `.git`, on any system. */
export function isUnsafeName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) return true
  if (!/^[.g\u200c-\ufeff]/i.test(name)) return false
  const plain = name.replace(ignorable, '').toLowerCase()
  return /^(\.git|git~1)[. ]*(:.*)?$/.test(plain)
}

function damaged(what: string): GitOpsError {
  return new GitOpsError('SOURCE_CORRUPT', `A tree object is damaged: ${what}.`)
}
