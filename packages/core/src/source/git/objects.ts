import { createHash, hash as hashInOneStep } from 'node:crypto'

/** The four kinds of objects a repository is made of. */
export type ObjectType = 'commit' | 'tree' | 'blob' | 'tag'

/** One object, inflated and checked against its id. */
export interface GitObject {
  readonly type: ObjectType
  readonly data: Buffer
}

/** Bytes of an object id. Only SHA-1 repositories are read. */
export const OID_BYTES = 20

const fullOid = /^[0-9a-f]{40}$/

/** Whether `text` is a full object id in lower case. */
export function isOid(text: string): boolean {
  return fullOid.test(text)
}

/** Objects up to this size are hashed in one step, which is faster for small ones. */
const SMALL_BYTES = 8_192
const scratch = Buffer.alloc(SMALL_BYTES + 32)

/** The id of an object. */
export function hashObject(type: ObjectType, data: Uint8Array): string {
  const head = `${type} ${data.byteLength}\0`
  if (data.byteLength > SMALL_BYTES) return createHash('sha1').update(head).update(data).digest('hex')
  scratch.write(head, 'latin1')
  scratch.set(data, head.length)
  return hashInOneStep('sha1', scratch.subarray(0, head.length + data.byteLength), 'hex')
}

const STEP_BYTES = 2 ** 22

/** As `hashObject`, pausing between pieces of a large object. */
export async function hashLater(type: ObjectType, data: Uint8Array, pause: () => Promise<void>): Promise<string> {
  const hash = createHash('sha1').update(`${type} ${data.byteLength}\0`)
  for (let at = 0; at < data.byteLength; at += STEP_BYTES) {
    hash.update(data.subarray(at, at + STEP_BYTES))
    await pause()
  }
  return hash.digest('hex')
}
