import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { GitOpsError } from '@gitops-sdk/core'
import type { BlobStore } from './blobs.ts'

const FORMAT = Buffer.from('gst1')
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Blobs encrypted with AES-256-GCM under `key` (32 bytes). The name is authenticated too, so that one blob cannot be
 * given out as another. Reading one that was damaged or forged throws `LEDGER_CORRUPT`.
 */
export function sealedBlobs(store: BlobStore, key: Uint8Array): BlobStore {
  return {
    ...store,
    put: (name, bytes, options) => store.put(name, encrypt(key, name, bytes), options),
    get: async (name) => {
      const sealed = await store.get(name)
      return sealed === undefined ? undefined : decrypt(key, name, Buffer.from(sealed))
    },
  }
}

function encrypt(key: Uint8Array, name: string, bytes: Uint8Array): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name))
  const body = Buffer.concat([cipher.update(bytes), cipher.final()])
  return Buffer.concat([FORMAT, nonce, cipher.getAuthTag(), body])
}

function decrypt(key: Uint8Array, name: string, sealed: Buffer): Uint8Array {
  try {
    const start = FORMAT.length + NONCE_BYTES + TAG_BYTES
    if (sealed.length < start || !sealed.subarray(0, FORMAT.length).equals(FORMAT)) throw new Error('not sealed by us')
    const nonce = sealed.subarray(FORMAT.length, FORMAT.length + NONCE_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(name))
    decipher.setAuthTag(sealed.subarray(FORMAT.length + NONCE_BYTES, start))
    return Buffer.concat([decipher.update(sealed.subarray(start)), decipher.final()])
  } catch (cause) {
    const message = `${name} was damaged, or was encrypted with another key. Restore it, or the key, from a copy.`
    throw new GitOpsError('LEDGER_CORRUPT', message, { cause })
  }
}
