import { GitOpsError } from '../../runtime/errors.ts'
import type { JsonObject } from '../../runtime/json.ts'
import type { Secret } from '../../runtime/secret.ts'
import { isList, isObject } from '../pointer.ts'
import type { DataKeyProvider } from './decrypt.ts'

/** What is used of the package `age-encryption`: pass the module itself. */
export interface AgeLibrary {
  readonly Decrypter: new () => AgeDecrypter
  readonly armor: { decode(text: string): Uint8Array }
}

/** What is used of a decrypter. */
export interface AgeDecrypter {
  addIdentity(identity: string): void
  decrypt(file: Uint8Array, outputFormat?: 'uint8array'): Promise<Uint8Array>
}

/** Which age identities may open files. */
export interface AgeOptions {
  /** `await import('age-encryption')`. It is not a dependency of this library: who wants it installs it. */
  readonly age: AgeLibrary
  /** `AGE-SECRET-KEY-1…`, one or more. */
  readonly identities: readonly Secret[]
}

const MAX_RECIPIENTS = 100

/** Opens the data key of SOPS files with age. Throws `CONFIG_INVALID` for an identity that cannot be read. */
export function ageKeys({ age, identities }: AgeOptions): DataKeyProvider {
  const decrypter = new age.Decrypter()
  for (const [index, identity] of identities.entries()) addIdentity(decrypter, identity, index)
  return async (metadata) => {
    for (const file of agesOf(metadata)) {
      try {
        return await decrypter.decrypt(age.armor.decode(file), 'uint8array')
      } catch {
        // For another recipient, or damaged: the next may fit, and the caller tells when none does.
      }
    }
    return undefined
  }
}

function addIdentity(decrypter: AgeDecrypter, identity: Secret, index: number): void {
  try {
    decrypter.addIdentity(identity.reveal().trim())
  } catch {
    // The reason may quote the key.
    throw new GitOpsError('CONFIG_INVALID', `The age identity ${index + 1} cannot be read; write AGE-SECRET-KEY-1….`)
  }
}

function agesOf(metadata: JsonObject): readonly string[] {
  const entries = isList(metadata.age) ? metadata.age.slice(0, MAX_RECIPIENTS) : []
  return entries.flatMap((entry) => (isObject(entry) && typeof entry.enc === 'string' ? [entry.enc] : []))
}
