import { type Call, sleep } from '../../runtime/call.ts'
import { GitOpsError } from '../../runtime/errors.ts'

/** How a failed request is tried again within one call. */
export interface GitRetry {
  /** Tries in all, the first one included. @defaultValue 3 */
  readonly maxAttempts: number
  /** Wait before the second try; doubles, with jitter. @defaultValue 250 */
  readonly baseDelayMs: number
  /** The longest wait within a call. Who is asked to wait longer gets the error at once. @defaultValue 5_000 */
  readonly maxDelayMs: number
}

/** What is done where nothing else is given. */
export const defaultRetry: GitRetry = { maxAttempts: 3, baseDelayMs: 250, maxDelayMs: 5_000 }

/** After this many refusals in a row the server is asked at most once a minute. */
const PATIENCE = 5
const REFUSED_INTERVAL_MS = 60_000

/** Keeps a promise to a server: not to come back before it allowed it. */
export interface Gate {
  pass<T>(call: Call, work: () => Promise<T>): Promise<T>
}

/**
 * Tries again what may pass, obeys `Retry-After` across calls, and does not hammer a server that
 * refuses credentials.
 */
export function createGate(retry: GitRetry): Gate {
  let closedUntil = 0
  let closedBy: GitOpsError | undefined
  let refusals = 0
  const close = (error: GitOpsError, forMs: number, call: Call): void => {
    closedUntil = call.clock.monotonic() + forMs
    closedBy = error
  }
  const note = (error: unknown, call: Call): void => {
    if (!(error instanceof GitOpsError)) return
    if (error.retryAfterMs !== undefined) close(error, error.retryAfterMs, call)
    refusals = error.code === 'SOURCE_AUTH' ? refusals + 1 : 0
    if (refusals >= PATIENCE) close(error, REFUSED_INTERVAL_MS, call)
  }
  return {
    pass: async (call, work) => {
      if (closedBy !== undefined && call.clock.monotonic() < closedUntil) throw stillClosed(closedBy, closedUntil, call)
      try {
        const result = await withRetries(retry, call, work)
        refusals = 0
        closedBy = undefined
        return result
      } catch (error) {
        note(error, call)
        throw error
      }
    },
  }
}

function stillClosed(error: GitOpsError, until: number, call: Call): GitOpsError {
  const retryAfterMs = Math.ceil(until - call.clock.monotonic())
  return new GitOpsError(error.code, `${error.message} It is not asked again for ${retryAfterMs} ms.`, {
    cause: error,
    retryAfterMs,
    details: error.details,
  })
}

async function withRetries<T>(retry: GitRetry, call: Call, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (error) {
      const delayMs = delayBefore(error, attempt, retry, call)
      if (attempt >= retry.maxAttempts || delayMs === undefined) throw error
      await sleep(delayMs, call)
    }
  }
}

/** `undefined` when trying again at once cannot help. */
function delayBefore(error: unknown, attempt: number, retry: GitRetry, call: Call): number | undefined {
  if (!(error instanceof GitOpsError)) return undefined
  if (error.code !== 'SOURCE_UNREACHABLE' && error.code !== 'SOURCE_THROTTLED') return undefined
  const delayMs = error.retryAfterMs ?? retry.baseDelayMs * 2 ** (attempt - 1) * (0.5 + call.random.next())
  return delayMs <= retry.maxDelayMs ? delayMs : undefined
}
