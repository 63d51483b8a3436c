import type { DesiredState } from '../desired/desired.ts'
import type { LedgerChange, LedgerRecord } from '../ledger/ledger.ts'
import type { Plan } from '../plan/plan.ts'
import type { Outputs } from '../runtime/call.ts'
import type { GitOpsError } from '../runtime/errors.ts'
import type { Redactor } from '../runtime/redactor.ts'
import type { Revision, Source } from '../source/source.ts'
import type { Target } from '../target/target.ts'
import type { Application } from './application.ts'
import type { Policy } from './policy/policy.ts'
import type { RunOptions, RunResult } from './run-result.ts'

/** One application while a reconciler has it: what is known between runs. Only the engine changes it. */
export interface Member {
  readonly name: string
  /** What targets remember it by: no other member has it. */
  readonly lifetime: object
  readonly application: Application
  readonly source: Source
  readonly target: Target
  readonly policy: Policy
  /** Knows the sensitive outputs that it receives. */
  readonly redactor: Redactor
  /** What the ledger knows of it was told. */
  remembered: boolean
  /** As it was last read or committed; absent when it must be read again. */
  record?: LedgerRecord | undefined
  /** The commit that others wait for. */
  committing?: Promise<void> | undefined
  /** What the end of the claim commits: the run that is ending. */
  closing?: Omit<LedgerChange, 'expect'> | undefined
  /** The newest revision of the source. */
  revision?: Revision | undefined
  /** The next run asks the source itself: it was asked for by somebody, and the source could not answer before. */
  asksAgain?: boolean | undefined
  /** Why the source did not say what is newest; the next run goes on with what was in force before. */
  unanswered?: GitOpsError | undefined
  /** The source may be at a commit that nobody has seen: one was made, or tried, since it was last asked. */
  headUnseen?: boolean | undefined
  /** The last declaration, and what it was made from. */
  declared?: Declared | undefined
  /** What was last applied completely. */
  applied?: DesiredState | undefined
  /** What was found to need nothing; a run that finds the same again does nothing. */
  settled?: Settled | undefined
  /** A failure that trying again cannot mend, and the declarations it is about. */
  stuck?: { readonly basis: Basis; readonly error: GitOpsError } | undefined
  /** The plan that waits for an approval. */
  pending?: Plan | undefined
  outputs?: Outputs | undefined
  /** The revision whose outputs another process published and this one read. */
  outputsOf?: string | undefined
  /** The token of the claim under which it was last worked on here. */
  lastToken?: number | undefined
  /** Something in the target may have changed since it was last observed. */
  hinted: boolean
  /** Monotonic milliseconds after which the target is observed although nothing hints at a change. */
  driftDueMs: number
  /** Failed runs in a row at the same declarations. */
  failures: number
  /** The run in progress. */
  run?: CurrentRun | undefined
  /** The commit that the last rollback made, and what it went back to. */
  reverted?: { readonly to: string; readonly commit: string } | undefined
  /** The commit of a rollback that is being made. */
  reverting?:
    | { readonly to: Revision; readonly written: Promise<{ commit: Revision } | { pending: GitOpsError }> }
    | undefined
  /** Callers of `reconcile` that wait for the next run. */
  asked: Asked[]
  /** Called by a hint, to wake a wait for health. */
  readonly wakeUps: Set<() => void>
  /** Ends the watch of the target. */
  stopWatch?: (() => void) | undefined
  /** Digest of the declarations that the watch was started for. */
  watchedDigest?: string | undefined
  /** What the reconciler is about to do with it, other than converge. */
  leaving?: 'destroy' | undefined
}

/** What a declaration is made from: equal means the same would be declared. */
export interface Basis {
  readonly snapshotDigest: string
  readonly inputsDigest: string
}

interface Declared extends Basis {
  readonly desired: DesiredState
}

interface Settled extends Basis {
  readonly digest: string
  readonly version: string
}

export interface CurrentRun {
  readonly id: string
  readonly controller: AbortController
  revision?: Revision
  basis?: Basis
}

/** A caller that waits for the next run. */
export interface Asked {
  /** The source was asked since, so that a run that begins now works on what is there now. */
  isReady: boolean
  readonly options: RunOptions
  readonly settle: (result: RunResult) => void
  readonly fail: (error: GitOpsError) => void
}

/** Whether two declarations are made from the same. */
export function sameBasis(left: Basis | undefined, right: Basis): boolean {
  return left !== undefined && left.snapshotDigest === right.snapshotDigest && left.inputsDigest === right.inputsDigest
}
