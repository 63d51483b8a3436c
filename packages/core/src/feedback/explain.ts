import { errorCodes } from '../runtime/errors.ts'
import { isoTime } from '../runtime/clock.ts'
import { plainText, revisionText } from '../plan/describe-parts.ts'
import { durationText } from './duration.ts'
import type { Reason } from './events.ts'
import { type Situation, situationOf } from './situation.ts'
import type { ApplicationState } from './state.ts'

/** What is the matter with an application, for a person. */
export interface Explanation {
  readonly situation: Situation
  /** One sentence. */
  readonly sentence: string
  /** What to do about it. `Nothing.` where nothing is to be done. */
  readonly next: string
}

/** Says in one sentence how an application is doing, and what to do next. `now` is in epoch milliseconds. */
export function explain(state: ApplicationState, now: number): Explanation {
  const situation = situationOf(state)
  const { sentence, next } = explanations[situation](state, now)
  return { situation, sentence: plainText(`${state.application} ${sentence}`), next: plainText(next) }
}

type Explain = (state: ApplicationState, now: number) => Omit<Explanation, 'situation'>

/** One for every situation: the compiler refuses a situation without an explanation. */
const explanations: Readonly<Record<Situation, Explain>> = {
  removed: () => say('is no longer managed here.', 'Nothing.'),
  attention: ({ suspects }) =>
    say(
      `was interrupted, and it is not known what became of ${suspects.length === 1 ? 'one change' : `${suspects.length} changes`}: ${suspects.join('; ')}.`,
      'Look at each in the target, then resolve it; nothing is applied until then.',
    ),
  planning: ({ revision }) =>
    say(`is being compared with ${revision === undefined ? 'its source' : revisionText(revision)}.`, 'Nothing.'),
  applying: ({ plan, revision }) =>
    say(`is being changed${toRevision(revision)} (${changesText(plan?.changes ?? 0)}).`, 'Nothing.'),

  'waiting for health': waiting(
    'Look at what it names if it does not get better; a new revision takes its place at once.',
  ),
  'waiting for dependency': waiting('Look at the application it names.'),
  'waiting for approval': waiting('Review the plan and approve its fingerprint.'),
  'waiting for window': waiting('Nothing, or start it by hand if the window allows that.'),
  'waiting for suspension': waiting('Nothing, or resume it.'),
  'waiting for retry': waiting('Nothing, or reconcile it by hand to try again at once.'),
  'waiting for circuit': waiting('Look at the target: it failed for several applications in a row.'),
  'waiting for lock': waiting('Nothing; if nobody is at work there, release the lock.'),
  'waiting for something': waiting('Nothing.'),

  'failed for now': (state, now) => say(failedText(state), `${remedyOf(state)} ${againText(state, now)}`),
  'failed for good': (state) =>
    say(failedText(state), `${remedyOf(state)} It is not tried again before something changes.`),

  'approval needed': ({ pending, reasons }) =>
    say(
      `has a plan that waits for an approval (${changesText(pending?.changes ?? 0)})${because(reasons, 'ask')}`,
      pending === undefined ? 'Review the plan and approve it.' : `Review the plan and approve ${pending.fingerprint}.`,
    ),
  denied: ({ reasons }) =>
    say(
      `is not changed, because the policy denies its plan${because(reasons, 'deny')}`,
      'Commit something else, or change the policy.',
    ),
  suspended: ({ suspension }) =>
    say(
      `is suspended${suspension === undefined ? '' : ` by ${suspension.by} (${suspension.reason})`}; drift is still reported.`,
      suspension?.until === undefined
        ? 'Resume it when it may be changed again.'
        : `Nothing; it resumes at ${isoTime(suspension.until)}.`,
    ),
  held: ({ hold }) =>
    say(
      `is held at ${hold === undefined ? 'a revision' : `${revisionText(hold.revision)} by ${hold.by} (${hold.reason})`}.`,
      'Commit a correction, or release the hold.',
    ),
  'window closed': ({ reasons }) =>
    say(
      `has changes that may not be made now${because(reasons, 'wait')}`,
      'Nothing; it goes on when the window opens.',
    ),
  oscillating: ({ oscillating }) =>
    say(
      `is no longer healed where somebody keeps setting it back: ${oscillating.join(', ')}.`,
      'Find out who does it, or declare what they want.',
    ),
  observed: ({ plan }) =>
    say(
      `differs from its declaration (${changesText(plan?.changes ?? 0)}) and is only observed.`,
      'Change the mode to let it be applied.',
    ),

  unknown: ({ lastRunAt }) =>
    lastRunAt === undefined
      ? say('was not looked at yet.', 'Nothing; the first look is on its way.')
      : say(
          'could not be read completely, so it is not known how it is.',
          'Look at the plan for what could not be read.',
        ),
  behind: ({ plan, revision }) =>
    say(
      `is not yet as ${revision === undefined ? 'declared' : `declared by ${revisionText(revision)}`} (${changesText(plan?.changes ?? 0)} to make).`,
      'Reconcile it, or let what is started do so; look at what the plan lists as blocked.',
    ),
  drifted: ({ drift }) =>
    say(
      `was changed outside of its source (${drift.length === 1 ? '1 drift' : `${drift.length} drifts`}).`,
      'Reconcile it, which heals it unless `selfHeal` is off, or declare it as it is now.',
    ),

  'aligned and healthy': ({ applied }) => say(`is as declared${byRevision(applied)} and works.`, 'Nothing.'),
  'aligned and progressing': healthText(
    'is as declared and on its way to work',
    'Nothing; look at what it names if it does not get better.',
  ),
  'aligned and degraded': healthText('is as declared and does not work', 'Look at what it names, or roll back.'),
  'aligned and missing': healthText('is as declared, but something is not there', 'Look at what it names.'),
  'aligned and suspended': healthText(
    'is as declared and waits for somebody in the target',
    'Let what it names go on.',
  ),
  'aligned and unknown': healthText(
    'is as declared, and its health is not known',
    'Nothing; it is judged with the next look.',
  ),
}

