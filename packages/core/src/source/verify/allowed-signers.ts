import { GitOpsError } from '../../runtime/errors.ts'
import { utcTime } from '../../runtime/clock.ts'
import { fromBase64, wireReader } from './bytes.ts'
import { isKnownKeyType } from './ssh-key.ts'

/** One line of an `allowed_signers` file (ssh-keygen(1), section ALLOWED SIGNERS). */
export interface AllowedSigner {
  /** Who it stands for, as it is written: `ada@example.com`, `*@example.com`. */
  readonly principals: string
  /** The public key in the wire format of SSH. */
  readonly key: Uint8Array
  /** What it may sign; absent means anything. */
  readonly namespaces?: readonly string[]
  /** Epoch milliseconds; not valid before. */
  readonly validAfter?: number
  /** Epoch milliseconds; not valid from then on. */
  readonly validBefore?: number
}

const MAX_TEXT_LENGTH = 1024 * 1024
const linePattern =
  /^("(?:[^"]*)"|\S+)\s+(?:((?:[a-z-]+(?:="[^"]*")?)(?:,[a-z-]+(?:="[^"]*")?)*)\s+)?(\S+)\s+([A-Za-z0-9+/=]+)(?:\s.*)?$/

/**
 * Reads an `allowed_signers` file. Times without a zone are UTC, on every machine. Throws
 * `CONFIG_INVALID`, naming the line, for anything that cannot be honoured, `cert-authority`
 * included: a line that was skipped in silence would be a surprise either way.
 */
export function parseAllowedSigners(text: string): readonly AllowedSigner[] {
  if (text.length > MAX_TEXT_LENGTH) throw invalid(1, `the file is longer than ${MAX_TEXT_LENGTH} characters`)
  const lines = text.split(/\r?\n/).map((line, index) => ({ line: line.trim(), at: index + 1 }))
  return lines.filter(({ line }) => line !== '' && !line.startsWith('#')).map(({ line, at }) => parseLine(line, at))
}

function parseLine(line: string, at: number): AllowedSigner {
  const [whole, principals = '', options, type = '', encoded = ''] = splitLine(line)
  if (whole === undefined) throw invalid(at, 'it is not "principals [options] key-type key"')
  const key = fromBase64(encoded)
  if (!isKnownKeyType(type)) throw invalid(at, `the key type ${JSON.stringify(type)} is not supported`)
  if (key === undefined || keyTypeOf(key) !== type) throw invalid(at, 'the key cannot be read')
  return { principals: principals.replaceAll('"', ''), key, ...parseOptions(options ?? '', at) }
}

/** Options are told from a key type by what follows, so the form with a key type directly is tried first. */
function splitLine(line: string): readonly (string | undefined)[] {
  const plain = /^("[^"]*"|\S+)\s+(\S+)\s+([A-Za-z0-9+/=]+)(?:\s.*)?$/.exec(line)
  if (plain?.[2] !== undefined && isKnownKeyType(plain[2])) return [plain[0], plain[1], undefined, plain[2], plain[3]]
  return linePattern.exec(line) ?? []
}

function keyTypeOf(key: Uint8Array): string | undefined {
  try {
    return wireReader(key).text()
  } catch {
    // Truncated: no type can be read, which the caller reports with the line.
    return undefined
  }
}

type Options = Pick<AllowedSigner, 'namespaces' | 'validAfter' | 'validBefore'>

function parseOptions(text: string, at: number): Options {
  const options = [...text.matchAll(/([a-z-]+)(?:="([^"]*)")?/g)].map(([, name = '', value]) => option(name, value, at))
  return Object.assign({}, ...options)
}

function option(name: string, value: string | undefined, at: number): Options {
  if (name === 'cert-authority') throw invalid(at, 'certificates are not supported; list the keys themselves')
  if (value === undefined) throw invalid(at, `the option ${name} is not supported or has no value`)
  if (name === 'namespaces') return { namespaces: value.split(',').map((part) => part.trim()) }
  if (name === 'valid-after') return { validAfter: timeOf(value, at) }
  if (name === 'valid-before') return { validBefore: timeOf(value, at) }
  throw invalid(at, `the option ${name} is not supported`)
}

/** `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, optionally with `Z`. */
function timeOf(value: string, at: number): number {
  const match = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?Z?$/.exec(value)
  const time = match === null ? undefined : utcTime(match.slice(1).map((part) => Number(part ?? 0)))
  if (time === undefined)
    throw invalid(at, `${JSON.stringify(value)} is not a time such as 20300131 or 20300131235959Z`)
  return time
}

function invalid(line: number, why: string): GitOpsError {
  return new GitOpsError('CONFIG_INVALID', `Line ${line} of the allowed signers cannot be used: ${why}.`, {
    details: { line },
  })
}
