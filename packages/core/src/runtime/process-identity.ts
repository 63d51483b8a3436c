import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'

/** One process, told apart from all others that run or ran elsewhere, or here before. */
export interface ProcessIdentity {
  readonly pid: number
  readonly host: string
  /** Tells one start of the machine from another; empty where it cannot be told. */
  readonly boot: string
  /** Tells containers apart, which number their processes each for itself; empty where it cannot be told. */
  readonly space: string
  /** Tells one process from a later one with the same number; empty where it cannot be told. */
  readonly start: string
}

/** This process. */
export async function describeSelf(): Promise<ProcessIdentity> {
  return {
    pid: process.pid,
    host: hostname(),
    boot: await textOf(readFile('/proc/sys/kernel/random/boot_id', 'utf8')),
    space: await textOf(readlink('/proc/self/ns/pid')),
    start: await startOf(process.pid),
  }
}

/** Whether a process still runs; `unknown` for one on another machine or in another container. */
export async function lifeOf(one: ProcessIdentity): Promise<'alive' | 'dead' | 'unknown'> {
  const self = await describeSelf()
  if (one.host !== self.host || one.boot !== self.boot || one.space !== self.space) return 'unknown'
  try {
    process.kill(one.pid, 0)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return 'dead'
  }
  const start = await startOf(one.pid)
  return start === '' || one.start === '' || start === one.start ? 'alive' : 'dead'
}

/** When a process started, in ticks since the machine did: field 22 of its `stat`, counted after its name. */
async function startOf(pid: number): Promise<string> {
  const stat = await textOf(readFile(`/proc/${pid}/stat`, 'utf8'))
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

/** Only Linux has these files; elsewhere a process number has to be enough. */
function textOf(reading: Promise<string>): Promise<string> {
  return reading.then(
    (text) => text.trim(),
    () => '',
  )
}
