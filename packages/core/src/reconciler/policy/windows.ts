import { Cron } from 'croner'
import { isoTime } from '../../runtime/clock.ts'
import type { Window } from './policy.ts'

/** Whether windows let changes be made, and when that ends or begins. */
export interface WindowState {
  readonly open: boolean
  /** The windows that decide: what forbids, or what allows. Empty when there is no `allow` window and none is denying. */
  readonly deciding: readonly Window[]
  /** When changes may be made next, in epoch milliseconds. Absent while open, and when that is not foreseeable. */
  readonly opensAt?: number
}

/** How many jumps from one opening or closing to the next are made in search of the time that changes may be made. */
const HORIZON = 100

/**
 * Judges windows at `now` (epoch milliseconds). A `deny` window that is open wins; otherwise at least one
 * `allow` window must be open, where there are any. `manual` runs pass windows that allow them.
 *
 * A window opens at the wall-clock time of its zone: an opening in the hour that spring skips happens
 * right after it, one in the hour that autumn repeats happens once.
 */
export function judgeWindows(windows: readonly Window[], now: number, manual: boolean): WindowState {
  const binding = windows.filter((window) => !(manual && window.allowManual === true))
  const forbidding = forbidders(binding, now)
  if (forbidding.length === 0) {
    return { open: true, deciding: binding.filter((window) => window.kind === 'allow' && isOpen(window, now)) }
  }
  const opensAt = nextPermitted(binding, now)
  return { open: false, deciding: forbidding, ...(opensAt !== undefined && { opensAt }) }
}

/** Whether the window is open at `now`: it opened within its duration. */
export function isOpen(window: Window, now: number): boolean {
  return now < (closing(window, now) ?? -Infinity)
}

/** When the window opens next, strictly after `now`; absent when it never does. */
export function nextOpening(window: Window, now: number): number | undefined {
  return cronOf(window).nextRun(isoTime(now))?.getTime()
}

/** Throws a plain `Error` that says what is wrong with the cron expression or the time zone. */
export function checkSchedule(window: Pick<Window, 'cron' | 'timeZone'>): void {
  if (window.cron.trim().split(/\s+/).length !== 5) {
    throw new Error('five fields are required: minute, hour, day of month, month, day of week')
  }
  cronOf(window).nextRun(isoTime(0))
}

/** What forbids changes at `now`: every open `deny`, or every `allow` when none of them is open. */
function forbidders(windows: readonly Window[], now: number): readonly Window[] {
  const denying = windows.filter((window) => window.kind === 'deny' && isOpen(window, now))
  if (denying.length > 0) return denying
  const allowing = windows.filter(({ kind }) => kind === 'allow')
  return allowing.some((window) => isOpen(window, now)) ? [] : allowing
}

/**
 * While a `deny` is open nothing is permitted before it closes; while no `allow` is open, nothing before
 * the next one opens. So the search jumps from one such time to the next.
 */
function nextPermitted(windows: readonly Window[], now: number): number | undefined {
  let at = now
  for (let jump = 0; jump < HORIZON; jump++) {
    const forbidding = forbidders(windows, at)
    if (forbidding.length === 0) return at
    const ends = forbidding.map((window) => (window.kind === 'deny' ? closing(window, at) : nextOpening(window, at)))
    const next = forbidding[0]?.kind === 'deny' ? Math.max(...ends.map(orNever)) : Math.min(...ends.map(orNever))
    if (!Number.isFinite(next)) return undefined
    at = next
  }
  return undefined
}

function orNever(time: number | undefined): number {
  return time ?? Infinity
}

function closing(window: Window, now: number): number | undefined {
  const openedAt = lastOpening(window, now)
  return openedAt === undefined ? undefined : openedAt + window.durationMs
}

/** The last opening at or before `now`. */
function lastOpening(window: Window, now: number): number | undefined {
  return cronOf(window)
    .previousRuns(1, isoTime(now + 1))[0]
    ?.getTime()
}

function cronOf({ cron, timeZone = 'UTC' }: Pick<Window, 'cron' | 'timeZone'>): Cron {
  return new Cron(cron, { timezone: timeZone, mode: '5-part' })
}
