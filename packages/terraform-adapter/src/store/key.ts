import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GitOpsError, type Secret } from '@gitops-sdk/core'
import { whenAbsent } from './blobs.ts'

const KEY_BYTES = 32

/** The key of a store: the one that is given, or one of its own in a file that only this user may read. */
export async function storeKey(folder: string, given: Secret | undefined): Promise<Uint8Array> {
  return given === undefined ? ownKey(folder) : checked(Buffer.from(given.reveal(), 'base64'), 'encryptionKey')
}

async function ownKey(folder: string): Promise<Uint8Array> {
  const path = join(folder, 'key')
  const known = await readFile(path).catch(whenAbsent(undefined))
  if (known !== undefined) return checked(known, path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const key = randomBytes(KEY_BYTES)
  try {
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(key)
    await file.sync()
    await file.close()
    return key
  } catch (error) {
    // Another target of this folder was first.
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return checked(await readFile(path), path)
    throw error
  }
}

function checked(key: Uint8Array, name: string): Uint8Array {
  if (key.length === KEY_BYTES) return key
  throw new GitOpsError('CONFIG_INVALID', `${name} must hold ${KEY_BYTES} bytes (as Base64 where it is an option).`)
}
