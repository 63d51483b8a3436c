import { sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { type Document, type Pair, type Scalar, isAlias, isMap, isPair, isScalar, isSeq, parseAllDocuments } from 'yaml'
import { type Call, throwIfAborted } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'
import type { JsonObject } from '../../runtime/json.ts'
import { decodeDocuments } from '../decode.ts'
import { isObject } from '../pointer.ts'
import { importDataKey, literalOf, open, parseSealed, textForMac } from './cipher.ts'

/** Finds the data key of a file from its `sops` member; `undefined` when it has none that fits. */
export type DataKeyProvider = (metadata: JsonObject, call: Call) => Promise<Uint8Array | undefined>

/** An opened file. */
export interface Decrypted {
  /** The file with every value in clear and without its `sops` member. Lines stay where they were. */
  readonly bytes: Uint8Array
  /** The values that were sealed. */
  readonly secrets: readonly string[]
}

/** The digest of "sops": SOPS starts the MAC with it where only sealed values count. */
const MAC_ONLY_ENCRYPTED = hexToBytes('8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdad' + 'ec8176f27d69')

/**
 * Opens a YAML or JSON file of SOPS and verifies its MAC, so that no value was changed, moved, added or
 * removed. A file without a `sops` member gives `undefined`. Throws `SECRET_DECRYPT`, naming the file
 * and nothing of its content, and whatever `decodeDocuments` says of a file that cannot be read.
 */
export async function decryptSopsFile(
  bytes: Uint8Array,
  path: string,
  dataKeyOf: DataKeyProvider,
  call: Call,
): Promise<Decrypted | undefined> {
  const bodies = [...decodeDocuments(bytes, path)].map(({ body }) => body)
  const metadata = bodies.find((body) => Object.hasOwn(body, 'sops'))?.sops
  if (metadata === undefined) return undefined
  if (!isObject(metadata)) throw refuse(path, 'its `sops` member is not an object')
  const dataKey = await dataKeyOf(metadata, call)
  if (dataKey?.length !== 32) throw refuse(path, 'none of the keys that were given opens it')
  return openFile(new TextDecoder().decode(bytes), { path, metadata, key: await importDataKey(dataKey) }, call)
}

interface SopsFile {
  readonly path: string
  readonly metadata: JsonObject
  readonly key: CryptoKey
}

async function openFile(text: string, file: SopsFile, call: Call): Promise<Decrypted> {
  const documents = parseAllDocuments(text, { intAsBigInt: true, uniqueKeys: true })
  const isOnlySealed = file.metadata.mac_only_encrypted === true
  const mac = sha512.create().update(isOnlySealed ? MAC_ONLY_ENCRYPTED : new Uint8Array())
  const edits: Edit[] = []
  const secrets: string[] = []
  for (const document of 'empty' in documents ? [] : documents) {
    for (const leaf of leavesOf(document, file.path)) {
      throwIfAborted(call)
      const opened = await openLeaf(leaf, file)
      if (opened !== undefined || !isOnlySealed) mac.update(utf8ToBytes(opened?.text ?? textForMac(leaf.value)))
      if (opened === undefined) continue
      edits.push({ from: leaf.from, to: leaf.to, text: opened.literal })
      secrets.push(opened.text)
    }
    edits.push(...removeMetadata(document))
  }
  await checkMac(bytesToHex(mac.digest()).toUpperCase(), file)
  return { bytes: utf8ToBytes(edit(text, edits)), secrets }
}

/** A value at the end of a path, and where it stands in the text. */
interface Leaf {
  readonly value: string | number | bigint | boolean
  /** The keys that lead to it, as SOPS binds them to the value. */
  readonly place: string
  readonly from: number
  readonly to: number
}

function* leavesOf(document: Document.Parsed, path: string): Generator<Leaf> {
  if (!isMap(document.contents)) return
  for (const pair of document.contents.items)
    if (keyOf(pair) !== 'sops') yield* leavesOfNode(pair.value, [keyOf(pair)], path)
}

function* leavesOfNode(node: unknown, keys: readonly string[], path: string): Generator<Leaf> {
  if (isAlias(node)) throw refuse(path, 'it holds an alias, which SOPS does not write')
  if (isMap(node)) for (const pair of node.items) yield* leavesOfNode(pair.value, [...keys, keyOf(pair)], path)
  if (isSeq(node)) for (const item of node.items) yield* leavesOfNode(isPair(item) ? item.value : item, keys, path)
  if (isScalar(node)) yield* leafOf(node, keys)
}

/** `null` is neither sealed nor part of the MAC. */
function* leafOf({ value, range }: Scalar, keys: readonly string[]): Generator<Leaf> {
  const isValue =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
  if (isValue && range) yield { value, place: `${keys.join(':')}:`, from: range[0], to: range[1] }
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : ''
}

async function openLeaf(
  { value, place }: Leaf,
  file: SopsFile,
): Promise<{ text: string; literal: string } | undefined> {
  const sealed = typeof value === 'string' ? parseSealed(value) : undefined
  if (sealed === undefined) return undefined
  const text = await openAt(sealed, place, file)
  const literal = literalOf(text, sealed.type)
  if (literal === undefined) throw refuse(file.path, `a value at ${place} has a type that is not known`)
  return { text, literal }
}

async function openAt(
  sealed: NonNullable<ReturnType<typeof parseSealed>>,
  place: string,
  { key, path }: SopsFile,
): Promise<string> {
  try {
    return await open(sealed, key, place)
  } catch (cause) {
    throw refuse(path, `the value at ${place} was changed, moved, or sealed with another key`, cause)
  }
}

async function checkMac(expected: string, file: SopsFile): Promise<void> {
  const { mac, lastmodified } = file.metadata
  const sealed = typeof mac === 'string' ? parseSealed(mac) : undefined
  if (sealed === undefined || typeof lastmodified !== 'string') throw refuse(file.path, 'its MAC is missing')
  // Both are digests that an attacker cannot choose, so the time a comparison takes tells nothing.
  if ((await openAt(sealed, lastmodified, file)) !== expected)
    throw refuse(file.path, 'its MAC does not match: something was changed, added or removed')
}

interface Edit {
  readonly from: number
  readonly to: number
  readonly text: string
}

/** Takes the `sops` member out, with the comma where it has one. */
function removeMetadata({ contents }: Document.Parsed): readonly Edit[] {
  if (!isMap(contents)) return []
  const ranges = contents.items.map(({ key, value }) => ({ from: startOf(key), to: endOf(value) }))
  const at = contents.items.findIndex((pair) => keyOf(pair) === 'sops')
  const [before, own, after] = [ranges[at - 1], ranges[at], ranges[at + 1]]
  if (at < 0 || own === undefined) return []
  if (after !== undefined) return [{ from: own.from, to: after.from, text: '' }]
  return [{ from: before?.to ?? own.from, to: own.to, text: before === undefined ? '' : '\n' }]
}

function startOf(node: unknown): number {
  return isScalar(node) ? (node.range?.[0] ?? 0) : 0
}

function endOf(node: unknown): number {
  return isMap(node) || isSeq(node) || isScalar(node) ? (node.range?.[1] ?? 0) : 0
}

function edit(text: string, edits: readonly Edit[]): string {
  let result = ''
  let at = 0
  for (const { from, to, text: replacement } of edits.toSorted((left, right) => left.from - right.from)) {
    if (from < at) continue
    result += text.slice(at, from) + replacement
    at = to
  }
  return result + text.slice(at)
}

function refuse(path: string, why: string, cause?: unknown): GitOpsError {
  return new GitOpsError('SECRET_DECRYPT', `${path} cannot be decrypted: ${why}.`, {
    details: { path },
    ...(cause === undefined ? {} : { cause }),
  })
}
