import { GitOpsError } from './errors.ts'
import type { Logger } from './log.ts'
import { MASK, Secret } from './secret.ts'

/** Takes known secrets out of whatever is about to leave the process. */
export interface Redactor {
  /** From now on this value is taken out too. Values of fewer than 4 characters are too common to find. */
  add(secret: Secret | string): void
  /** `text` with `***` for every secret: as it is, percent-encoded, inside JSON strings, and in Base64 at any offset. */
  text(text: string): string
  /** A copy of plain data (objects, arrays, maps, sets, errors) without secrets; itself where there is none. */
  value<T>(value: T): T
  /** The same error without secrets in message, details, stack and causes. */
  error(error: GitOpsError): GitOpsError
  /** A logger that writes to `log` what is left. */
  logger(log: Logger): Logger
}

const MIN_SECRET_LENGTH = 4
const MIN_LINE_LENGTH = 12
const MAX_DEPTH = 100

/** A redactor of these secrets. It is the last line: what is known to be secret by its place never gets this far. */
export function createRedactor(secrets: Iterable<Secret | string> = []): Redactor {
  const forms = new Set<string>()
  let pattern: RegExp | undefined
  const add = (secret: Secret | string): void => {
    for (const form of formsOf(secret instanceof Secret ? secret.reveal() : secret)) forms.add(form)
    pattern = patternOf(forms)
  }
  const text = (given: string): string => (pattern === undefined ? given : given.replace(pattern, MASK))
  for (const secret of secrets) add(secret)
  return {
    add,
    text,
    value: (value) => clean(value, text, 0),
    error: (error) => cleanGitOpsError(error, text, 0),
    logger: (log) => redactedLog(log, text),
  }
}

/** Every way in which a secret is commonly written down. */
function formsOf(secret: string): readonly string[] {
  const lines = secret.split(/\r?\n/).filter((line) => line.trim().length >= MIN_LINE_LENGTH)
  const written = [secret, secret.trim(), ...lines].filter((form) => form.length >= MIN_SECRET_LENGTH)
  const spelled = written.flatMap((form) => [form, JSON.stringify(form).slice(1, -1), percentEncoded(form)])
  return [...spelled, ...base64Forms(secret)]
}

function percentEncoded(text: string): string {
  // A lone surrogate cannot be encoded; nobody writes one into a URL.
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'))
}

/** The Base64 digits that `secret` alone decides, for each of the three offsets it can stand at in a longer text. */
function base64Forms(secret: string): readonly string[] {
  const bytes = new TextEncoder().encode(secret)
  if (bytes.length < 6) return secret.length >= MIN_SECRET_LENGTH ? [base64(bytes)] : []
  return [0, 1, 2].flatMap((offset) => {
    const digits = base64(new Uint8Array([...new Uint8Array(offset), ...bytes]))
    const from = Math.ceil((offset * 8) / 6)
    const inside = digits.slice(from, Math.floor(((offset + bytes.length) * 8) / 6))
    return [inside, inside.replaceAll('+', '-').replaceAll('/', '_')]
  })
}

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/** Literal alternatives, longest first: no backtracking beyond the length of one of them. */
function patternOf(forms: ReadonlySet<string>): RegExp | undefined {
  if (forms.size === 0) return undefined
  const literals = [...forms].toSorted((left, right) => right.length - left.length)
  return new RegExp(literals.map((form) => form.replace(/[$()*+.?[\\\]^{|}/-]/g, '\\$&')).join('|'), 'g')
}

type Clean = (text: string) => string

// The result has the type of the value: strings stay strings and every container keeps its kind.
function clean<T>(value: T, text: Clean, depth: number): T
function clean(value: unknown, text: Clean, depth: number): unknown {
  if (typeof value === 'string') return text(value)
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value
  if (depth > MAX_DEPTH) return MASK
  const next = <V>(member: V): V => clean(member, text, depth + 1)
  if (value instanceof GitOpsError) return cleanGitOpsError(value, text, depth)
  if (value instanceof Error) return cleanError(value, text, depth)
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [next(key), next(member)]))
  if (value instanceof Set) return new Set([...value].map(next))
  if (Array.isArray(value)) return shared(value, value.map(next))
  return isPlain(value) ? cleanObject(value, text, next) : value
}

function cleanObject(value: object, text: Clean, next: <V>(member: V) => V): object {
  const before = Object.entries(value)
  const after = before.map(([key, member]): [string, unknown] => [text(key), next(member)])
  const isSame = after.every(([key, member], index) => key === before[index]?.[0] && member === before[index]?.[1])
  return isSame ? value : Object.fromEntries(after)
}

function shared(before: readonly unknown[], after: readonly unknown[]): readonly unknown[] {
  return after.every((member, index) => member === before[index]) ? before : after
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function cleanGitOpsError(error: GitOpsError, text: Clean, depth: number): GitOpsError {
  const { code, retryable, retryAfterMs } = error
  const cleaned = new GitOpsError(code, text(error.message), {
    retryable,
    details: clean(error.details, text, depth + 1),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(error.cause === undefined ? {} : { cause: clean(error.cause, text, depth + 1) }),
  })
  return withStack(cleaned, error, text)
}

/** Other errors carry whatever their library hangs on them, so only what is known to be text is kept. */
function cleanError(error: Error, text: Clean, depth: number): Error {
  const cause = error.cause === undefined ? {} : { cause: clean(error.cause, text, depth + 1) }
  const cleaned = new Error(text(error.message), cause)
  cleaned.name = error.name
  return withStack(cleaned, error, text)
}

function withStack<E extends Error>(cleaned: E, error: Error, text: Clean): E {
  if (error.stack !== undefined) cleaned.stack = text(error.stack)
  return cleaned
}

function redactedLog(log: Logger, text: Clean): Logger {
  const fields = (given: readonly unknown[]): readonly unknown[] => given.map((field) => clean(field, text, 0))
  return {
    debug: (message, ...given) => log.debug(text(message), ...fields(given)),
    info: (message, ...given) => log.info(text(message), ...fields(given)),
    warn: (message, ...given) => log.warn(text(message), ...fields(given)),
    error: (message, ...given) => log.error(text(message), ...fields(given)),
  }
}
