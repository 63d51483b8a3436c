import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** Names one process for good: a number alone is given to another one later. */
export interface ProcessIdentity {
  readonly pid: number
  /** What distinguishes it from a later process of the same number; empty where the system does not tell. */
  readonly startedAt: string
  readonly host: string
}

/** What becomes of a process: `unknown` on another machine, of which this one can prove nothing. */
export type Life = 'alive' | 'dead' | 'unknown'

/** The identity of a process that runs now. */
export function identify(pid: number): ProcessIdentity {
  return { pid, startedAt: startOf(pid) ?? '', host: hostname() }
}

/** Whether the process still runs. `dead` is proof. */
export function lifeOf({ pid, startedAt, host }: ProcessIdentity): Life {
  if (host !== hostname()) return 'unknown'
  if (!exists(pid)) return 'dead'
  const now = startOf(pid)
  if (now === undefined) return process.platform === 'linux' ? 'dead' : 'alive'
  return startedAt === '' || now === startedAt ? 'alive' : 'dead'
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** The boot and tick in which a process was started, from procfs. Absent for one that ended, also while nobody reaped it. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name of the program stands in parentheses and may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${fields[19] ?? ''}`
  } catch {
    return undefined
  }
}
