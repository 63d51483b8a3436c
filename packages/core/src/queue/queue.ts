import type { Call } from '../runtime/call.ts'
import type { Json } from '../runtime/json.ts'

/**
 * Which keys have to be looked at, and who does it: shared by any number of processes.
 *
 * A key is handed out to one worker at a time, as a claim with a lease and a token. The token is the time of the store in
 * milliseconds, or one more than the token before where that is larger: it rises with every claim of the key and never
 * goes back, also after a restart, a restored backup or when the key was forgotten. Whoever holds an older one is refused. At-least-once: an enqueue that resolved leads
 * to a completion of a claim that was made after it, or of one that covers its revision.
 *
 * Time is that of the store, so the clocks of the workers do not matter. Each method is atomic; one that
 * rejects with `LEDGER_UNAVAILABLE` may have happened or not, and is safe to call again.
 */
export interface Queue {
  /** How long a claim lasts without a sign of life, in milliseconds. @defaultValue 30_000 */
  readonly leaseMs?: number
  /**
   * Makes keys due. Wakes of one key coalesce: to the newest revision, the earliest time, the highest priority.
   * A wake while the key is claimed leaves the lease as it is and leads to one more claim afterwards.
   */
  enqueue(wakes: readonly Wake[], call: Call): Promise<void>
  /** Takes due keys, most urgent first, at most `limit`. A key whose lease ran out is due again, as urgent as it was. */
  claim(request: ClaimRequest, call: Call): Promise<readonly Claim[]>
  /** Prolongs leases, from now on. Returns the keys that are still held with what became of them; the others are lost. */
  extend(claims: readonly Held[], leaseMs: number, call: Call): Promise<readonly Extended[]>
  /** Ends claims whose work is done. Returns the keys of those that were accepted; a claim that was lost changes nothing. */
  complete(completions: readonly Completion[], call: Call): Promise<readonly string[]>
  /** Gives claims back with the work not done, as urgent as it was. Returns the keys of those that were accepted. */
  release(releases: readonly Release[], call: Call): Promise<readonly string[]>
  /** Nothing is due any more for these keys, and claims in force are lost. Tokens go on rising. */
  forget(keys: readonly string[], call: Call): Promise<void>
  /**
   * To be called once, after a backup of the store was put back and before anybody works on it: nobody holds anything, and
   * every key is due.
   */
  afterRestore(call: Call): Promise<void>
  /** The keys as they are, sorted. */
  items(query: ItemQuery, call: Call): Promise<readonly QueueItem[]>
  /**
   * Yields when something may have become due. Hints may be late, doubled or lost: whoever relies on the queue asks
   * again by itself at least every second. Ends only when `call` is aborted or on an error.
   */
  hints?(call: Call): AsyncIterable<void>
}

/** A reason to look at a key. */
export interface Wake {
  /** `pool/name`: claims are made by pool. At most 512 characters. */
  readonly key: string
  /**
   * What is wanted, as a number from 1 on that rises. One that is not newer than what is known changes nothing.
   *
   * @defaultValue one more than what is wanted now, so that the key is claimed again in any case
   */
  readonly revision?: number
  /** Not before so many milliseconds from now. @defaultValue 0 */
  readonly delayMs?: number
  /** @defaultValue 0 */
  readonly priority?: Priority
  /** Why, for the claim. At most 40 characters, no comma. */
  readonly trigger?: string
  /** Whoever holds this lane is handed the key first. The newest wake that names one counts. */
  readonly lane?: string
  /** Whose it is, for the limit of claims at a time. The newest wake that names one counts. */
  readonly tenant?: string
  /** Does nothing for a key that is known already, but says whose it is and in which lane. */
  readonly onlyNew?: boolean
}

/** 0: it has to be looked at again. 1: something changed. 2: somebody waits for it. */
export type Priority = 0 | 1 | 2

/** Which keys are wanted, by whom, for how long. */
export interface ClaimRequest {
  /** Names the worker, for people. */
  readonly worker: string
  /** The first part of the keys. */
  readonly pool: string
  readonly limit: number
  readonly leaseMs: number
  /** Only these keys, also when they are not due yet or were left alone after many crashes. */
  readonly keys?: readonly string[]
  /** The lanes this worker holds: their keys are handed out at once, those of other lanes when they are `graceMs` overdue. */
  readonly lanes?: readonly string[]
  /** @defaultValue 0 */
  readonly graceMs?: number
  /** Claims that one tenant may have at a time, over all workers. @defaultValue unlimited */
  readonly tenantLimit?: number
}

/** What identifies a claim. */
export interface Held {
  readonly key: string
  /** The fencing token: larger than that of every earlier claim of the key. */
  readonly token: number
}

/** The right to work on one key until the lease ends. */
export interface Claim extends Held {
  /** The newest revision that was wanted when the claim was made: what its completion covers. */
  readonly revision: number
  readonly priority: Priority
  readonly triggers: readonly string[]
  /** The token of the claim before; 0 where there was none. */
  readonly previous: number
  /** How often the key was claimed since a worker last ended a claim by itself. Larger than 1 after a crash. */
  readonly attempt: number
  /** What the last completion that had a note left. */
  readonly note?: Json
}

/** A claim that is still held. */
export interface Extended extends Held {
  /** The newest revision that is wanted now. */
  readonly revision: number
}

/** How a claim ends. */
export interface Completion {
  readonly claim: Held & Pick<Claim, 'revision'>
  /** Look again after so many milliseconds, also when nobody asks. @defaultValue when somebody asks */
  readonly again?: Again
  /** Kept with the key until the next note. Small, plain, no secret. */
  readonly note?: Json
  /** Other keys that become due in the same moment: all of it happens, or nothing. */
  readonly wakes?: readonly Wake[]
}

/** When and why a key is looked at again. */
export interface Again {
  readonly delayMs: number
  readonly priority?: Priority
  readonly trigger?: string
}

/** How a claim is given back. */
export interface Release {
  readonly claim: Held & Pick<Claim, 'revision'>
  /** @defaultValue 0 */
  readonly delayMs?: number
}

/** Which keys. */
export interface ItemQuery {
  readonly pool?: string
  readonly keys?: readonly string[]
  /** @defaultValue 1_000 */
  readonly limit?: number
  /** Only keys after this one. */
  readonly after?: string
}

/** A key as it is. */
export interface QueueItem extends Held {
  /** The newest revision that is wanted. */
  readonly revision: number
  /** The newest revision that was completed. */
  readonly done: number
  /** While it is claimed, that of what came meanwhile. */
  readonly priority: Priority
  /** Milliseconds until it is due, negative when it is overdue; absent when nothing waits or it is claimed. */
  readonly dueInMs?: number
  /** Who has it. Absent when nobody has, or the lease ran out. */
  readonly worker?: string
  /** Claims in a row whose worker died. From `quarantineAfter` on the key is left alone until there is something new. */
  readonly crashes: number
  readonly note?: Json
}

/** Crashes in a row after which a key is left alone until a wake with a priority above 0, or a claim by name. */
export const quarantineAfter = 5
