import { GitOpsError } from '../runtime/errors.ts'
import type { Json, JsonObject } from '../runtime/json.ts'
import { readJson } from './decode-json.ts'
import { readYaml } from './decode-yaml.ts'
import type { Origin } from './desired.ts'
import { isObject, toPointer } from './pointer.ts'
import type { DecodeLimits, ReadValue, Reading, Visit } from './reading.ts'
import { decodeText, failAt, type Position } from './text.ts'

/** How a file is read. */
export interface DecodeOptions extends DecodeLimits {
  /** @defaultValue 'json' for a path that ends in `.json`, 'yaml' for any other */
  readonly format?: 'json' | 'yaml'
  /**
   * Reads an unquoted YAML scalar in another way than the YAML 1.2 core schema does, as a target with
   * older habits needs it; `undefined` leaves it to the schema.
   */
  readonly plainScalar?: (text: string) => Json | undefined
}

/** One document of a file. */
export interface Document {
  readonly body: JsonObject
  /** The file, and the line of the first character of the document. */
  readonly origin: Origin
  /** Where the value at a JSON Pointer stands, or the nearest value above it. Reads the file again: for errors. */
  readonly locate: (pointer: string) => Position
}

/** The limits that hold where none are given. */
export const defaultDecodeLimits: Readonly<Required<DecodeLimits>> = {
  maxBytes: 8 * 2 ** 20,
  maxYamlNodes: 50_000,
  maxDepth: 64,
  maxAliases: 100,
  maxDocuments: 10_000,
}

/**
 * Yields the documents of a YAML or JSON file, one by one, so that a caller can pause between them.
 * Empty YAML documents are left out.
 *
 * Strict: a duplicate key, a number that would be rounded, NaN and infinity, an unknown tag, bytes
 * that are not UTF-8, or a top level that is no object is an error (`DECLARATION_INVALID`), as are
 * the keys `__proto__`, `constructor` and `prototype` (`DECLARATION_FORBIDDEN_KEY`) and a file that
 * costs more than its limits (`DECLARATION_LIMIT`, checked before parsing where that is possible).
 * Every error names path, line and column and repeats nothing of the content.
 */
export function* decodeDocuments(bytes: Uint8Array, path: string, options: DecodeOptions = {}): Generator<Document> {
  const { format = /\.json$/i.test(path) ? 'json' : 'yaml', plainScalar, ...limits } = options
  const reading: Reading = {
    limits: { ...defaultDecodeLimits, ...limits },
    plainScalar,
    text: decodeText(bytes, path, limits.maxBytes ?? defaultDecodeLimits.maxBytes),
  }
  const read = format === 'json' ? readJson : readYaml
  let count = 0
  for (const { value, offset } of read(reading)) {
    if (++count > reading.limits.maxDocuments) throw tooMany(path, reading.limits.maxDocuments)
    if (!isObject(value)) throw failAt(reading.text, offset, 'the top level of a document must be an object')
    const { line } = reading.text.position(offset)
    yield { body: value, origin: { path, line }, locate: locator(reading, read, count - 1) }
  }
}

function tooMany(path: string, maxDocuments: number): GitOpsError {
  return new GitOpsError('DECLARATION_LIMIT', `${path} has more than ${maxDocuments} documents (maxDocuments).`)
}

type Read = (reading: Reading, visit?: (document: number) => Visit) => Iterable<ReadValue>

/** Finds places in one document. The file is read again when the first is asked for. */
function locator(reading: Reading, read: Read, index: number): Document['locate'] {
  let offsets: ReadonlyMap<string, number> | undefined
  return (pointer) => {
    offsets ??= offsetsOf(reading, read, index)
    let at = pointer
    while (at !== '' && !offsets.has(at)) at = at.slice(0, at.lastIndexOf('/'))
    return reading.text.position(offsets.get(at) ?? 0)
  }
}

function offsetsOf(reading: Reading, read: Read, index: number): Map<string, number> {
  const offsets = new Map<string, number>()
  const visitOf = (document: number): Visit =>
    document === index ? (segments, offset) => void offsets.set(toPointer(segments), offset) : () => {}
  let seen = 0
  for (const _ of read(reading, visitOf)) if (seen++ === index) break
  return offsets
}
