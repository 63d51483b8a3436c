/**
 * Where the engine writes what a person may want to read later. `console`, pino and winston satisfy
 * it as they are. Messages and fields carry no secret.
 */
export interface Logger {
  debug(message: string, ...fields: readonly unknown[]): void
  info(message: string, ...fields: readonly unknown[]): void
  warn(message: string, ...fields: readonly unknown[]): void
  error(message: string, ...fields: readonly unknown[]): void
}

const ignore = (): void => {}

/** Writes nothing. The default: a library is silent until it is asked to speak. */
export const silentLog: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore }
