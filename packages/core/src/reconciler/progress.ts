import type { Progress } from '../runtime/call.ts'
import { type Engine, tell } from './engine.ts'

/** Progress comes in as often as a download has blocks. Told is one of this many milliseconds, and how it ended. */
const PACE_MS = 100

/** Receives the progress of work for these applications and tells it. Work that is over sooner than a person could read tells nothing. */
export function tellProgress(engine: Engine, applications: readonly string[]): (progress: Progress) => void {
  const { clock } = engine.call
  const activities = new Map<string, { quietUntilMs: number; isTold: boolean }>()
  return (progress) => {
    const nowMs = clock.monotonic()
    const known = activities.get(progress.activity) ?? { quietUntilMs: nowMs + PACE_MS, isTold: false }
    activities.set(progress.activity, known)
    const isEnd = known.isTold && progress.done === progress.total
    if (nowMs < known.quietUntilMs && !isEnd) return
    activities.set(progress.activity, { quietUntilMs: nowMs + PACE_MS, isTold: !isEnd })
    for (const application of applications) tell(engine, { type: 'progressed', application, progress })
  }
}
