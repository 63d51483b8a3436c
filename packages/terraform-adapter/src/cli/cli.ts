import type { Call, GitOpsError } from '@gitops-sdk/core'
import type { ProcessIdentity } from './identity.ts'

/** One command of the binary. */
export interface Command {
  /** Options this package wrote itself; values from outside never stand here. */
  readonly args: readonly string[]
  /** The working directory. */
  readonly folder: string
  /** All the process sees: nothing is inherited beside it. */
  readonly environment: Readonly<Record<string, string>>
  /**
   * Where its streams go. Files outlive this process, so a command that writes survives us; memory is for commands
   * that only read.
   */
  readonly streams: 'memory' | { readonly folder: string }
  /** Receives each line of standard output. */
  readonly onLine?: (line: string) => void
  /** Called as soon as it runs. */
  readonly onStarted?: (process: ProcessIdentity) => Promise<void>
  /** Between the one request to stop and the end by force. */
  readonly graceMs: number
}

/** How a command ended. */
export interface CommandEnd {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
  /** Whether it was asked to stop. */
  readonly stopped: boolean
  /** Why, where it was asked because it said too much. */
  readonly excess?: GitOpsError
}

/** Runs the binary. The one thing of this package that touches it, so that recordings can stand in its place. */
export interface Cli {
  readonly binary: string
  /** Runs to the end; an aborted call asks the command to stop once and waits for it. Rejects only when it cannot be started. */
  run(command: Command, call: Call): Promise<CommandEnd>
}
