import type { ChildProcess } from 'node:child_process'
import type { Clock } from '../clock.ts'
import type { GitOpsError } from '../errors.ts'

/** Ends a process and everything it started, politely first. */
export interface Stopper {
  /** Why it was stopped; the first reason counts. */
  reason(): GitOpsError | undefined
  /** Sends `SIGINT` to the whole group, `SIGKILL` after the grace time. */
  stop(reason: GitOpsError): void
  /** Ends what the process left behind. Called once it has exited. */
  sweep(): void
}

/** A stopper for `child`, which must have been started as the leader of its own process group. */
export function createStopper(child: ChildProcess, graceMs: number, clock: Clock): Stopper {
  let reason: GitOpsError | undefined
  return {
    reason: () => reason,
    stop: (given) => {
      if (reason !== undefined) return
      reason = given
      signalGroup(child, 'SIGINT')
      const timer = clock.setTimer(graceMs, () => signalGroup(child, 'SIGKILL'))
      child.once('exit', () => timer.cancel())
    },
    sweep: () => signalGroup(child, 'SIGKILL'),
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  if (process.platform === 'win32') return void child.kill(signal)
  try {
    process.kill(-child.pid, signal)
  } catch {
    // ESRCH: every member of the group has ended, which is what was asked for.
  }
}
