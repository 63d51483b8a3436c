import { type Logger, structuredLog } from '../../runtime/log.ts'
import { describeEvent } from '../describe-event.ts'
import type { ApplicationEvent } from '../events.ts'
import type { Observed } from './observed.ts'

/**
 * Writes a line for every event but progress: a sentence, with `application`, `event`, `sequence` and, where there is one, `runId`
 * as fields. Returns a function that ends it.
 */
export function logEvents(reconciler: Pick<Observed, 'onAny'>, log: Logger): () => void {
  const lines = structuredLog(log)
  return reconciler.onAny((event) => {
    if (event.type === 'progressed') return
    const { application, sequence, type } = event
    const run = 'runId' in event && event.runId !== undefined ? { runId: event.runId } : {}
    const error = event.type === 'failed' ? { error: event.error } : {}
    lines[levelOf(event)](describeEvent(event), { application, event: type, sequence, ...run, ...error })
  })
}

const needsPerson: ReadonlySet<ApplicationEvent['type']> = new Set([
  'attentionNeeded',
  'approvalRequested',
  'oscillated',
])
const news: ReadonlySet<ApplicationEvent['type']> = new Set([
  'drifted',
  'blocked',
  'revisionRewritten',
  'superseded',
  'parked',
])
const details: ReadonlySet<ApplicationEvent['type']> = new Set([
  'scheduled',
  'started',
  'declared',
  'stepStarted',
  'changed',
])

/** What will be tried again is a warning; what will not, and what waits for a person, is an error. */
function levelOf(event: ApplicationEvent): 'debug' | 'info' | 'warn' | 'error' {
  if (event.type === 'failed') return event.error.retryable ? 'warn' : 'error'
  if (event.type === 'changed' && event.status !== 'succeeded') return 'warn'
  if (needsPerson.has(event.type)) return event.type === 'attentionNeeded' ? 'error' : 'warn'
  if (news.has(event.type)) return event.type === 'parked' || event.type === 'superseded' ? 'info' : 'warn'
  return details.has(event.type) ? 'debug' : 'info'
}
