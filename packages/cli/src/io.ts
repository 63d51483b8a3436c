/** What the command line is given from outside; a test or a program passes its own. */
export interface Io {
  /** Receives what was asked for. */
  readonly out: (text: string) => void
  /** Receives errors and progress. */
  readonly err: (text: string) => void
  /** Where the configuration is looked for. */
  readonly cwd: string
  /** Colour is for people; none is written when this is false. */
  readonly colour: boolean
  /** A bar that is drawn over itself while long work goes on; none is drawn when this is false. */
  readonly progress: boolean
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal
  /** Who is asking, for approvals and the audit log. */
  readonly user: string
}

/** 0 well, 1 failed, 2 drift or pending changes, 3 a wait took too long. */
export type ExitCode = 0 | 1 | 2 | 3
