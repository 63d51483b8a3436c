import { createHash } from 'node:crypto'

/** Longer names are cut off, and told apart by their digest. */
const MAX_LENGTH = 120

/**
 * A file name for any application: different names have different files, also where case does not
 * count, and no name leaves the folder or means something to the system.
 */
export function fileNameFor(application: string): string {
  const safe = [...Buffer.from(application)].map(safeByte).join('')
  if (safe.length <= MAX_LENGTH) return `app-${safe}`
  const digest = createHash('sha256').update(application).digest('hex')
  return `app-${safe.slice(0, MAX_LENGTH - digest.length)}~${digest}`
}

function safeByte(byte: number): string {
  const character = String.fromCharCode(byte)
  return /[a-z0-9-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
}
