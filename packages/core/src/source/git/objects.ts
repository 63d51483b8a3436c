import { createHash } from 'node:crypto'

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

/** The id of an object, as 20 bytes. */
export function hashObject(type: ObjectType, data: Uint8Array): Buffer {
  return createHash('sha1').update(`${type} ${data.byteLength}\0`).update(data).digest()
}
