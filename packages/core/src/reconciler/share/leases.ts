import type { Claim, Held, Queue } from '../../queue/queue.ts'
import { type Call, type Fence, withDeadline } from '../../runtime/call.ts'
import type { Timer } from '../../runtime/clock.ts'
import { GitOpsError } from '../../runtime/errors.ts'

/** The claims this process holds, kept alive as long as the store can be reached. */
export interface Leases {
  /** Keeps `claim`, which was asked for at `askedMs` (monotonic), until it is let go or lost. */
  hold(claim: Claim, askedMs: number, listener: LeaseListener): Lease
  letGo(key: string): void
  /** Stops asking; what is held runs out by itself. */
  stop(): void
}

/** Who is told what becomes of a claim. */
interface LeaseListener {
  /** Somebody else has it, or it ran out. */
  readonly lost: (error: GitOpsError) => void
  /** Something newer is wanted than what the claim covers. */
  readonly news?: () => void
}

/** One claim and the right to write that goes with it. */
export interface Lease {
  readonly claim: Claim
  readonly fence: Fence
}

interface Kept extends Lease {
  readonly listener: LeaseListener
  /** When the lease was last asked for, in monotonic milliseconds: it began no earlier. */
  askedMs: number
  revision: number
  isLost: boolean
}

/** A writer stops at this part of the lease: what is on its way then still arrives in time. */
const WRITE_PART = 2 / 3

/** Leases are prolonged when this part of them is over. */
const EXTEND_PART = 1 / 4

export function createLeases(queue: Queue, call: Call, leaseMs: number): Leases {
  const { clock } = call
  const held = new Map<string, Kept>()
  let timer: Timer | undefined

  const extendAll = async (): Promise<void> => {
    const mine = [...held.values()]
    const askedMs = clock.monotonic()
    const deadlineMs = leaseMs * EXTEND_PART
    const extended = await withDeadline(call, deadlineMs, 'Prolonging the claims of this process', (timed) =>
      queue.extend(mine.map(heldOf), leaseMs, timed),
    )
    const known = new Map(extended.map((each) => [each.key, each]))
    for (const each of mine) {
      const still = known.get(each.claim.key)
      if (still === undefined) lose(each)
      else keep(each, askedMs, still.revision)
    }
  }
  const keep = (each: Kept, askedMs: number, revision: number): void => {
    each.askedMs = askedMs
    const isNews = revision > each.revision
    each.revision = revision
    if (isNews) each.listener.news?.()
  }
  const lose = (each: Kept): void => {
    if (each.isLost || held.get(each.claim.key) !== each) return
    each.isLost = true
    held.delete(each.claim.key)
    each.listener.lost(lost(each.claim))
  }
  const loseExpired = (): void => {
    for (const each of held.values()) if (clock.monotonic() >= each.askedMs + leaseMs) lose(each)
  }
  const beat = (): void => {
    const mine = clock.setTimer(leaseMs * EXTEND_PART, () => {
      extendAll()
        .catch((error: unknown) => call.log.warn('The claims of this process could not be prolonged yet.', error))
        .finally(() => {
          loseExpired()
          // Everything may have been let go meanwhile, and something new be held with a beat of its own.
          if (timer === mine) beat()
        })
    })
    timer = mine
  }
  return {
    hold: (claim, askedMs, listener) => {
      const fence: Fence = { token: claim.token, assertHeld: () => assertHeld(kept, clock.monotonic(), leaseMs) }
      const kept: Kept = { claim, fence, listener, askedMs, revision: claim.revision, isLost: false }
      held.set(claim.key, kept)
      if (timer === undefined) beat()
      return kept
    },
    letGo: (key) => {
      held.delete(key)
      if (held.size > 0) return
      timer?.cancel()
      timer = undefined
    },
    stop: () => {
      timer?.cancel()
      timer = undefined
    },
  }
}

function heldOf({ claim: { key, token } }: Lease): Held {
  return { key, token }
}

function assertHeld({ claim, isLost, askedMs }: Kept, nowMs: number, leaseMs: number): void {
  if (isLost || nowMs >= askedMs + leaseMs * WRITE_PART) throw lost(claim)
}

function lost({ key, token }: Held): GitOpsError {
  const message = `The claim of ${key} (token ${token}) is lost or about to be. Nothing more is written; another process goes on.`
  return new GitOpsError('LEDGER_FENCED', message, { details: { token } })
}
