import {
  Composer,
  type CST,
  type Document as YamlDocument,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Parser,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import type { GitOpsError } from '../runtime/errors.ts'
import type { Json, JsonObject } from '../runtime/json.ts'
import { readPlain } from './decode-plain.ts'
import type { Reading, ReadValue, Visit } from './reading.ts'
import { exactNumber } from './numbers.ts'
import { isWellFormed, keyProblem, tooDeep } from './strict.ts'
import { isList, isObject } from './pointer.ts'
import { failAt, type Text } from './text.ts'

/** Reads the documents of a YAML 1.2 file (core schema, and the merge key `<<`). */
export function* readYaml(reading: Reading, visitOf?: (document: number) => Visit): Iterable<ReadValue> {
  refuseCost(reading)
  const parts = visitOf === undefined ? partsIn(reading.text.content) : undefined
  if (parts === undefined) return yield* readAll(reading, visitOf)
  for (const { content, start } of parts) {
    const plain = readPlain(content, reading)
    const values = plain === undefined ? readAll({ ...reading, text: partOf(reading.text, content, start) }) : [plain]
    for (const { value, offset } of values) yield { value, offset: start + offset }
  }
}

interface Part {
  readonly content: string
  /** Where it begins in the file. */
  readonly start: number
}

/** The documents of a file, where nothing but lines of `---` stands between them. */
function* partsBetween(content: string): Iterable<Part> {
  let start = 0
  for (const { index, 0: mark } of content.matchAll(/^---\n/gm)) {
    if (index > start) yield { content: content.slice(start, index), start }
    start = index + mark.length
  }
  yield { content: content.slice(start), start }
}

function partsIn(content: string): Iterable<Part> | undefined {
  return /^(?:---[^\n]|---$(?!\n)|\.\.\.|%)/m.test(content) ? undefined : partsBetween(content)
}

/** A text whose places are those of the file it is a part of. */
function partOf({ path, position }: Text, content: string, start: number): Text {
  return { path, content, position: (offset) => position(start + offset) }
}

function* readAll(reading: Reading, visitOf?: (document: number) => Visit): Iterable<ReadValue> {
  const tokens = checkTokens(new Parser().parse(reading.text.content), reading)
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    uniqueKeys: false,
    intAsBigInt: true,
    prettyErrors: false,
  })
  let index = 0
  for (const document of composer.compose(tokens)) {
    refuseErrors(document, reading.text)
    const root = document.contents
    if (!isNode(root) || (isScalar(root) && root.value === null && root.source === '')) continue
    yield { value: readRoot(root, reading, visitOf?.(index++)), offset: offsetOf(root) }
  }
}

/** Counts lines and separators of each document before the parser, which is slow, sees any of them. */
function refuseCost({ text, limits: { maxYamlNodes } }: Reading): void {
  const { content } = text
  let nodes = 0
  for (let offset = 0; offset < content.length; offset++) {
    const code = content.charCodeAt(offset)
    if (code === 0x0a) nodes = content.startsWith('---', offset + 1) ? 0 : nodes + 1
    else if (code === 0x2c || code === 0x5b || code === 0x7b) nodes++
    if (nodes > maxYamlNodes) throw tooMuch(text, offset, maxYamlNodes)
  }
}

function tooMuch(text: Text, offset: number, maxYamlNodes: number): GitOpsError {
  const why = `the document has more than ${maxYamlNodes} lines, items and aliased parts (maxYamlNodes)`
  return failAt(text, offset, why, 'DECLARATION_LIMIT')
}

/** Refuses deep documents before the composer, which is recursive, sees them, and quotes that the file cuts off. */
function* checkTokens(tokens: Iterable<CST.Token>, { text, limits: { maxDepth } }: Reading): Iterable<CST.Token> {
  for (const token of tokens) {
    const open: { readonly token: CST.Token; readonly depth: number }[] = [{ token, depth: 0 }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next.depth > maxDepth) throw tooDeep(text, next.token.offset, maxDepth)
      refuseCutOff(next.token, text)
      for (const below of partsOf(next.token)) open.push({ token: below, depth: next.depth + Number('items' in below) })
    }
    yield token
  }
}

/** The composer takes an escaped quote at the very end of a file for the closing one: `a: 'b''` would be read as `b'`. */
function refuseCutOff(token: CST.Token, text: Text): void {
  if (token.type !== 'single-quoted-scalar' && token.type !== 'double-quoted-scalar') return
  if (token.offset + token.source.length < text.content.length) return
  const [quote = ''] = token.source
  const escape = quote === '"' ? '\\' : quote
  let last = token.source.length - 1
  while (last > 1 && token.source[last - 1] === escape) last--
  const escapes = token.source.length - 1 - last
  if (escapes % 2 === 1) throw failAt(text, token.offset, `this is not YAML: Missing closing ${quote}quote`)
}

function partsOf(token: CST.Token): CST.Token[] {
  if ('items' in token) {
    return token.items.flatMap((item) => [('key' in item && item.key) || [], item.value ?? []].flat())
  }
  return token.type === 'document' && token.value ? [token.value] : []
}

function refuseErrors({ errors, warnings }: YamlDocument.Parsed, text: Text): void {
  const [first] = [...errors, ...warnings]
  if (first === undefined) return
  // What follows a colon may repeat the content, which may be secret.
  const why = first.message.split(/: |\n/)[0]!.replace(/\.$/, '').slice(0, 120)
  throw failAt(text, first.pos[0], `this is not YAML: ${why}`)
}

interface Walk {
  readonly reading: Reading
  readonly visit: Visit | undefined
  readonly segments: (string | number)[]
  readonly anchors: Map<string, { readonly value: Json; readonly cost: Cost }>
  readonly spent: { nodes: number; characters: number; aliases: number }
}

