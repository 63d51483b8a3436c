import { GitOpsError } from './errors.ts'

/** What stands in the place of a secret wherever it is printed. */
export const MASK = '***'

/**
 * A string that cannot be printed, serialised or cloned: everything but `reveal` gives `***`.
 *
 * It is held by a process, not protected from it: whoever can run code here can call `reveal`.
 */
export class Secret {
  readonly #value: string
  /** What a structured clone keeps. */
  readonly secret: string = MASK

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself. Call it where the value is used, and nowhere before. */
  reveal(): string {
    return this.#value
  }

  /** The mask. */
  toString(): string {
    return MASK
  }

  /** The mask. */
  toJSON(): string {
    return MASK
  }

  /** The mask, also where a number is wanted. */
  [Symbol.toPrimitive](): string {
    return MASK
  }

  // The mask, for `console.log` and `util.inspect`. The name of the member cannot be written in a declaration file.
  static {
    const inspect = Symbol.for('nodejs.util.inspect.custom')
    Object.defineProperty(Secret.prototype, inspect, { value: () => `Secret(${MASK})` })
  }
}

/**
 * The secret in the environment variable `name`. Throws `CONFIG_INVALID`, naming the variable, when
 * it is absent or blank: an empty credential is never taken for "no credential".
 */
export function environmentSecret(name: string, environment: Readonly<Record<string, string | undefined>>): Secret {
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined
  if (value === undefined || value.trim() === '')
    throw new GitOpsError('CONFIG_INVALID', `The environment variable ${name} is not set, or is blank.`)
  return new Secret(value)
}
