import type { ApplicationEvent, Progress, Reconciler } from '@gitops-sdk/core'
import type { Io } from './io.ts'

const WIDTH = 24

/** A longer line would wrap on a common terminal, and only its last row could be drawn over. */
const MAX_LINE = 79

/** One line on a terminal that says what is being done, drawn over itself; none where nobody looks. */
export interface ProgressLine {
  /** The same outputs, which the line makes way for. */
  readonly io: Io
  /** Says what `reconciler` does. Returns a function that takes the line away. */
  follow(reconciler: Reconciler): () => void
}

/** A line that is not drawn yet. */
export function createProgressLine(io: Io): ProgressLine {
  if (!io.progress) return { io, follow: () => () => {} }
  let drawn = false
  const wipe = (): void => {
    if (drawn) io.err('\r\u001b[K')
    drawn = false
  }
  const draw = (text: string): void => {
    // What another system said must not steer the terminal.
    io.err(`\r\u001b[K${text.replace(/\p{Cc}/gu, ' ').slice(0, MAX_LINE)}`)
    drawn = true
  }
  const makingWay = (write: (text: string) => void) => (text: string) => {
    wipe()
    write(text)
  }
  return {
    io: { ...io, out: makingWay(io.out), err: makingWay(io.err) },
    follow: (reconciler) => {
      const textOf = createTexts()
      const stop = reconciler.onAny((event) => {
        const text = textOf(event)
        if (text === undefined) wipe()
        else draw(`${event.application} ${text}`)
      })
      return () => {
        stop()
        wipe()
      }
    },
  }
}

/** What to say of each event; nothing when there is no work under way. Counts the changes of each application. */
function createTexts(): (event: ApplicationEvent) => string | undefined {
  const counts = new Map<string, { done: number; total: number }>()
  return (event) => {
    if (event.type === 'progressed') return barText(event.progress)
    if (event.type === 'started') return 'is being read'
    if (event.type === 'declared') return 'is being compared'
    if (event.type === 'parked') return `waits for ${event.blocker.message}`
    if (event.type === 'applyStarted') counts.set(event.application, { done: 0, total: event.changes })
    const count = counts.get(event.application)
    if (count === undefined || (event.type !== 'applyStarted' && event.type !== 'changed')) return undefined
    if (event.type === 'changed') count.done++
    return barText({ activity: 'changing', ...count, unit: 'changes' })
  }
}

/** `receiving objects [########                ] 40 of 120 objects`, without a bar while the end is not known. */
export function barText({ activity, done, total, unit }: Progress): string {
  if (total === undefined || total <= 0) return `${activity}: ${done} ${unit}`
  const filled = Math.round((Math.min(done, total) / total) * WIDTH)
  return `${activity} [${'#'.repeat(filled).padEnd(WIDTH)}] ${done} of ${total} ${unit}`
}
