import type { Call } from '@gitops-sdk/core'

/** Gives the token of a request. `renew` is true after the server refused the last one. */
export type Token = (renew: boolean, call: Call) => Promise<string>

/** A token and its end. */
export interface Credential {
  readonly token: string
  /** Epoch milliseconds; absent where no end is named. */
  readonly expiresAt: number | undefined
}

/** A token is renewed this long before its end, so that none expires on its way. */
const SKEW_MS = 30_000

/** Whoever asks while a token is fetched waits for that one. What fails is tried again by the next one who asks. */
export function sharedUntilExpiry(fetch: (call: Call) => Promise<Credential>, first?: Credential): Token {
  let known = first
  let running: Promise<Credential> | undefined
  return async (renew, call) => {
    const isFresh = known?.expiresAt === undefined || known.expiresAt - SKEW_MS > call.clock.now()
    if (known !== undefined && isFresh && !renew) return known.token
    // The run is not ended with the request that began it: others wait for it, and it has a deadline of its own.
    running ??= fetch({ ...call, signal: new AbortController().signal }).finally(() => {
      running = undefined
    })
    known = await running
    return known.token
  }
}