interface Cost {
  readonly nodes: number
  readonly characters: number
}

function readRoot(root: Node, reading: Reading, visit: Visit | undefined): Json {
  const spent = { nodes: 0, characters: 0, aliases: 0 }
  return readNode(root, { reading, visit, segments: [], anchors: new Map(), spent })
}

function readNode(node: Node, walk: Walk): Json {
  walk.visit?.(walk.segments, offsetOf(node))
  if (isAlias(node)) return readAlias(node.source, offsetOf(node), walk)
  const before = { ...walk.spent }
  spend(walk, { nodes: 1, characters: 0 }, offsetOf(node))
  const value = readContent(node, walk)
  const { anchor } = node
  if (anchor !== undefined) {
    const { nodes, characters } = walk.spent
    const cost = { nodes: nodes - before.nodes, characters: characters - before.characters }
    walk.anchors.set(anchor, { value, cost })
  }
  return value
}

function readContent(node: Node, walk: Walk): Json {
  if (isMap(node)) return readMap(node, walk)
  if (isSeq(node)) return readSequence(node, walk)
  if (isScalar(node)) return readScalar(node, walk)
  throw failAt(walk.reading.text, offsetOf(node), 'this is not a value that JSON knows')
}

function readAlias(name: string, offset: number, walk: Walk): Json {
  const { text, limits } = walk.reading
  const anchor = walk.anchors.get(name)
  if (anchor === undefined) throw failAt(text, offset, 'an alias stands for something that contains it')
  if (++walk.spent.aliases > limits.maxAliases) {
    throw failAt(
      text,
      offset,
      `the document has more than ${limits.maxAliases} aliases (maxAliases)`,
      'DECLARATION_LIMIT',
    )
  }
  spend(walk, anchor.cost, offset)
  return anchor.value
}

/** Counts what the document amounts to with every alias written out. */
function spend({ spent, reading: { text, limits } }: Walk, { nodes, characters }: Cost, offset: number): void {
  spent.nodes += nodes
  spent.characters += characters
  if (spent.nodes > limits.maxYamlNodes) throw tooMuch(text, offset, limits.maxYamlNodes)
  if (spent.characters > limits.maxBytes) {
    throw failAt(
      text,
      offset,
      `aliases make more than ${limits.maxBytes} bytes of text (maxBytes)`,
      'DECLARATION_LIMIT',
    )
  }
}

function readSequence(sequence: YAMLSeq, walk: Walk): Json[] {
  return sequence.items.map((item, index) => readBelow(item, index, offsetOf(sequence), walk))
}

function readMap(map: YAMLMap, walk: Walk): JsonObject {
  const object: Record<string, Json> = {}
  const merged: JsonObject[] = []
  for (const pair of map.items) {
    const key = keyOf(pair, walk)
    if (key === '<<' && isPlain(pair.key)) merged.push(...readMerge(pair, offsetOf(map), walk))
    else addMember(object, key, pair, walk)
  }
  for (const source of merged) {
    for (const [key, value] of Object.entries(source)) if (!Object.hasOwn(object, key)) object[key] = value
  }
  return object
}

function addMember(object: Record<string, Json>, key: string, pair: Pair, walk: Walk): void {
  const offset = offsetOf(pair.key)
  const problem = keyProblem(key, object, walk.reading.text, offset)
  if (problem !== undefined) throw problem
  spend(walk, { nodes: 0, characters: key.length }, offset)
  object[key] = readBelow(pair.value, key, offset, walk)
}

/** The maps a merge key stands for; earlier ones count more. */
function readMerge(pair: Pair, offset: number, walk: Walk): JsonObject[] {
  const value = readBelow(pair.value, '<<', offset, walk)
  const maps = isList(value) ? value : [value]
  return maps.map((map) => {
    if (!isObject(map))
      throw failAt(walk.reading.text, offsetOf(pair.key), 'the merge key << needs an object or a list of objects')
    return map
  })
}

function readBelow(node: unknown, segment: string | number, offset: number, walk: Walk): Json {
  walk.segments.push(segment)
  const value = isNode(node) ? readNode(node, walk) : readNothing(offset, walk)
  walk.segments.pop()
  return value
}

/** A member without a value is null. */
function readNothing(offset: number, walk: Walk): null {
  walk.visit?.(walk.segments, offset)
  return null
}

function keyOf({ key }: Pair, { reading: { text } }: Walk): string {
  if (!isScalar(key)) throw failAt(text, offsetOf(key), 'a key must be text')
  if (typeof key.value === 'string') return key.value
  if (key.value !== null && typeof key.source === 'string') return key.source
  throw failAt(text, offsetOf(key), 'a key is missing; quote it if it is meant')
}

function isPlain(node: unknown): boolean {
  return isScalar(node) && node.type === 'PLAIN'
}

function readScalar(scalar: Scalar, walk: Walk): Json {
  const { text, plainScalar } = walk.reading
  const { value, source = '' } = scalar
  const special = isPlain(scalar) && scalar.tag === undefined ? plainScalar?.(source) : undefined
  if (special !== undefined) return special
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return readText(value, scalar, walk)
  const exact = exactValue(value, source)
  if (exact === undefined)
    throw failAt(text, offsetOf(scalar), 'the number cannot be held exactly; write it as a string')
  return exact
}

function readText(value: string, scalar: Scalar, walk: Walk): string {
  spend(walk, { nodes: 0, characters: value.length }, offsetOf(scalar))
  if (isWellFormed(value)) return value
  throw failAt(walk.reading.text, offsetOf(scalar), 'a string has half of a surrogate pair, which is no character')
}

function exactValue(value: unknown, source: string): number | undefined {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : undefined
  return typeof value === 'number' && Number.isFinite(value) ? exactNumber(source) : undefined
}

function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0
}
