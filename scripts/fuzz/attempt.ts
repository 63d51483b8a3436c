import type { FuzzTarget } from './targets.ts'

/** More processor time than this for one small input is a hang. */
const SLOW_MS = 1_000

/** An error for what must not happen with `bytes`; `undefined` where they are taken, or refused with a code. */
export async function attempt(target: FuzzTarget, bytes: Uint8Array): Promise<Error | undefined> {
  const problem = await outcome(target, bytes)
  if (Object.keys(Object.prototype).length > 0) return new Error('Object.prototype was changed')
  return problem
}

/** As `attempt`; what takes long is a problem too. A busy machine is none: the processor time of a second try counts. */
export async function timedAttempt(target: FuzzTarget, bytes: Uint8Array): Promise<Error | undefined> {
  const startedMs = performance.now()
  const problem = await attempt(target, bytes)
  if (problem !== undefined || performance.now() - startedMs <= SLOW_MS) return problem
  const before = process.cpuUsage()
  await attempt(target, bytes)
  const { user, system } = process.cpuUsage(before)
  const ms = (user + system) / 1000
  return ms > SLOW_MS ? new Error(`took ${Math.round(ms)} ms`) : undefined
}

async function outcome(target: FuzzTarget, bytes: Uint8Array): Promise<Error | undefined> {
  try {
    await target.run(bytes)
    return undefined
  } catch (error) {
    // Instrumented, the library is another copy with a class of its own.
    const code = error instanceof Error && error.name === 'GitOpsError' && 'code' in error ? error.code : 'INTERNAL'
    if (code !== 'INTERNAL') return undefined
    return error instanceof Error ? error : new Error(String(error))
  }
}
