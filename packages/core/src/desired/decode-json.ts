import type { GitOpsError } from '../runtime/errors.ts'
import type { Json, JsonObject } from '../runtime/json.ts'
import type { Reading, ReadValue, Visit } from './reading.ts'
import { exactNumber } from './numbers.ts'
import { isList } from './pointer.ts'
import { forbiddenKeys, isWellFormed, keyProblem, tooDeep } from './strict.ts'
import { failAt, type Text } from './text.ts'

interface Cursor {
  readonly text: Text
  readonly content: string
  readonly maxDepth: number
  readonly segments: (string | number)[]
  readonly visit: Visit | undefined
  offset: number
}

/** Reads the one value of a JSON file (RFC 8259, nothing more). */
export function* readJson({ text, limits }: Reading, visitOf?: (document: number) => Visit): Iterable<ReadValue> {
  const { content } = text
  const plain = visitOf === undefined ? readAsWritten(content, limits.maxDepth) : undefined
  if (plain !== undefined) return yield { value: plain, offset: 0 }
  const cursor: Cursor = { text, content, maxDepth: limits.maxDepth, segments: [], visit: visitOf?.(0), offset: 0 }
  skipSpace(cursor)
  const { offset } = cursor
  const value = readValue(cursor)
  skipSpace(cursor)
  if (cursor.offset < content.length) throw unexpected(cursor)
  yield { value, offset }
}

/**
 * The value of a text that is just what `JSON.stringify` writes for it, on one line or indented by two: then no key is there
 * twice and no number would be rounded, and the platform reads it in a fifth of the time. `undefined` for everything else, also
 * for whatever is not allowed: then it is read with its places.
 */
function readAsWritten(content: string, maxDepth: number): Json | undefined {
  // An escape may be half of a surrogate pair, and is written again just as it is read.
  if (content.includes('\\u')) return undefined
  try {
    const value: Json = JSON.parse(content)
    const given = content.endsWith('\n') ? content.slice(0, -1) : content
    const isAsWritten = given === JSON.stringify(value) || given === JSON.stringify(value, undefined, 2)
    return isAsWritten && isAllowed(value, maxDepth) ? value : undefined
  } catch {
    return undefined
  }
}

function isAllowed(value: Json, maxDepth: number): boolean {
  if (typeof value === 'number') return !Number.isInteger(value) || Number.isSafeInteger(value)
  if (typeof value !== 'object' || value === null) return true
  if (maxDepth === 0) return false
  if (isList(value)) return value.every((item) => isAllowed(item, maxDepth - 1))
  return Object.keys(value).every((key) => !forbiddenKeys.has(key) && isAllowed(value[key]!, maxDepth - 1))
}

function readValue(cursor: Cursor): Json {
  cursor.visit?.(cursor.segments, cursor.offset)
  const first = cursor.content[cursor.offset]
  if (first === '{') return readObject(cursor)
  if (first === '[') return readList(cursor)
  if (first === '"') return readString(cursor)
  for (const word of words) if (cursor.content.startsWith(word.text, cursor.offset)) return readWord(cursor, word)
  return readNumber(cursor)
}

const words = [
  { text: 'true', value: true },
  { text: 'false', value: false },
  { text: 'null', value: null },
] as const

function readObject(cursor: Cursor): JsonObject {
  const object: Record<string, Json> = {}
  readItems(cursor, '}', () => {
    const start = cursor.offset
    if (cursor.content[start] !== '"') throw unexpected(cursor)
    const key = readString(cursor)
    const problem = keyProblem(key, object, cursor.text, start)
    if (problem !== undefined) throw problem
    skipSpace(cursor)
    expect(cursor, ':')
    object[key] = readBelow(cursor, key)
  })
  return object
}

function readList(cursor: Cursor): Json[] {
  const list: Json[] = []
  readItems(cursor, ']', () => {
    list.push(readBelow(cursor, list.length))
  })
  return list
}

/** Reads from an opening bracket to the closing one, calling `readItem` at the start of each item. */
function readItems(cursor: Cursor, close: string, readItem: () => void): void {
  if (cursor.segments.length >= cursor.maxDepth) throw tooDeep(cursor.text, cursor.offset, cursor.maxDepth)
  cursor.offset++
  skipSpace(cursor)
  if (cursor.content[cursor.offset] === close) return void cursor.offset++
  for (;;) {
    readItem()
    if (cursor.content[cursor.offset] === close) return void cursor.offset++
    expect(cursor, ',')
    skipSpace(cursor)
  }
}

function readBelow(cursor: Cursor, segment: string | number): Json {
  skipSpace(cursor)
  cursor.segments.push(segment)
  const value = readValue(cursor)
  cursor.segments.pop()
  skipSpace(cursor)
  return value
}

function readString(cursor: Cursor): string {
  const { content, offset: start } = cursor
  let end = start + 1
  while (content[end] !== '"') {
    if (end >= content.length || content.charCodeAt(end) < 0x20)
      throw failAt(cursor.text, end, 'a string is not closed')
    end += content[end] === '\\' ? 2 : 1
  }
  cursor.offset = end + 1
  const string = unquote(content.slice(start, end + 1))
  if (string === undefined) throw failAt(cursor.text, start, 'a string has an escape that JSON does not know')
  // The text of a file is well-formed; only an escape, which is longer than what it stands for, can be half of a pair.
  if (string.length < end - start - 1 && !isWellFormed(string))
    throw failAt(cursor.text, start, 'a string has half of a surrogate pair, which is no character')
  return string
}

function unquote(quoted: string): string | undefined {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  try {
    return JSON.parse(quoted)
  } catch {
    return undefined
  }
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y

function readNumber(cursor: Cursor): number {
  number.lastIndex = cursor.offset
  const found = number.exec(cursor.content)?.[0]
  if (found === undefined) throw unexpected(cursor)
  const value = exactNumber(found)
  if (value === undefined) throw failAt(cursor.text, cursor.offset, 'the number would be rounded; write it as a string')
  cursor.offset += found.length
  return value
}

function readWord(cursor: Cursor, { text, value }: (typeof words)[number]): boolean | null {
  cursor.offset += text.length
  return value
}

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const code = cursor.content.charCodeAt(cursor.offset)
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return
    cursor.offset++
  }
}

function expect(cursor: Cursor, character: string): void {
  if (cursor.content[cursor.offset] !== character) throw unexpected(cursor)
  cursor.offset++
}

function unexpected({ text, offset, content }: Cursor): GitOpsError {
  const what = offset >= content.length ? 'the file ends too early' : 'this is not JSON'
  return failAt(text, offset, what)
}