function say(sentence: string, next: string): Omit<Explanation, 'situation'> {
  return { sentence, next }
}

function waiting(next: string): Explain {
  return ({ blocker, deadlineAt }, now) => {
    const limit = deadlineAt === undefined ? '' : `, for ${durationText(Math.max(0, deadlineAt - now))} at most`
    if (blocker === undefined) return say(`waits${limit}.`, next)
    return say(`waits for ${blocker.name}${limit}: ${blocker.message}`, next)
  }
}

function healthText(sentence: string, next: string): Explain {
  return ({ healthMessage }) =>
    say(healthMessage === undefined ? `${sentence}.` : `${sentence}: ${healthMessage}`, next)
}

function failedText({ error, failedDuring, failures }: ApplicationState): string {
  const times = failures > 1 ? ` ${failures} times in a row` : ''
  return `failed${times}${failedDuring === undefined ? '' : ` to ${failedDuring}`}: ${error?.message ?? ''}`
}

function remedyOf({ error }: ApplicationState): string {
  return error === undefined ? '' : errorCodes[error.code].remedy
}

function againText({ nextRunAt }: ApplicationState, now: number): string {
  return nextRunAt === undefined
    ? 'It is tried again.'
    : `It is tried again in ${durationText(Math.max(0, nextRunAt - now))}.`
}

/** The messages of the reasons with this verdict, or the end of the sentence. */
function because(reasons: readonly Reason[], verdict: Reason['verdict']): string {
  const messages = reasons.filter((reason) => reason.verdict === verdict).map(({ message }) => message)
  return messages.length === 0 ? '.' : `: ${messages.join(' ')}`
}

function changesText(count: number): string {
  return count === 1 ? '1 change' : `${count} changes`
}

function toRevision(revision: ApplicationState['revision']): string {
  return revision === undefined ? '' : ` to ${revisionText(revision)}`
}

function byRevision(revision: ApplicationState['applied']): string {
  return revision === undefined ? '' : ` by ${revisionText(revision)}`
}
