import { type ErrorRecord, type GitOpsError, errorCodes } from '@gitops-sdk/core'
import type { Io } from './io.ts'

/** Writes what a command found: text for a person, or JSON for a program. Never both. */
export interface Print {
  readonly colour: boolean
  readonly json: boolean
  /** For a person. */
  text(text: string): void
  /** For a program: the one value of the command, or one line of many. */
  value(value: unknown, options?: { readonly line?: boolean }): void
  bold(text: string): string
  /** Green where it is well, red where it failed, yellow where somebody should look. */
  mark(text: string, as: 'well' | 'failed' | 'look'): string
}

/** Writes to `io`. */
export function createPrint(io: Io, json: boolean): Print {
  const paint = (code: number, text: string): string => (io.colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const codes = { well: 32, failed: 31, look: 33 }
  return {
    colour: io.colour,
    json,
    text: (text) => {
      if (!json) io.out(`${text}\n`)
    },
    value: (value, { line = false } = {}) => {
      if (json) io.out(`${JSON.stringify(value, undefined, line ? undefined : 2)}\n`)
    },
    bold: (text) => paint(1, text),
    mark: (text, as) => paint(codes[as], text),
  }
}

/** An error as two lines: what is wrong, and the next step. */
export function errorText({ code, message }: ErrorRecord): string {
  return `${message} (${code})\n${errorCodes[code].remedy}`
}

/** Writes an error where this output expects it, and says which exit code it means. */
export function printError(io: Io, print: Print, error: GitOpsError): 1 | 3 {
  if (print.json) print.value({ error: error.toJSON() })
  else io.err(`${print.mark('error', 'failed')} ${errorText(error)}\n`)
  return isTimeout(error) ? 3 : 1
}

/** Whether something was waited for in vain. */
export function isTimeout({ code }: Pick<ErrorRecord, 'code'>): boolean {
  return code === 'DEADLINE_EXCEEDED' || code === 'HEALTH_DEADLINE'
}
