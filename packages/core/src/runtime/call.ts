import { type Clock, systemClock } from './clock.ts'
import { GitOpsError } from './errors.ts'
import { type Logger, silentLog } from './log.ts'
import { type Random, systemRandom } from './random.ts'

/** What every operation of a port receives: how to stop, what time it is, where to write. */
export interface Call {
  /** Aborts when the caller no longer wants the answer. Every wait listens to it. */
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly log: Logger
  readonly random: Random
  /** Receives the progress of long work (a clone, a first list, an apply). Never throws. */
  readonly progress?: (progress: Progress) => void
}

/** How far long work has come. `total` is absent while it is not known. */
export interface Progress {
  /** A short verb phrase for a person: `receiving objects`. */
  readonly activity: string
  readonly done: number
  readonly total?: number
  /** What `done` and `total` count: `objects`, `bytes`, `resources`. */
  readonly unit: string
}

/** A call made on behalf of one application. The verbs of a target receive it. */
export interface RunCall extends Call {
  /** The name of the application. */
  readonly application: string
  /** Outputs of the applications this one depends on, by application name, then output name. */
  readonly inputs: Inputs
  /** Proof that this process still holds the application; absent where a single process runs. */
  readonly fence?: Fence
  /**
   * The same object in all calls for the application while this process has it, and in no others: what a target remembers
   * of it from run to run is kept in a `WeakMap` by this, and goes with it. Absent: nothing is remembered.
   */
  readonly lifetime?: object
}

/** Values that other applications published, by application name, then output name. */
export type Inputs = Readonly<Record<string, Outputs>>

/** Values an application publishes for those that depend on it. */
export type Outputs = Readonly<Record<string, Output>>

/** One published value. */
export interface Output {
  readonly value: unknown
  /** The value must not leave the process in plans, events, logs or history. */
  readonly sensitive?: boolean
}

/** The right to write for one application. A later holder has a larger token. */
export interface Fence {
  /** Rises strictly with every claim of the application; a target that can compare it refuses a smaller one. */
  readonly token: number
  /** Throws `LEDGER_FENCED` when the right is lost or about to be. Called before every write. */
  assertHeld(): void
}

/** A call with the machine's clock and randomness, no log and no end, where nothing else is given. */
export function createCall(given: Partial<Call> = {}): Call {
  return {
    signal: new AbortController().signal,
    clock: systemClock,
    log: silentLog,
    random: systemRandom,
    ...given,
  }
}

/** Throws `CANCELLED` when the call was aborted, with the reason of the abort as its cause. */
export function throwIfAborted(call: Pick<Call, 'signal'>): void {
  if (call.signal.aborted) throw abortError(call.signal)
}

/** The error for an aborted signal: the reason itself when it is ours, `CANCELLED` otherwise. */
export function abortError(signal: AbortSignal): GitOpsError {
  if (signal.reason instanceof GitOpsError) return signal.reason
  return new GitOpsError('CANCELLED', 'The operation was cancelled by its caller.', { cause: signal.reason })
}

/** Resolves after `delayMs` on the call's clock; rejects as soon as the call is aborted. */
export function sleep(delayMs: number, call: Pick<Call, 'signal' | 'clock'>): Promise<void> {
  return new Promise((resolve, reject) => {
    if (call.signal.aborted) return reject(abortError(call.signal))
    const onAbort = (): void => {
      timer.cancel()
      reject(abortError(call.signal))
    }
    const timer = call.clock.setTimer(delayMs, () => {
      call.signal.removeEventListener('abort', onAbort)
      resolve()
    })
    call.signal.addEventListener('abort', onAbort, { once: true })
  })
}

/**
 * Runs `work` with a call that aborts after `deadlineMs` as well, and when `work` fails. Rejects with `DEADLINE_EXCEEDED`,
 * naming `activity`, when the time is up, also if `work` ignores its signal.
 */
export async function withDeadline<C extends Call, T>(
  call: C,
  deadlineMs: number,
  activity: string,
  work: (call: C) => Promise<T>,
): Promise<T> {
  throwIfAborted(call)
  const controller = new AbortController()
  // One promise and one listener, made by hand: every question to a ledger, a source or a target passes through here.
  return new Promise<T>((resolve, reject) => {
    const end = (): void => {
      timer.cancel()
      call.signal.removeEventListener('abort', onAbort)
    }
    const fail = (error: unknown): void => {
      end()
      // Whatever the work still has under way must not go on behind its caller's back.
      controller.abort(error)
      reject(error)
    }
    const succeed = (result: T): void => {
      end()
      resolve(result)
    }
    const onAbort = (): void => fail(abortError(call.signal))
    const timer = call.clock.setTimer(deadlineMs, () => {
      const message = `${activity} took longer than ${deadlineMs} ms and was given up.`
      fail(new GitOpsError('DEADLINE_EXCEEDED', message))
    })
    call.signal.addEventListener('abort', onAbort, { once: true })
    try {
      Promise.resolve(work({ ...call, signal: controller.signal })).then(succeed, fail)
    } catch (error) {
      fail(error)
    }
  })
}
