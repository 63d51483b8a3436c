import type { Json, JsonObject } from '../runtime/json.ts'
import { exactNumber } from './numbers.ts'
import type { Reading, ReadValue } from './reading.ts'
import { forbiddenKeys } from './strict.ts'

/**
 * Reads one YAML document of the plainest kind: maps, lists and scalars on lines of their own, small collections on one
 * line, nothing that needs a second thought. Most declarations are like that, and a parser for all of YAML takes ten
 * times as long for them.
 *
 * `undefined` for everything else, also for whatever is wrong or too much: then the whole parser decides. What is read
 * here means the same there.
 */
export function readPlain(content: string, { limits, plainScalar }: Reading): ReadValue | undefined {
  if (unusual.test(content)) return undefined
  const lines = linesOf(content)
  const first = lines[0]
  if (first === undefined || first.indent !== 0) return undefined
  const cursor: Cursor = { content, lines, limits, plainScalar, line: 0, at: first.start, depth: 0, nodes: 0 }
  const value = readMap(cursor, 0)
  const isWhole = value !== undefined && cursor.line === lines.length && cursor.nodes < limits.maxYamlNodes
  return isWhole ? { value, offset: first.start } : undefined
}

/** Tabs, other line breaks, and marks between documents. */
const unusual = /[\t\r\ufeff]|^(?:---|\.\.\.|%)/m
const forms = {
  key: /([A-Za-z_][A-Za-z0-9_./-]{0,254}):(?= |$|\n)/y,
  plain: /[A-Za-z0-9_./](?:[A-Za-z0-9_./@+=~$*()<>;^%-]|[: ](?=[A-Za-z0-9_./@+=~$*()<>;^%-]))*/y,
  quoted: /"([^"\\\n]*)"|'([^'\n]*)'/y,
  lineEnd: / *(?: #[^\n]*)?(?=\n|$)/y,
  number:
    /^(?:0o[0-7]+|0x[0-9a-fA-F]+|(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|\.(?:inf|Inf|INF|nan|NaN|NAN))$/,
  usualNumber: /^(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/,
} as const
const words: ReadonlyMap<string, boolean | null> = new Map([
  ...['null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['true', 'True', 'TRUE'].map((word) => [word, true] as const),
  ...['false', 'False', 'FALSE'].map((word) => [word, false] as const),
])

interface Line {
  /** Offset of its first character that is no space. */
  readonly start: number
  readonly indent: number
}

interface Cursor extends Pick<Reading, 'limits' | 'plainScalar'> {
  readonly content: string
  /** Without empty ones and those of comments. */
  readonly lines: readonly Line[]
  line: number
  /** Where on the line something is read. */
  at: number
  depth: number
  nodes: number
}

function linesOf(content: string): Line[] {
  const lines: Line[] = []
  for (let begin = 0; begin < content.length;) {
    let start = begin
    while (content[start] === ' ') start++
    const end = content.indexOf('\n', start)
    const first = content[start]
    if (first !== undefined && first !== '\n' && first !== '#') lines.push({ start, indent: start - begin })
    begin = end === -1 ? content.length : end + 1
  }
  return lines
}

/** The map whose keys stand at `indent`. The cursor is at the first of them, maybe behind the dash of a list. */
function readMap(cursor: Cursor, indent: number): JsonObject | undefined {
  if (!descend(cursor)) return undefined
  const object: Record<string, Json> = {}
  for (;;) {
    const key = keyAt(cursor, object)
    if (key === undefined) return undefined
    const value = readMember(cursor, indent)
    if (value === undefined) return undefined
    object[key] = value
    const next = cursor.lines[cursor.line]
    if (next === undefined || next.indent < indent || isDash(cursor, next)) return ascend(cursor, object)
    if (next.indent > indent) return undefined
    cursor.at = next.start
  }
}

/** What follows a key, on its line or on those below. */
function readMember(cursor: Cursor, indent: number): Json | undefined {
  if (endsLine(cursor)) return readBelow(cursor, indent)
  if (cursor.content[cursor.at] !== ' ') return undefined
  skipSpaces(cursor)
  return readInline(cursor)
}

function readBelow(cursor: Cursor, indent: number): Json | undefined {
  const next = cursor.lines[cursor.line]
  if (next === undefined || next.indent < indent) return nothing(cursor)
  const isList = isDash(cursor, next)
  if (next.indent === indent && !isList) return nothing(cursor)
  cursor.at = next.start
  return isList ? readList(cursor, next.indent) : readMap(cursor, next.indent)
}

function readList(cursor: Cursor, indent: number): Json[] | undefined {
  if (!descend(cursor)) return undefined
  const list: Json[] = []
  for (let line = cursor.lines[cursor.line]; line !== undefined; line = cursor.lines[cursor.line]) {
    if (line.indent < indent || (line.indent === indent && !isDash(cursor, line))) break
    if (line.indent > indent) return undefined
    cursor.at = line.start + 1
    skipSpaces(cursor)
    const value = readItem(cursor, indent + cursor.at - line.start)
    if (value === undefined) return undefined
    list.push(value)
  }
  return ascend(cursor, list)
}

function readItem(cursor: Cursor, indent: number): Json | undefined {
  forms.key.lastIndex = cursor.at
  return forms.key.test(cursor.content) ? readMap(cursor, indent) : readInline(cursor)
}

/** A scalar or a collection that ends with the line. */
function readInline(cursor: Cursor): Json | undefined {
  const value = readValue(cursor)
  return value !== undefined && endsLine(cursor) ? value : undefined
}

function readValue(cursor: Cursor): Json | undefined {
  const first = cursor.content[cursor.at]
  if (first === '{') return readFlowMap(cursor)
  if (first === '[') return readFlowList(cursor)
  cursor.nodes++
  if (first !== '"' && first !== "'") return readScalar(cursor)
  const [, double, single] = match(cursor, forms.quoted) ?? []
  return double ?? single
}

function readScalar(cursor: Cursor): Json | undefined {
  const text = match(cursor, forms.plain)?.[0]
  if (text === undefined) return undefined
  const special = cursor.plainScalar?.(text)
  if (special !== undefined) return special
  const word = words.get(text)
  if (word !== undefined) return word
  if (!forms.number.test(text)) return text
  return forms.usualNumber.test(text) ? exactNumber(text) : undefined
}

function readFlowMap(cursor: Cursor): JsonObject | undefined {
  const object: Record<string, Json> = {}
  return readFlow(cursor, '}', object, () => {
    const key = keyAt(cursor, object)
    if (key === undefined || cursor.content[cursor.at] !== ' ') return false
    skipSpaces(cursor)
    const value = readValue(cursor)
    if (value !== undefined) object[key] = value
    return value !== undefined
  })
}

function readFlowList(cursor: Cursor): Json[] | undefined {
  const list: Json[] = []
  return readFlow(cursor, ']', list, () => {
    const value = readValue(cursor)
    if (value !== undefined) list.push(value)
    return value !== undefined
  })
}

function readFlow<Collection>(
  cursor: Cursor,
  close: string,
  collection: Collection,
  readItemOf: () => boolean,
): Collection | undefined {
  if (!descend(cursor)) return undefined
  cursor.at++
  skipSpaces(cursor)
  if (cursor.content[cursor.at] === close) return closed(cursor, collection)
  while (readItemOf()) {
    skipSpaces(cursor)
    const next = cursor.content[cursor.at]
    if (next === close) return closed(cursor, collection)
    if (next !== ',') return undefined
    cursor.at++
    skipSpaces(cursor)
  }
  return undefined
}

function closed<Collection>(cursor: Cursor, collection: Collection): Collection {
  cursor.at++
  return ascend(cursor, collection)
}

/** The key that begins here; the cursor is behind its colon. */
function keyAt(cursor: Cursor, seen: JsonObject): string | undefined {
  const key = match(cursor, forms.key)?.[1]
  if (key === undefined || words.get(key) === null) return undefined
  return forbiddenKeys.has(key) || Object.hasOwn(seen, key) ? undefined : key
}

function match(cursor: Cursor, form: RegExp): RegExpExecArray | undefined {
  form.lastIndex = cursor.at
  const found = form.exec(cursor.content)
  if (found === null) return undefined
  cursor.at = form.lastIndex
  return found
}

/** Goes to the next line when nothing but a comment is left on this one. */
function endsLine(cursor: Cursor): boolean {
  if (match(cursor, forms.lineEnd) === undefined) return false
  cursor.line++
  return true
}

function skipSpaces(cursor: Cursor): void {
  while (cursor.content[cursor.at] === ' ') cursor.at++
}

function isDash({ content }: Cursor, { start }: Line): boolean {
  return content[start] === '-' && content[start + 1] === ' '
}

function nothing(cursor: Cursor): null {
  cursor.nodes++
  return null
}

function descend(cursor: Cursor): boolean {
  cursor.nodes++
  return ++cursor.depth < cursor.limits.maxDepth
}

function ascend<Value>(cursor: Cursor, value: Value): Value {
  cursor.depth--
  return value
}
