import type { Progress, Reconciler } from '@gitops-sdk/core'
import type { Io } from './io.ts'

const WIDTH = 24

/** Shows the progress of long work as a bar that is drawn over itself. Returns a function that takes it away. */
export function showProgress(reconciler: Reconciler, io: Io): () => void {
  if (!io.progress) return () => {}
  let drawn = false
  const wipe = (): void => {
    if (drawn) io.err('\r\u001b[K')
    drawn = false
  }
  const stop = reconciler.onAny((event) => {
    if (event.type !== 'progressed') return wipe()
    io.err(`\r\u001b[K${event.application} ${barText(event.progress)}`)
    drawn = true
  })
  return () => {
    stop()
    wipe()
  }
}

/** `receiving objects [########                ] 40 of 120 objects`, without a bar while the end is not known. */
export function barText({ activity, done, total, unit }: Progress): string {
  if (total === undefined || total <= 0) return `${activity}: ${done} ${unit}`
  const filled = Math.round((Math.min(done, total) / total) * WIDTH)
  return `${activity} [${'#'.repeat(filled).padEnd(WIDTH)}] ${done} of ${total} ${unit}`
}
