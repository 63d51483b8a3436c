import type { Reconciler, ReconcilerOptions } from '@gitops-sdk/core'
import type { ExitCode, Io } from './io.ts'
import type { Print } from './print.ts'

/** The values of the options, by name. */
export type Values = Readonly<Record<string, string | boolean | undefined>>

/** What a command runs with. */
export interface Run {
  readonly io: Io
  readonly print: Print
  readonly config: ReconcilerOptions
  readonly reconciler: Reconciler
  /** The applications that were named, or all of them. */
  readonly applications: readonly string[]
  readonly values: Values
  /** What stands after the application. */
  readonly operand: string | undefined
}

/** One command. Parser, help and completion read it from here. */
export interface Command {
  readonly name: string
  readonly summary: string
  /** What stands after the name: any number of applications, or one and something else. */
  readonly operands: '[application …]' | `<application> <${string}>`
  readonly options: Readonly<Record<string, Option>>
  /** True for a command that only looks. */
  readonly readOnly: boolean
  readonly run: (run: Run) => Promise<ExitCode>
}

/** One option of a command. */
export interface Option {
  readonly type: 'string' | 'boolean'
  readonly summary: string
  /** What stands for the value in the help. */
  readonly value?: string
}

/** Options that every command takes. */
export const commonOptions: Readonly<Record<string, Option>> = {
  config: { type: 'string', value: 'file', summary: 'the configuration (default: gitops.config.ts)' },
  json: { type: 'boolean', summary: 'write JSON instead of text' },
  help: { type: 'boolean', summary: 'say what the command does' },
}

/** Options of the commands that wait. */
export const waitOptions: Readonly<Record<string, Option>> = {
  wait: { type: 'boolean', summary: 'go on until it is ready: retries, dependencies, approvals, windows' },
  timeout: { type: 'string', value: 'seconds', summary: 'how long to wait at most (default: 600)' },
}
