import { GitOpsError, toGitOpsError } from './errors.ts'

/**
 * Where the engine writes what a person may want to read later. `console`, pino and winston satisfy
 * it as they are. A message can be read alone; fields are plain data for a search. Neither carries a secret.
 *
 * `debug` helps to find a fault, `info` is worth knowing, `warn` went wrong and is handled, `error` needs somebody.
 */
export interface Logger {
  debug(message: string, ...fields: readonly unknown[]): void
  info(message: string, ...fields: readonly unknown[]): void
  warn(message: string, ...fields: readonly unknown[]): void
  error(message: string, ...fields: readonly unknown[]): void
  /** A logger whose lines carry these fields as well. Where there is none, fields are given after the message. */
  child?(fields: LogFields): Logger
}

/** What a line says besides its message: `application`, `runId`, `error`, and what the message is about. */
export type LogFields = Readonly<Record<string, unknown>>

type Level = 'debug' | 'info' | 'warn' | 'error'

const ignore = (): void => {}

/** Writes nothing. The default: a library is silent until it is asked to speak. */
export const silentLog: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }

/**
 * Writes to `log` with one object of fields, however its library wants them: pino drops what comes after a message, and
 * its children keep it. An error becomes plain data. A logger that fails has nowhere to be told, and changes nothing.
 */
export function structuredLog(log: Logger, common: LogFields = {}): Logger {
  const writeAt =
    (level: Level) =>
    (message: string, ...given: readonly unknown[]): void => {
      try {
        write(log, level, message, { ...common, ...fieldsOf(given) })
      } catch {
        // See above.
      }
    }
  return {
    debug: writeAt('debug'),
    info: writeAt('info'),
    warn: writeAt('warn'),
    error: writeAt('error'),
    child: (fields) => structuredLog(log, { ...common, ...fieldsOf([fields]) }),
  }
}

function write(log: Logger, level: Level, message: string, fields: LogFields): void {
  if (Object.keys(fields).length === 0) log[level](message)
  else if (log.child === undefined) log[level](message, fields)
  else log.child(fields)[level](message)
}

/** One object of everything that was given after a message. */
function fieldsOf(given: readonly unknown[]): LogFields {
  const parts = given.map((one): LogFields => {
    if (one instanceof Error) return { error: plainError(one) }
    if (typeof one !== 'object' || one === null) return { detail: one }
    return Object.fromEntries(Object.entries(one).map(([name, value]) => [name, plainValue(value)]))
  })
  return Object.assign({}, ...parts)
}

function plainValue(value: unknown): unknown {
  return value instanceof Error ? plainError(value) : value
}

/** What may be told of an error, and where in the code it came from. Causes may quote another system, and stay here. */
function plainError(error: Error): LogFields {
  const { code, message, retryable, details } = toGitOpsError(error, 'Something')
  const stack = error.stack?.split('\n').filter((line) => line.startsWith('    at '))
  const isKnown = error instanceof GitOpsError
  return {
    code,
    message: isKnown ? message : error.message,
    retryable,
    ...(Object.keys(details).length > 0 && { details }),
    // Where a failure is meant, its place in our code says nothing.
    ...(!isKnown && stack && { stack: stack.join('\n') }),
  }
}
