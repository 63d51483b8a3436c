import type { Json } from '@gitops-sdk/core'
import type { PatchOperation } from '../../packages/core/src/desired/patch.ts'

const names = ['a', 'b', 'name', 'key', '__proto__', 'constructor', 'toString', 'length', '', '0', '-', 'x/y', '~']
const leaves: readonly Json[] = [null, true, false, 0, -1, 1.5, '', 'a', 'name', '__proto__']
const pointers = [
  '',
  '/a',
  '/a/0',
  '/a/-',
  '/a/2',
  '/a/01',
  '/b/c',
  '/b',
  '/b/d',
  '/__proto__/x',
  '/a/length',
  '/constructor',
  '/~2',
  'a',
  '/b/c/d',
]
const operations = ['add', 'remove', 'replace', 'move', 'copy', 'test', 'toString']

/** Any bytes as a JSON value: each byte decides what comes next, so that every mutation gives another value. */
export function jsonFrom(bytes: Uint8Array): Json {
  return valueFrom(createReader(bytes), 0)
}

/** Any bytes as a list of patch operations, most of them nearly right. */
export function patchFrom(bytes: Uint8Array): readonly PatchOperation[] {
  const read = createReader(bytes)
  const patch = Array.from({ length: 1 + (read() % 3) }, () => ({
    op: operations[read() % operations.length],
    path: pointers[read() % pointers.length],
    from: pointers[read() % pointers.length],
    value: valueFrom(read, 2),
  }))
  // What a patch is not is what is tried here.
  return patch as readonly PatchOperation[]
}

/** The next byte, or 0 behind the last. */
export type Read = () => number

/** Reads `bytes` one by one. */
export function createReader(bytes: Uint8Array): Read {
  let at = 0
  return () => bytes[at++] ?? 0
}

function valueFrom(read: Read, depth: number): Json {
  const kind = read()
  const count = depth > 4 ? 0 : read() % 6
  if (kind < 90) return leaves[kind % leaves.length] ?? null
  if (kind < 170) return Array.from({ length: count }, () => valueFrom(read, depth + 1))
  return Object.fromEntries(
    Array.from({ length: count }, () => [names[read() % names.length] ?? 'a', valueFrom(read, depth + 1)]),
  )
}
