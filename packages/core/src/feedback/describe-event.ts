import { label } from '../desired/ref.ts'
import { actorText, countsText, driftText, plainText, revisionText, valueText } from '../plan/describe-parts.ts'
import { isoTime } from '../runtime/clock.ts'
import { durationText } from './duration.ts'
import type { ApplicationEvent, EventOf, EventType } from './events.ts'

/**
 * An event as one line for a person: a chat, a log, a terminal. Shows no secret and nothing that a
 * terminal or a page would obey.
 */
export function describeEvent(event: ApplicationEvent): string {
  return plainText(`${event.application} ${textOf(event.type, event)}`)
}

/** The text of an event by its type: each function is only ever given its own event. */
function textOf<T extends EventType>(type: T, event: EventOf<T>): string {
  const describe: (event: EventOf<T>) => string = texts[type]
  return describe(event)
}

const texts: { readonly [T in EventType]: (event: EventOf<T>) => string } = {
  added: ({ remembered }) =>
    remembered.applied === undefined ? 'was added' : `was added, last at ${revisionText(remembered.applied)}`,
  removed: ({ destroyed }) =>
    destroyed ? 'was removed with all its resources' : 'was removed, its resources were left',
  scheduled: ({ dueAt, trigger, attempt }) =>
    `is due at ${isoTime(dueAt)} (${attempt === undefined ? trigger : `attempt ${attempt}`})`,
  started: ({ trigger }) => `is being reconciled (${trigger})`,
  resolved: ({ revision, previous }) =>
    `is at ${revisionText(revision)}${previous === undefined ? '' : `, before at ${revisionText(previous)}`}`,
  revisionRewritten: ({ revision, previous, followed }) =>
    `had its history rewritten from ${revisionText(previous)} to ${revisionText(revision)}, which is ${followed ? 'followed' : 'not followed'}`,
  declared: ({ revision, resources }) =>
    `declares ${resources === 1 ? '1 resource' : `${resources} resources`} at ${revisionText(revision)}`,
  planned: ({ plan }) => `has a plan for ${revisionText(plan.revision)}: ${countsText(plan)}`,
  blocked: ({ reasons }) => `is not changed: ${sentences(reasons)}`,
  approvalRequested: ({ plan, reasons, since }) =>
    `asks for an approval of ${plan.fingerprint} (${countsText(plan)}): ${sentences(reasons)}${since === undefined ? '' : ' The plan changed since it was last asked about.'}`,
  approved: ({ fingerprint, by }) => `had ${fingerprint} approved by ${by}`,
  applyStarted: ({ revision, changes }) =>
    `is being changed to ${revisionText(revision)} (${changes === 1 ? '1 change' : `${changes} changes`})`,
  stepStarted: ({ step }) => `began ${step.phase}, wave ${step.wave}`,
  changed: ({ ref, action, status, error }) =>
    `${action} of ${label(ref)} ${status}${error === undefined ? '' : `: ${error.message}`}`,
  applied: ({ revision }) => `was changed to ${revisionText(revision)}`,
  parked: ({ blocker, deadlineAt }) =>
    `waits for ${blocker.name}${deadlineAt === undefined ? '' : ` until ${isoTime(deadlineAt)}`}: ${blocker.message}`,
  healthChanged: ({ status, previous, message }) => `is ${status}, before ${previous}: ${message}`,
  ready: ({ revision }) => `is ready at ${revisionText(revision)}`,
  failed: ({ error, during }) => `failed to ${during}: ${error.message} (${error.code})`,
  superseded: ({ revision, by }) => `gave up ${revisionText(revision)} for ${revisionText(by)}`,
  cancelled: ({ reason }) => `was cancelled: ${reason}`,
  finished: ({ outcome, durationMs }) => `finished after ${durationText(durationMs)}: ${outcome}`,
  drifted: ({ drift, occurrences }) =>
    `drifted${occurrences > 1 ? ` for the ${ordinal(occurrences)} time` : ''}: ${driftText(drift)}`,
  driftResolved: ({ ref, how, lastedMs }) =>
    `no longer drifts in ${label(ref)}, ${how} after ${durationText(lastedMs)}`,
  driftIgnored: ({ ignored }) => `ignores ${ignored.path} of ${label(ignored.ref)} (${ignored.rule})`,
  driftAdopted: ({ ref }) => `accepts ${label(ref)} as it is`,
  oscillated: ({ ref, path, value, actor, count }) =>
    `healed ${path === '' ? label(ref) : `${path} of ${label(ref)}`} ${count} times${value === undefined ? '' : ` from ${valueText(value)}`}, and ${actor === undefined ? 'somebody' : actorText(actor)} keeps setting it back; it is left alone now`,
  suspended: ({ suspension }) =>
    `was suspended by ${suspension.by}${suspension.until === undefined ? '' : ` until ${isoTime(suspension.until)}`}: ${suspension.reason}`,
  resumed: ({ by }) => `was resumed by ${by}`,
  held: ({ hold }) => `is held at ${revisionText(hold.revision)} by ${hold.by}: ${hold.reason}`,
  released: ({ by, reason }) => `was released by ${by}: ${reason}`,
  rolledBack: ({ to, by, reason }) => `was rolled back to ${revisionText(to)} by ${by}: ${reason}`,
  progressed: ({ progress }) =>
    `${progress.activity}: ${progress.done}${progress.total === undefined ? '' : ` of ${progress.total}`} ${progress.unit}`,
  attentionNeeded: ({ suspects }) =>
    `needs somebody to look at ${suspects.map(({ ref, reason }) => `${label(ref)} (${reason})`).join(', ')}`,
  attentionResolved: ({ by }) => `was looked at by ${by}`,
}

function sentences(reasons: readonly { readonly message: string }[]): string {
  return reasons.map(({ message }) => message).join(' ')
}

function ordinal(count: number): string {
  const tens = count % 100
  const ending = tens >= 11 && tens <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][count % 10] ?? 'th')
  return `${count}${ending}`
}
