import { createHash } from 'node:crypto'
import { GitOpsError } from '../../runtime/errors.ts'

/** The format that this library writes. */
const FORMAT = 1
const MARK = 'gitops-ledger'

/** What was found in a file: its content, or what is wrong with it. */
export type Opened = { readonly content: unknown } | { readonly damage: string }

/** A value as the bytes of a file: a line with format and checksum, then JSON. */
export function seal(value: unknown): Uint8Array {
  const body = `${JSON.stringify(value)}\n`
  return Buffer.from(`${MARK} ${FORMAT} ${checksum(body)}\n${body}`)
}

/** Reads what `seal` made. Throws `LEDGER_VERSION` for a format of the future; never guesses. */
export function unseal(bytes: Uint8Array, path: string): Opened {
  const text = Buffer.from(bytes).toString('utf8')
  const end = text.indexOf('\n')
  const [mark, format, sum] = text.slice(0, Math.max(0, end)).split(' ')
  if (mark !== MARK || sum === undefined)
    return { damage: text === '' ? 'is empty' : 'does not begin like a file of the ledger' }
  if (Number(format) > FORMAT) throw tooNew(path, String(format))
  const body = text.slice(end + 1)
  if (checksum(body) !== sum) return { damage: 'is damaged or was edited: its checksum does not fit' }
  return { content: JSON.parse(body) }
}

/** Whether a file was made by a library of the future decides nothing about damage, so it is an error of its own. */
function tooNew(path: string, format: string): GitOpsError {
  const message = `${path} has format ${format}; this version of the library knows ${FORMAT}. Run a newer version.`
  return new GitOpsError('LEDGER_VERSION', message)
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
